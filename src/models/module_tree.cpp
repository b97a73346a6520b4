#include "models/module_tree.h"

#include <fmt/format.h>

namespace alcove::models {

using weights::Value;

std::optional<Module> Module::from(const Value* value, std::string path) {
  if (weights::as<weights::Object>(value) == nullptr) return std::nullopt;
  if (weights::as<weights::Dict>(weights::attribute(value, "_modules")) == nullptr) return std::nullopt;
  return Module(value, std::move(path));
}

std::string_view Module::class_name() const { return weights::as<weights::Object>(value_)->name; }

std::string_view Module::kind() const {
  const auto name = class_name();
  return name.substr(name.rfind('.') + 1);
}

std::string_view Module::origin() const { return class_name().substr(0, class_name().find('.')); }

std::optional<Module> Module::find_child(std::string_view name) const {
  const auto* child = weights::get(weights::attribute(value_, "_modules"), name);
  return from(child, path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name));
}

Result<Module> Module::child(std::string_view name) const {
  auto found = find_child(name);
  if (!found) return damaged(fmt::format("has no part '{}'", name));
  return *std::move(found);
}

Result<std::vector<Module>> Module::children() const {
  const auto* modules = weights::as<weights::Dict>(weights::attribute(value_, "_modules"));
  std::vector<Module> children;
  for (const auto& [key, value] : modules->entries) {
    const auto* name = weights::as<std::string>(key);
    auto found = name == nullptr ? std::nullopt : from(value, path_.empty() ? *name : path_ + "." + *name);
    if (!found) return damaged("has a part that is not a module");
    children.push_back(*std::move(found));
  }
  return children;
}

const weights::Tensor* Module::find_tensor(std::string_view name) const {
  for (const auto* where : {"_parameters", "_buffers"})
    if (const auto* found = weights::as<weights::Tensor>(weights::get(attribute(where), name))) return found;
  return nullptr;
}

Result<const weights::Tensor*> Module::tensor(std::string_view name) const {
  const auto* found = find_tensor(name);
  if (found == nullptr) return damaged(fmt::format("has no tensor '{}'", name));
  return found;
}

const Value* Module::attribute(std::string_view name) const { return weights::attribute(value_, name); }

Result<std::int64_t> Module::integer(std::string_view name, std::int64_t least, std::int64_t most) const {
  const auto values = TRY(integers(name, least, most, 1));
  return values.front();
}

Result<double> Module::number(std::string_view name) const {
  const auto* value = attribute(name);
  if (const auto* real = weights::as<double>(value)) return *real;
  if (const auto* whole = weights::as<std::int64_t>(value)) return static_cast<double>(*whole);
  return damaged(fmt::format("has no number '{}'", name));
}

Result<bool> Module::flag(std::string_view name) const {
  const auto* value = weights::as<bool>(attribute(name));
  if (value == nullptr) return damaged(fmt::format("does not say whether '{}'", name));
  return *value;
}

Result<std::vector<std::int64_t>> Module::integers(std::string_view name, std::int64_t least,
                                                   std::int64_t most, std::size_t count) const {
  const auto* value = attribute(name);
  std::vector<const Value*> items{value};
  if (const auto* tuple = weights::as<weights::Tuple>(value))
    items.assign(tuple->items.begin(), tuple->items.end());
  if (const auto* list = weights::as<weights::List>(value))
    items.assign(list->items.begin(), list->items.end());
  if (items.empty() || items.size() > count)
    return damaged(fmt::format("has {} values for '{}', not 1 to {}", items.size(), name, count));
  std::vector<std::int64_t> values;
  for (const auto* item : items) {
    const auto* number = weights::as<std::int64_t>(item);
    if (number == nullptr || *number < least || *number > most)
      return damaged(fmt::format("needs whole numbers from {} to {} for '{}'", least, most, name));
    values.push_back(*number);
  }
  return values;
}

std::unexpected<Error> Module::damaged(std::string_view what) const {
  return fail(
      ErrorKind::Unreadable,
      fmt::format("layer {} ({}) {}; the file is damaged, or written by a version that changed this layer",
                  path_, kind(), what));
}

std::unexpected<Error> Module::unsupported(std::string_view what) const {
  return fail(ErrorKind::Unsupported, fmt::format("layer {} ({}) {}", path_, class_name(), what));
}

}  // namespace alcove::models
