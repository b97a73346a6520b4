#pragma once
// Which files of a repository are wanted: patterns as the Hub's other clients take them.

#include <string>
#include <string_view>
#include <vector>

namespace alcove::hub {

// As Python's fnmatch: `*` and `?` match slashes too, `[a-c]` and `[!a-c]` are sets; a pattern that ends in a
// slash means everything below.
bool matches(std::string_view path, std::string_view pattern);

struct Patterns {
  std::vector<std::string> allow;   // empty: everything
  std::vector<std::string> ignore;  // taken away afterwards
  bool wants(std::string_view path) const;
};

}  // namespace alcove::hub
