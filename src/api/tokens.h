#pragma once
// The bearer tokens a server admits.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace alcove::api {

// Kept as digests, so that comparing takes the same time whatever is presented, its length included. Safe
// from any thread once made.
class Tokens {
 public:
  void add(std::string_view token);  // an empty one is none
  // One token a line; empty lines and those that start with # do not count. NotFound when the file cannot be
  // read, BadInput when it has no token: a server that was to be guarded must not stand open.
  Result<void> add_file(const std::filesystem::path& file);

  bool empty() const { return digests_.empty(); }  // nobody is asked
  // Whether an Authorization header carries one of them: `Bearer …`.
  bool admit(std::string_view authorization) const;

 private:
  std::vector<std::string> digests_;
};

}  // namespace alcove::api
