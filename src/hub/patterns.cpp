#include "hub/patterns.h"

#include <algorithm>

namespace alcove::hub {
namespace {

// The set that begins after `[`, and where it ends; nothing when it has no end and is a plain bracket.
struct Set {
  bool holds = false;
  std::size_t end = 0;  // index behind the closing bracket; 0: no set
};

Set read_set(std::string_view pattern, std::size_t at, char c) {
  const bool negated = at < pattern.size() && pattern[at] == '!';
  if (negated) ++at;
  bool found = false;
  for (std::size_t i = at; i < pattern.size(); ++i) {
    if (pattern[i] == ']' && i > at) return {found != negated, i + 1};
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      found = found || (pattern[i] <= c && c <= pattern[i + 2]);
      i += 2;
    } else {
      found = found || pattern[i] == c;
    }
  }
  return {};
}

bool one_matches(std::string_view pattern, std::size_t& at, char c) {
  if (pattern[at] == '[')
    if (const auto set = read_set(pattern, at + 1, c); set.end != 0) {
      at = set.end;
      return set.holds;
    }
  const bool same = pattern[at] == '?' || pattern[at] == c;
  ++at;
  return same;
}

// Goes back to the latest star alone, so hostile patterns cost length times length at most.
bool fits(std::string_view path, std::string_view pattern) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < path.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
      continue;
    }
    if (std::size_t next = p; p < pattern.size() && one_matches(pattern, next, path[t])) {
      p = next;
      ++t;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star + 1;
    t = ++resume;
  }
  return std::ranges::all_of(pattern.substr(p), [](char c) { return c == '*'; });
}

}  // namespace

bool matches(std::string_view path, std::string_view pattern) {
  return pattern.ends_with('/') ? fits(path, std::string(pattern) + "*") : fits(path, pattern);
}

bool Patterns::wants(std::string_view path) const {
  const auto hits = [&](const std::string& pattern) { return matches(path, pattern); };
  return (allow.empty() || std::ranges::any_of(allow, hits)) && std::ranges::none_of(ignore, hits);
}

}  // namespace alcove::hub
