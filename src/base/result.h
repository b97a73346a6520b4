#pragma once
// What every fallible call returns: a value, or an error with a kind for the caller and a sentence for a
// person.

#include <expected>
#include <string>
#include <utility>

namespace alcove {

// A kind exists only where some caller acts differently; the sentence carries the rest.
enum class ErrorKind {
  BadInput,     // the caller asked for something that makes no sense
  NotFound,     // what was named is not there
  TooLarge,     // over a stated limit
  Unreadable,   // bytes that are not what they claim to be
  Unsupported,  // understood, and refused on purpose
  Overloaded,   // full; try again in a moment
  Unavailable,  // not ready yet, or gone; try again later
  Internal,     // our own fault
};

struct Error {
  ErrorKind kind = ErrorKind::Internal;
  std::string message;  // one sentence for a person, with the way out in it
  std::string code;     // stable word for a program ("pdf_encrypted"); empty when the kind says it all
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string code = {}) {
  return std::unexpected(Error{kind, std::move(message), std::move(code)});
}

// The same error with `where: ` before its sentence, for adding the file or entry somebody has to look at.
inline std::unexpected<Error> fail_in(const std::string& where, Error error) {
  error.message = where + ": " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace alcove

// Hands an error up and keeps the good path at the margin: `auto x = TRY(parse(bytes));`, or `TRY(check(x));`
// for Result<void>. A GNU statement expression, which g++ and clang++ both have.
#define TRY(...)                                                              \
  __extension__({                                                             \
    auto try_result_ = (__VA_ARGS__);                                         \
    if (!try_result_) return std::unexpected(std::move(try_result_).error()); \
    ::alcove::detail::take(std::move(try_result_));                           \
  })

namespace alcove::detail {

template <class T>
T take(std::expected<T, Error>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace alcove::detail
