#include "api/tokens.h"

#include <fmt/format.h>

#include <fstream>

#include "api/http.h"
#include "base/sha256.h"

namespace alcove::api {

void Tokens::add(std::string_view token) {
  if (!token.empty()) digests_.push_back(sha256_hex(as_bytes(token)));
}

Result<void> Tokens::add_file(const std::filesystem::path& file) {
  std::ifstream lines(file);
  if (!lines)
    return fail(ErrorKind::NotFound,
                fmt::format("the token file {} cannot be read; check --token-file", file.string()));
  const auto before = digests_.size();
  for (std::string line; std::getline(lines, line);) {
    const auto token = trimmed(line);
    if (!token.starts_with('#')) add(token);
  }
  if (digests_.size() == before)
    return fail(ErrorKind::BadInput,
                fmt::format("the token file {} has no token; write one a line", file.string()));
  return {};
}

bool Tokens::admit(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() < kScheme.size() ||
      !equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme))
    return false;
  const auto presented = sha256_hex(as_bytes(trimmed(authorization.substr(kScheme.size()))));
  bool admitted = false;
  for (const auto& digest : digests_) admitted |= equal_in_constant_time(digest, presented);
  return admitted;
}

}  // namespace alcove::api
