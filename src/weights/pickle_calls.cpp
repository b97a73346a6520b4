#include "weights/pickle_calls.h"

#include "weights/globals.h"

namespace alcove::weights {
namespace {

using Arguments = std::span<const ValuePtr>;

const std::vector<ValuePtr>* pair_in(const Value* value) {
  const auto* list = as<List>(value);
  const auto* tuple = as<Tuple>(value);
  const auto* items = list != nullptr ? &list->items : tuple != nullptr ? &tuple->items : nullptr;
  return items != nullptr && items->size() == 2 ? items : nullptr;
}

// From a dict or a list of pairs; null makes an empty one.
Result<std::optional<Value>> make_dict(const Value* source, PickleStack& stack) {
  if (source == nullptr) return Value{Dict{}};
  if (const auto* other = as<Dict>(source)) {
    TRY(stack.charge(other->entries.size()));
    return Value{*other};
  }
  const auto* pairs = as<List>(source);
  if (pairs == nullptr) return damaged("a dict made from something unknown");
  TRY(stack.charge(pairs->items.size()));
  Dict dict;
  for (const auto* item : pairs->items) {
    const auto* pair = pair_in(item);
    if (pair == nullptr) return damaged("a dict made from something unknown");
    dict.entries.emplace_back((*pair)[0], (*pair)[1]);
  }
  return Value{std::move(dict)};
}

// `module.forward = module.forward_fuse`, as a fused Ultralytics network holds it: a method of a layer.
bool is_fused_forward(Arguments arguments) {
  const auto* layer = arguments.size() == 2 ? as<Object>(arguments[0]) : nullptr;
  const auto* method = arguments.size() == 2 ? as<std::string>(arguments[1]) : nullptr;
  return layer != nullptr && method != nullptr && layer->name.starts_with("ultralytics.nn.") &&
         *method == "forward_fuse";
}

// A method or inner class: named, as if by its full name.
Result<std::optional<Value>> name_member(Arguments arguments, PickleStack& stack) {
  if (is_fused_forward(arguments)) return std::nullopt;  // left inert; calling it is refused like any other
  const auto* owner = arguments.size() == 2 ? as<Global>(arguments[0]) : nullptr;
  const auto* member = arguments.size() == 2 ? as<std::string>(arguments[1]) : nullptr;
  if (owner == nullptr || member == nullptr)
    return unsafe("the pickle looks up an attribute of something it has computed, which no weights need");
  auto full = TRY(accept_name(owner->name, *member));
  TRY(stack.charge_text(full.size()));
  return Value{Global{std::move(full)}};
}

// Letters below 256, each a byte; nothing when there is another.
std::optional<std::string> latin1_of(std::string_view utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      bytes += utf8[i];
      continue;
    }
    if ((lead != 0xc2 && lead != 0xc3) || i + 1 == utf8.size()) return std::nullopt;
    bytes += static_cast<char>((lead & 0x03) << 6 | (utf8[++i] & 0x3f));
  }
  return bytes;
}

Result<std::optional<Value>> encode(Arguments arguments, PickleStack& stack) {
  const auto* letters = arguments.empty() ? nullptr : as<std::string>(arguments[0]);
  if (letters == nullptr) return damaged("bytes made from what is no text");
  TRY(stack.charge_text(letters->size()));
  auto bytes = latin1_of(*letters);
  if (!bytes) return damaged("bytes made from letters that are none");
  return Value{BytesValue{*std::move(bytes)}};
}

// The class, `skipped` − 1 arguments that only Python needs, and what the class would be made from.
Result<std::optional<Value>> make_of_class(Arguments arguments, std::size_t skipped, PickleStack& stack) {
  const auto* made = arguments.size() < skipped ? nullptr : as<Global>(arguments[0]);
  if (made == nullptr) return damaged("an object made of no class");
  TRY(stack.charge(arguments.size()));
  TRY(stack.charge_text(made->name.size()));
  const auto rest = arguments.subspan(skipped);
  return Value{
      Object{.name = made->name, .arguments = {rest.begin(), rest.end()}, .items = {}, .elements = {}}};
}

}  // namespace

Result<std::optional<Value>> call_python(std::string_view name, Arguments arguments, PickleStack& stack) {
  const auto argument = [&](std::size_t index) {
    return index < arguments.size() ? arguments[index] : nullptr;
  };
  if (name == "collections.OrderedDict" || name == "builtins.dict") return make_dict(argument(0), stack);
  if (name == "collections.defaultdict") return make_dict(argument(1), stack);
  if (name == "builtins.getattr") return name_member(arguments, stack);
  if (name == "_codecs.encode") return encode(arguments, stack);
  if (name == "copyreg._reconstructor") return make_of_class(arguments, 2, stack);
  if (name == "copyreg.__newobj__" || name == "copyreg.__newobj_ex__")
    return make_of_class(arguments, 1, stack);
  return std::nullopt;
}

}  // namespace alcove::weights
