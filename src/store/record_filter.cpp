#include "store/record_filter.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <vector>

namespace alcove::store {
namespace {

enum class Op { And, Or, Eq, Ne, Gt, Gte, Lt, Lte, In, Nin, Contains, NotContains, Regex, NotRegex };
struct Word {
  std::string_view word;
  Op op;
};
constexpr std::array kWords{
    Word{"$eq", Op::Eq},
    Word{"$ne", Op::Ne},
    Word{"$gt", Op::Gt},
    Word{"$gte", Op::Gte},
    Word{"$lt", Op::Lt},
    Word{"$lte", Op::Lte},
    Word{"$in", Op::In},
    Word{"$nin", Op::Nin},
    Word{"$regex", Op::Regex},
    Word{"$not_regex", Op::NotRegex},
    Word{"$contains", Op::Contains},
    Word{"$not_contains", Op::NotContains},
};
constexpr std::string_view kDocument = "#document";  // a key that stands for the text
constexpr std::int64_t kRegexMemory = 4 << 20;       // bytes, of one expression
constexpr std::size_t kMostRegexes = 16;             // of one filter

std::optional<Op> op_named(std::string_view word) {
  const auto found = std::ranges::find(kWords, word, &Word::word);
  return found == kWords.end() ? std::nullopt : std::optional(found->op);
}

bool is_scalar(const Json& value) { return value.is_string() || value.is_number() || value.is_boolean(); }

// What lists have one of: whole numbers and others are two.
int kind_of(const Json& value) {
  return value.is_string()         ? 1
         : value.is_boolean()      ? 2
         : value.is_number_float() ? 3
         : value.is_number()       ? 4
                                   : 0;
}

bool is_same(const Json& a, const Json& b) { return kind_of(a) == kind_of(b) && a == b; }
bool is_about_documents(Op op) {
  return op == Op::Contains || op == Op::NotContains || op == Op::Regex || op == Op::NotRegex;
}

}  // namespace

struct RecordFilter::Node {
  Op op = Op::And;
  std::string key;  // of the metadata; kDocument for the text; empty of And and Or
  Json operand;
  std::unique_ptr<RE2> regex;
  std::vector<Node> parts;  // of And and Or
};

namespace {

using Node = RecordFilter::Node;

// One filter being read; `clause` is what errors call it.
class Reader {
 public:
  explicit Reader(std::string_view clause) : clause_(clause) {}

  Result<Node> where(const Json& json) {
    TRY(check_single(json));
    const auto& key = json.begin().key();
    const auto& value = json.begin().value();
    if (const auto both = junction(key)) return parts(*both, value, &Reader::where);
    if (key.starts_with('$')) return invalid(fmt::format("{} is no operator here", key));
    if (is_scalar(value)) return condition(key, Op::Eq, value);
    TRY(check_single(value));
    const auto op = op_named(value.begin().key());
    if (!op) return invalid(fmt::format("{} is no operator", value.begin().key()));
    return condition(key, *op, value.begin().value());
  }

  Result<Node> where_document(const Json& json) {
    TRY(check_single(json));
    const auto& key = json.begin().key();
    if (const auto both = junction(key)) return parts(*both, json.begin().value(), &Reader::where_document);
    const auto op = op_named(key);
    if (!op) return invalid(fmt::format("{} is no operator", key));
    return condition(std::string(kDocument), *op, json.begin().value());
  }

 private:
  std::unexpected<Error> invalid(const std::string& why) const {
    return fail(ErrorKind::BadInput, fmt::format("Invalid {} clause: {}", clause_, why));
  }

  Result<void> check_single(const Json& json) const {
    if (json.is_object() && json.size() == 1) return {};
    return invalid("an object with exactly one key belongs here");
  }

  static std::optional<Op> junction(std::string_view key) {
    return key == "$and" ? std::optional(Op::And) : key == "$or" ? std::optional(Op::Or) : std::nullopt;
  }

  Result<Node> parts(Op op, const Json& list, Result<Node> (Reader::*read)(const Json&)) {
    if (!list.is_array()) return invalid("$and and $or want a list");
    Node node{.op = op, .key = {}, .operand = {}, .regex = {}, .parts = {}};
    for (const auto& part : list) node.parts.push_back(TRY((this->*read)(part)));
    return node;
  }

