#include "text/characters.h"

#include <algorithm>
#include <iterator>

namespace alcove::text {
namespace {

struct Range {  // holds until the next one begins
  char32_t first;
  std::uint8_t value;
};

struct Mapping {
  char32_t from;
  char32_t to[4];  // zeros behind the last
};

#include "text/character_tables.inc"

std::uint8_t value_at(std::span<const Range> ranges, char32_t character) {
  return std::prev(std::ranges::upper_bound(ranges, character, {}, &Range::first))->value;
}

std::span<const char32_t> mapped(std::span<const Mapping> mappings, char32_t character) {
  const auto found = std::ranges::lower_bound(mappings, character, {}, &Mapping::from);
  if (found == mappings.end() || found->from != character) return {};
  return {found->to, static_cast<std::size_t>(std::ranges::find(found->to, U'\0') - found->to)};
}

}  // namespace

std::uint8_t class_of(char32_t character) { return value_at(kClasses, character); }
std::uint8_t order_of(char32_t character) { return value_at(kOrders, character); }
std::span<const char32_t> decomposition_of(char32_t character) { return mapped(kDecompositions, character); }
std::span<const char32_t> lower_case_of(char32_t character) { return mapped(kLowerCase, character); }

}  // namespace alcove::text
