#include "sheets/number_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace alcove::sheets {
namespace {

bool is_digit(char each) { return each >= '0' && each <= '9'; }
bool is_letter(char each) { return each >= 'A' && each <= 'Z'; }

// Digits from the right, the check digit first.
std::vector<int> from_right(std::string_view number) {
  std::vector<int> digits;
  for (auto each = number.rbegin(); each != number.rend(); ++each) digits.push_back(*each - '0');
  return digits;
}

bool passes_luhn(const std::vector<int>& digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int value = i % 2 == 0 ? digits[i] : 2 * digits[i];
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 == 0;
}

bool passes_mod11(std::string_view number) {
  int sum = 0, weight = 1;
  for (auto each = number.rbegin(); each != number.rend(); ++each, ++weight)
    sum += weight * (*each == 'X' ? 10 : *each - '0');
  return sum % 11 == 0;
}

// Verhoeff, "Error detecting decimal codes", 1969: the dihedral group of order ten, and powers of one
// permutation.
bool passes_verhoeff(const std::vector<int>& digits) {
  constexpr std::array<int, 10> kPermutation{1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  const auto times = [](int a, int b) {
    if (a < 5) return b < 5 ? (a + b) % 5 : 5 + (a + b) % 5;
    return b < 5 ? 5 + (a - b) % 5 : (a - b + 5) % 5;
  };
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int value = digits[i];
    for (std::size_t power = 0; power < i % 8; ++power) value = kPermutation[static_cast<std::size_t>(value)];
    sum = times(sum, value);
  }
  return sum == 0;
}

}  // namespace

Result<CheckDigit> check_digit_named(std::string_view name) {
  if (name == "none") return CheckDigit::None;
  if (name == "luhn") return CheckDigit::Luhn;
  if (name == "mod11") return CheckDigit::Mod11;
  if (name == "verhoeff") return CheckDigit::Verhoeff;
  return fail(ErrorKind::BadInput,
              fmt::format("\"{}\" is no check digit: it is none, luhn, mod11 or verhoeff", name));
}

bool has_check_digit(std::string_view number, CheckDigit check) {
  if (check == CheckDigit::None) return true;
  auto digits = number;
  if (check == CheckDigit::Mod11 && digits.ends_with('X')) digits.remove_suffix(1);
  if (number.size() < 2 || !std::ranges::all_of(digits, is_digit)) return false;
  if (check == CheckDigit::Mod11) return passes_mod11(number);
  return check == CheckDigit::Luhn ? passes_luhn(from_right(number)) : passes_verhoeff(from_right(number));
}

bool has_shape(std::string_view number, std::string_view pattern) {
  return std::ranges::equal(number, pattern, [](char each, char wanted) {
    if (wanted == '#') return is_digit(each);
    if (wanted == '@') return is_letter(each);
    return wanted == '?' || each == wanted;
  });
}

std::vector<std::string> doubts_about(const Candidate& number, const NumberRules& rules) {
  const std::string_view text = number.value;
  if (text.empty()) return {"blank_register"};
  std::vector<std::string> doubts;
  if (rules.length > 0 && text.size() != static_cast<std::size_t>(rules.length))
    doubts.push_back(fmt::format("length_{}", text.size()));
  if (!rules.pattern.empty() && !has_shape(text, rules.pattern)) doubts.emplace_back("pattern");
  if (!has_check_digit(text, rules.check)) doubts.emplace_back("check_digit");
  if (std::ranges::any_of(number.symbols,
                          [&](const models::Symbol& each) { return each.confidence < rules.lowest_symbol; }))
    doubts.emplace_back("low_symbol");
  return doubts;
}

}  // namespace alcove::sheets
