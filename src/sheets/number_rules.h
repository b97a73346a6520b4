#pragma once
// What can be said of a register number when there is no class list: its length, its shape, its check digit,
// and the symbol that was read worst.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sheets/reader.h"

namespace alcove::sheets {

enum class CheckDigit { None, Luhn, Mod11, Verhoeff };
Result<CheckDigit> check_digit_named(std::string_view name);  // none, luhn, mod11, verhoeff

struct NumberRules {
  int length = 0;       // symbols; 0: any
  std::string pattern;  // # a digit, @ a letter, ? either, anything else itself: "2122########"; empty: any
  CheckDigit check = CheckDigit::None;
  float lowest_symbol = 0.9F;  // below: doubtful; docs/roster.md says what that catches
};

// Mod11 is that of ISBN-10: weights from 2 at the right of the check digit, ten written X.
bool has_check_digit(std::string_view number, CheckDigit check);
bool has_shape(std::string_view number, std::string_view pattern);

// Reasons, empty when nothing speaks against the number: `blank_register`, `length_N`, `pattern`,
// `check_digit`, `low_symbol`. A number without symbols (text from elsewhere) is judged by its text alone.
std::vector<std::string> doubts_about(const Candidate& number, const NumberRules& rules);

}  // namespace alcove::sheets
