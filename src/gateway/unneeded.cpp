#include "gateway/unneeded.h"

#include <fmt/format.h>

#include <chrono>
#include <vector>

namespace alcove::gateway {
namespace {

constexpr std::chrono::hours kOnItsWay{1};

Result<bool> is_needed(store::Connection& connection, const std::string& sha256) {
  static const auto kNeeded = fmt::format("{} AND sha256 = $1 LIMIT 1", kNeededFiles);
  return TRY(connection.first(kNeeded, sha256)).has_value();
}

}  // namespace

Result<bool> drop_if_unneeded(store::Connection& connection, const FileStore& files,
                              const std::string& sha256) {
  // PostgreSQL: whoever enters a sheet of these bytes waits for this row, or this waits for them.
  TRY(connection.execute("UPDATE files SET sha256 = sha256 WHERE sha256 = $1", sha256));
  if (TRY(is_needed(connection, sha256))) return false;
  TRY(connection.execute("DELETE FROM files WHERE sha256 = $1", sha256));
  files.remove(sha256);
  return true;
}

Result<void> drop_unneeded(store::Connection& connection, const FileStore& files) {
  auto there = files.older_than(kOnItsWay);
  for (const auto& row : TRY(connection.query("SELECT sha256 FROM files"))) there.push_back(row.text(0));
  for (const auto& sha256 : there) {
    if (TRY(is_needed(connection, sha256))) continue;  // nearly all are: nothing is locked for those
    TRY(connection.transaction([&] { return drop_if_unneeded(connection, files, sha256); }));
  }
  return {};
}

}  // namespace alcove::gateway
