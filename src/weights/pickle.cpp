#include "weights/pickle.h"

#include <fmt/format.h>

#include <bit>

#include "weights/globals.h"
#include "weights/pickle_calls.h"
#include "weights/pickle_stack.h"
#include "weights/pickle_text.h"

namespace alcove::weights {
namespace {

using Items = PickleStack::Items;

// The machine that a pickle is a program for, without anything that imports or calls.
class Machine {
 public:
  Machine(Bytes bytes, const PersistentLoad& persistent_load, const Construct& construct,
          const PickleLimits& limits)
      : in_(bytes), stack_(limits), persistent_load_(persistent_load), construct_(construct) {}

  Result<Unpickled> run() {
    while (true) {
      const auto at = in_.position();
      const auto opcode = TRY(number<std::uint8_t>());
      if (opcode == '.') break;
      if (auto done = step(opcode); !done) return in_context(opcode, at, std::move(done).error());
    }
    auto root = stack_.pop();
    if (!root) return damaged("the pickle ends with nothing");
    return Unpickled{stack_.own(*root), in_.position()};
  }

 private:
  static std::unexpected<Error> in_context(std::uint8_t opcode, std::size_t at, Error error) {
    if (error.code != "damaged") return std::unexpected(std::move(error));
    return fail_in(fmt::format("pickle opcode 0x{:02x} at byte {}", opcode, at), std::move(error));
  }
  std::unexpected<Error> cut() const {
    return truncated(fmt::format("the pickle ends in the middle, after byte {}", in_.position()));
  }

  // --- operands

  template <class T>
  Result<T> number() {
    auto value = in_.little_endian<T>();
    if (!value) return cut();
    return *value;
  }
  Result<std::string_view> line() {
    auto text = in_.until('\n');
    if (!text) return cut();
    if (text->ends_with('\r')) text->remove_suffix(1);
    return *text;
  }
  Result<std::uint64_t> line_index() {
    const auto index = read_decimal(TRY(line()));
    if (!index || *index < 0) return damaged("not a memo number");
    return static_cast<std::uint64_t>(*index);
  }
  // A string after its length, which is of type `Length`. Negative lengths are far past any end.
  template <class Length>
  Result<std::string> text() {
    auto bytes = in_.take(static_cast<std::size_t>(TRY(number<Length>())));
    if (!bytes) return cut();
    TRY(stack_.charge_text(bytes->size()));
    return std::string(as_text(*bytes));
  }

  // --- numbers and strings

  template <class T>
  Result<void> push_integer() {
    return stack_.push_new(static_cast<std::int64_t>(TRY(number<T>())));
  }
  Result<void> push_line_integer() {
    const auto digits = TRY(line());
    if (digits == "00" || digits == "01") return stack_.push_new(digits == "01");
    return push_digits(digits);
  }
  Result<void> push_line_long() {
    auto digits = TRY(line());
    if (digits.ends_with('L')) digits.remove_suffix(1);
    return push_digits(digits);
  }
  Result<void> push_digits(std::string_view digits) {
    const auto value = read_decimal(digits);
    if (!value) return damaged("not an integer of 64 bits");
    return stack_.push_new(*value);
  }
  // Two's complement, least byte first, as many bytes as it takes.
  Result<void> push_wide_integer(std::string bytes) {
    if (bytes.size() > sizeof(std::int64_t)) {
      const auto* digits = TRY(stack_.make(Value{BytesValue{std::move(bytes)}}));
      return stack_.push_new(
          Object{.name = "builtins.int", .arguments = {digits}, .items = {}, .elements = {}});
    }
    std::uint64_t bits = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (auto i = bytes.size(); i-- > 0;) bits = bits << 8 | static_cast<std::uint8_t>(bytes[i]);
    return stack_.push_new(static_cast<std::int64_t>(bits));
  }
  Result<void> push_line_float() {
    const auto value = read_float(TRY(line()));
    if (!value) return damaged("not a number");
    return stack_.push_new(*value);
  }
  Result<void> push_float() {
    const auto bits = in_.big_endian<std::uint64_t>();
    if (!bits) return cut();
    return stack_.push_new(std::bit_cast<double>(*bits));
  }
  Result<void> push_line_text(std::optional<std::string> (*unescape)(std::string_view)) {
    auto plain = unescape(TRY(line()));
    if (!plain) return damaged("not a string");
    TRY(stack_.charge_text(plain->size()));
    return stack_.push_new(*std::move(plain));
  }
  template <class Length>
  Result<void> push_text() {
    return stack_.push_new(TRY(text<Length>()));
  }
  template <class Length>
  Result<void> push_bytes() {
    return stack_.push_new(BytesValue{TRY(text<Length>())});
  }

