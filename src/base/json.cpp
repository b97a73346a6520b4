#include "base/json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace alcove {
namespace {

constexpr std::size_t kMaxDepth = 256;       // a value is destroyed and walked by recursion
constexpr std::size_t kMaxValues = 100'000;  // each takes twenty times the memory of its text
constexpr std::size_t kMaxKeys = 10'000;     // of one object: each is compared with all before it

// Reads a text without keeping anything, to know that keeping it is safe. A false return ends the reading.
class Survey final : public Json::json_sax_t {
 public:
  const std::string& refusal() const { return refusal_; }

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t&) override {
    return ++keys_.back() <= kMaxKeys ||
           refuse(fmt::format("JSON with more than {} keys in one object", kMaxKeys));
  }
  bool parse_error(std::size_t byte, const std::string&, const Json::exception&) override {
    return refuse(fmt::format("not valid JSON at byte {}", byte));
  }

 private:
  bool value() {
    return ++values_ <= kMaxValues || refuse(fmt::format("JSON of more than {} values", kMaxValues));
  }
  bool open() {
    keys_.push_back(0);
    return value() &&
           (keys_.size() <= kMaxDepth || refuse(fmt::format("JSON nested deeper than {} levels", kMaxDepth)));
  }
  bool close() {
    keys_.pop_back();
    return true;
  }
  bool refuse(std::string why) {
    refusal_ = std::move(why);
    return false;
  }

  std::string refusal_;
  std::vector<std::size_t> keys_;  // of each object or array that is open
  std::size_t values_ = 0;
};

}  // namespace

Result<Json> parse_json(std::string_view text) {
  Survey survey;
  if (!Json::sax_parse(text, &survey)) return fail(ErrorKind::Unreadable, survey.refusal());
  return Json::parse(text, nullptr, false);
}

const Json& member(const Json& value, const char* name) {
  static const Json kNull;
  if (!value.is_object()) return kNull;
  const auto found = value.find(name);
  return found == value.end() ? kNull : *found;
}

std::string to_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace alcove