  Result<Node> condition(const std::string& key, Op op, const Json& operand) {
    const bool of_document = key == kDocument;
    if (of_document != (is_about_documents(op) && of_document) ||
        (!of_document && (op == Op::Regex || op == Op::NotRegex)))
      return invalid(fmt::format("this operator says nothing about {}", key));
    if (!fits(op, operand, of_document)) return invalid(fmt::format("the operand for {} does not fit", key));
    Node node{.op = op, .key = key, .operand = operand, .regex = {}, .parts = {}};
    if (op == Op::Regex || op == Op::NotRegex) node.regex = TRY(compile(operand.get<std::string>()));
    return node;
  }

  static bool fits(Op op, const Json& operand, bool of_document) {
    if (of_document) return operand.is_string();
    if (op == Op::Gt || op == Op::Gte || op == Op::Lt || op == Op::Lte) return operand.is_number();
    if (op != Op::In && op != Op::Nin) return is_scalar(operand);
    return operand.is_array() && !operand.empty() && std::ranges::all_of(operand, [&](const Json& each) {
             return kind_of(each) != 0 && kind_of(each) == kind_of(operand.front());
           });
  }

  Result<std::unique_ptr<RE2>> compile(const std::string& pattern) {
    if (++regexes_ > kMostRegexes) return invalid(fmt::format("more than {} expressions", kMostRegexes));
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(kRegexMemory);
    auto regex = std::make_unique<RE2>(pattern, options);
    if (!regex->ok()) return invalid(fmt::format("not a regular expression: {}", regex->error()));
    return regex;
  }

  std::string_view clause_;
  std::size_t regexes_ = 0;
};

bool holds(const Node& node, const Json& value) {
  const auto& operand = node.operand;
  switch (node.op) {
    case Op::Eq: return value == operand;
    case Op::Ne: return !(value == operand);
    case Op::Gt: return value.is_number() && value > operand;
    case Op::Gte: return value.is_number() && value >= operand;
    case Op::Lt: return value.is_number() && value < operand;
    case Op::Lte: return value.is_number() && value <= operand;
    case Op::In: return std::ranges::find(operand, value) != operand.end();
    case Op::Nin: return std::ranges::find(operand, value) == operand.end();
    case Op::Contains:
    case Op::NotContains: {
      const bool contains = value.is_array() && std::ranges::any_of(value, [&](const Json& each) {
                              return is_same(each, operand);
                            });
      return contains == (node.op == Op::Contains);
    }
    default: return false;
  }
}

bool holds(const Node& node, const std::optional<std::string>& document) {
  const bool positive = node.op == Op::Contains || node.op == Op::Regex;
  if (!document) return !positive;
  const bool found = node.regex
                         ? RE2::PartialMatch(*document, *node.regex)
                         : document->find(node.operand.get_ref<const std::string&>()) != std::string::npos;
  return found == positive;
}

bool holds(const Node& node, const Json& metadata, const std::optional<std::string>& document) {
  const auto part_holds = [&](const Node& part) { return holds(part, metadata, document); };
  if (node.op == Op::And) return std::ranges::all_of(node.parts, part_holds);
  if (node.op == Op::Or) return std::ranges::any_of(node.parts, part_holds);
  return node.key == kDocument ? holds(node, document) : holds(node, member(metadata, node.key.c_str()));
}

bool asks_for_text(const Node& node) {
  return node.key == kDocument || std::ranges::any_of(node.parts, asks_for_text);
}

}  // namespace

Result<RecordFilter> RecordFilter::parse(const Json& where, const Json& where_document) {
  RecordFilter filter;
  if (!where.is_null()) filter.where_ = std::make_shared<const Node>(TRY(Reader("where").where(where)));
  if (!where_document.is_null())
    filter.where_document_ =
        std::make_shared<const Node>(TRY(Reader("where document").where_document(where_document)));
  return filter;
}

bool RecordFilter::reads_document() const { return where_document_ || (where_ && asks_for_text(*where_)); }

bool RecordFilter::matches(const Json& metadata, const std::optional<std::string>& document) const {
  return (!where_ || holds(*where_, metadata, document)) &&
         (!where_document_ || holds(*where_document_, metadata, document));
}

}  // namespace alcove::store