  // --- containers

  Result<void> push_tuple(std::size_t count) { return stack_.push_new(Tuple{TRY(stack_.pop_last(count))}); }
  Result<void> push_dict(const Items& items) {
    Dict dict;
    TRY(append_pairs(dict, items));
    return stack_.push_new(std::move(dict));
  }
  Result<void> push_set(std::string name, Items items) {
    return stack_.push_new(
        Object{.name = std::move(name), .arguments = {}, .items = {}, .elements = std::move(items)});
  }
  Result<void> add_elements(const Items& items) {
    auto* target = TRY(stack_.top());
    auto* list = std::get_if<List>(&target->data);
    auto* object = std::get_if<Object>(&target->data);
    if (list == nullptr && object == nullptr) return damaged("adds an element to what is no list");
    auto& elements = list != nullptr ? list->items : object->elements;
    elements.insert(elements.end(), items.begin(), items.end());
    return {};
  }
  Result<void> add_entries(const Items& items) {
    auto* target = TRY(stack_.top());
    auto* dict = std::get_if<Dict>(&target->data);
    if (auto* object = std::get_if<Object>(&target->data)) dict = &object->items;
    if (dict == nullptr) return damaged("sets an item of what is no dict");
    return append_pairs(*dict, items);
  }
  static Result<void> append_pairs(Dict& dict, const Items& items) {
    if (items.size() % 2 != 0) return damaged("a key without its value");
    for (std::size_t i = 0; i < items.size(); i += 2) dict.entries.emplace_back(items[i], items[i + 1]);
    return {};
  }

  // --- names, and what Python would call

  Result<void> push_global(std::string_view module, std::string_view name) {
    auto full = TRY(accept_name(module, name));
    TRY(stack_.charge_text(full.size()));
    return stack_.push_new(Global{std::move(full)});
  }
  Result<void> push_global_lines() {
    const auto module = TRY(line());
    return push_global(module, TRY(line()));
  }
  Result<void> push_global_from_stack() {
    const auto names = TRY(stack_.pop_last(2));
    const auto* module = as<std::string>(names[0]);
    const auto* name = as<std::string>(names[1]);
    if (module == nullptr || name == nullptr) return damaged("a class named by what is no string");
    return push_global(*module, *name);
  }

