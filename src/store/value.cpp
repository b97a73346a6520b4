#include "store/value.h"

namespace alcove::store {

std::int64_t Row::integer(std::size_t column) const {
  const auto* value = std::get_if<std::int64_t>(&values_[column]);
  return value == nullptr ? 0 : *value;
}

double Row::real(std::size_t column) const {
  if (const auto* value = std::get_if<double>(&values_[column])) return *value;
  return static_cast<double>(integer(column));
}

const std::string& Row::text(std::size_t column) const {
  static const std::string kNone;
  if (const auto* value = std::get_if<std::string>(&values_[column])) return *value;
  return kNone;
}

Bytes Row::blob(std::size_t column) const {
  if (const auto* value = std::get_if<Blob>(&values_[column])) return as_bytes(value->bytes);
  return {};
}

std::optional<std::string> Row::text_or_none(std::size_t column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

}  // namespace alcove::store
