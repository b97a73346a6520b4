#pragma once
// What goes into a statement and what comes out of it.

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace alcove::store {

// One parameter; text and bytes are borrowed for the length of the call. Text is what std::string and
// literals are, a blob is what comes as Bytes.
class Parameter {
 public:
  using Held = std::variant<std::nullptr_t, std::int64_t, double, std::string_view, Bytes>;

  Parameter(std::nullptr_t) : held_(nullptr) {}
  template <std::integral T>
  Parameter(T value) : held_(static_cast<std::int64_t>(value)) {}
  template <std::floating_point T>
  Parameter(T value) : held_(static_cast<double>(value)) {}
  Parameter(std::string_view text) : held_(text) {}
  Parameter(const std::string& text) : held_(std::string_view(text)) {}
  Parameter(const char* text) : held_(std::string_view(text)) {}
  Parameter(Bytes blob) : held_(blob) {}
  template <class T>
  Parameter(const std::optional<T>& value) : Parameter(value ? Parameter(*value) : Parameter(nullptr)) {}

  const Held& held() const { return held_; }

 private:
  Held held_;
};

struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};

// One column of a row.
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string, Blob>;

// Columns by position, from 0. Asked for as another type than it has, a column is 0, or empty text or bytes,
// as NULL is: SQLite lets a damaged or foreign file hold anything anywhere. A whole number is a real one too.
class Row {
 public:
  Row() = default;
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}

  std::size_t size() const { return values_.size(); }
  bool is_null(std::size_t column) const { return std::holds_alternative<std::nullptr_t>(values_[column]); }
  bool is_blob(std::size_t column) const { return std::holds_alternative<Blob>(values_[column]); }
  std::int64_t integer(std::size_t column) const;
  double real(std::size_t column) const;
  const std::string& text(std::size_t column) const;
  Bytes blob(std::size_t column) const;
  std::optional<std::string> text_or_none(std::size_t column) const;

 private:
  std::vector<Value> values_;
};

}  // namespace alcove::store