  static Result<std::string_view> callee(const Value* value) {
    const auto* global = as<Global>(value);
    if (global == nullptr) return unsafe("the pickle calls something it has computed, which no weights need");
    return std::string_view(global->name);
  }
  Result<void> push_call(const Value* function, std::span<const ValuePtr> arguments) {
    const auto name = TRY(callee(function));
    TRY(accept_call(name));
    if (auto made = TRY(call_python(name, arguments, stack_))) return stack_.push_value(*std::move(made));
    return push_instance(name, arguments);
  }
  Result<void> push_instance(std::string_view name, std::span<const ValuePtr> arguments) {
    TRY(stack_.charge(arguments.size()));
    if (auto made = TRY(construct_(name, arguments))) return stack_.push(TRY(stack_.make(*std::move(made))));
    TRY(stack_.charge_text(name.size()));
    return stack_.push_new(Object{.name = std::string(name),
                                  .arguments = {arguments.begin(), arguments.end()},
                                  .items = {},
                                  .elements = {}});
  }
  Result<void> reduce() {
    const auto* arguments = as<Tuple>(TRY(stack_.pop()));
    if (arguments == nullptr) return damaged("a call whose arguments are no tuple");
    return push_call(TRY(stack_.pop()), arguments->items);
  }
  // NEWOBJ: a class and its arguments; NEWOBJ_EX: and a dict of keywords, kept as the last argument.
  Result<void> new_object(std::size_t operands) {
    const auto parts = TRY(stack_.pop_last(operands));
    const auto name = TRY(callee(parts[0]));
    const auto* arguments = as<Tuple>(parts[1]);
    if (arguments == nullptr) return damaged("a class made with arguments that are no tuple");
    if (operands == 2 && name == "collections.OrderedDict") return stack_.push_new(Dict{});
    if (operands == 2) return push_instance(name, arguments->items);
    TRY(stack_.charge(arguments->items.size()));
    auto with_keywords = arguments->items;
    with_keywords.push_back(parts[2]);
    return push_instance(name, with_keywords);
  }
  // A class and its arguments after a MARK; the class by name in protocol 0.
  Result<void> call_marked() {
    const auto items = TRY(stack_.pop_to_mark());
    if (items.empty()) return damaged("no class to make");
    return push_call(items.front(), std::span(items).subspan(1));
  }
  Result<void> call_named() {
    const auto arguments = TRY(stack_.pop_to_mark());
    TRY(push_global_lines());
    return push_call(TRY(stack_.pop()), arguments);
  }
  Result<void> build() {
    const auto* state = TRY(stack_.pop());
    auto* target = TRY(stack_.top());
    if (auto* object = std::get_if<Object>(&target->data)) {
      object->state = state;
      return {};
    }
    if (const auto* global = as<Global>(target))
      return unsafe(fmt::format("the pickle changes {} itself, which no weights need", global->name));
    // Attributes of an OrderedDict (a state dict's _metadata) or of a parameter: nobody asks for them.
    const bool ignored = as<Dict>(target) != nullptr || as<Tensor>(target) != nullptr;
    if (!ignored) return damaged("sets the state of what has none");
    return {};
  }

  Result<void> push_persistent(const Value& id) { return stack_.push_value(TRY(persistent_load_(id))); }
  Result<void> push_persistent_line() {
    auto id = std::string(TRY(line()));
    TRY(stack_.charge_text(id.size()));
    return push_persistent(Value{std::move(id)});
  }

  // --- the rest

  Result<void> protocol() {
    const auto version = TRY(number<std::uint8_t>());
    if (version > 5) return damaged(fmt::format("protocol {}; 0 to 5 are read", version));
    return {};
  }
  // Frames help Python to buffer; here they only have to fit.
  Result<void> frame() {
    if (TRY(number<std::uint64_t>()) > in_.remaining()) return cut();
    return {};
  }
  Result<void> drop_to_mark() {
    TRY(stack_.pop_to_mark());
    return {};
  }

  Result<void> step(std::uint8_t opcode) {
    switch (opcode) {
      case 0x80: return protocol();
      case 0x95: return frame();

      case '(': return stack_.mark();
      case '0': return stack_.drop();
      case '1': return drop_to_mark();
      case '2': return stack_.push(TRY(stack_.top()));
      case 'p': return stack_.remember(TRY(line_index()));
      case 'q': return stack_.remember(TRY(number<std::uint8_t>()));
      case 'r': return stack_.remember(TRY(number<std::uint32_t>()));
      case 0x94: return stack_.remember(stack_.remembered());
      case 'g': return stack_.recall(TRY(line_index()));
      case 'h': return stack_.recall(TRY(number<std::uint8_t>()));
      case 'j': return stack_.recall(TRY(number<std::uint32_t>()));

      case 'N': return stack_.push_new(None{});
      case 0x88: return stack_.push_new(true);
      case 0x89: return stack_.push_new(false);
      case 'I': return push_line_integer();
      case 'L': return push_line_long();
      case 'J': return push_integer<std::int32_t>();
      case 'K': return push_integer<std::uint8_t>();
      case 'M': return push_integer<std::uint16_t>();
      case 0x8a: return push_wide_integer(TRY(text<std::uint8_t>()));
      case 0x8b: return push_wide_integer(TRY(text<std::int32_t>()));
      case 'F': return push_line_float();
      case 'G': return push_float();

      case 'S': return push_line_text(unquote);
      case 'V': return push_line_text(unescape_unicode);
      case 'T': return push_text<std::int32_t>();
      case 'U': return push_text<std::uint8_t>();
      case 'X': return push_text<std::uint32_t>();
      case 0x8c: return push_text<std::uint8_t>();
      case 0x8d: return push_text<std::uint64_t>();
      case 'B': return push_bytes<std::uint32_t>();
      case 'C': return push_bytes<std::uint8_t>();
      case 0x8e: return push_bytes<std::uint64_t>();
      case 0x96: return push_bytes<std::uint64_t>();

      case ']': return stack_.push_new(List{});
      case 'l': return stack_.push_new(List{TRY(stack_.pop_to_mark())});
      case 'a': return add_elements(TRY(stack_.pop_last(1)));
      case 'e': return add_elements(TRY(stack_.pop_to_mark()));
      case ')': return stack_.push_new(Tuple{});
      case 't': return stack_.push_new(Tuple{TRY(stack_.pop_to_mark())});
      case 0x85: return push_tuple(1);
      case 0x86: return push_tuple(2);
      case 0x87: return push_tuple(3);
      case '}': return stack_.push_new(Dict{});
      case 'd': return push_dict(TRY(stack_.pop_to_mark()));
      case 's': return add_entries(TRY(stack_.pop_last(2)));
      case 'u': return add_entries(TRY(stack_.pop_to_mark()));
      case 0x8f: return push_set("builtins.set", {});
      case 0x90: return add_elements(TRY(stack_.pop_to_mark()));
      case 0x91: return push_set("builtins.frozenset", TRY(stack_.pop_to_mark()));

      case 'c': return push_global_lines();
      case 0x93: return push_global_from_stack();
      case 'R': return reduce();
      case 0x81: return new_object(2);
      case 0x92: return new_object(3);
      case 'o': return call_marked();
      case 'i': return call_named();
      case 'b': return build();
      case 'P': return push_persistent_line();
      case 'Q': return push_persistent(*TRY(stack_.pop()));
    }
    return damaged("checkpoints do not use it");
  }

  ByteReader in_;
  PickleStack stack_;
  const PersistentLoad& persistent_load_;
  const Construct& construct_;
};

// A class with slots has two states: its dict and its slots; either may be None.
const Value* field_of(const Value* state, std::string_view name) {
  const auto* both = as<Tuple>(state);
  if (both == nullptr || both->items.size() != 2) return get(state, name);
  const auto* found = get(both->items[0], name);
  return found != nullptr ? found : get(both->items[1], name);
}

}  // namespace

const Value* get(const Value* dict, std::string_view key) {
  const auto* entries = as<Dict>(dict);
  if (entries == nullptr) return nullptr;
  for (auto entry = entries->entries.rbegin(); entry != entries->entries.rend(); ++entry)
    if (const auto* name = as<std::string>(entry->first); name != nullptr && *name == key)
      return entry->second;
  return nullptr;
}

const Value* attribute(const Value* object, std::string_view name) {
  const auto* instance = as<Object>(object);
  return instance == nullptr ? nullptr : field_of(instance->state, name);
}

Result<Unpickled> read_pickle(Bytes bytes, const PersistentLoad& persistent_load, const Construct& construct,
                              const PickleLimits& limits) {
  return Machine(bytes, persistent_load, construct, limits).run();
}

}  // namespace alcove::weights
