#include "store/migrations.h"

#include <fmt/format.h>

#include "base/version.h"

namespace alcove::store {
namespace {

std::string in_dialect(std::string_view sql, Dialect dialect) {
  const bool sqlite = dialect == Dialect::Sqlite;
  const std::pair<std::string_view, std::string_view> words[] = {
      {"{blob}", sqlite ? "BLOB" : "BYTEA"},
      {"{id}",
       sqlite ? "INTEGER PRIMARY KEY AUTOINCREMENT" : "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"}};
  std::string text(sql);
  for (const auto& [word, meaning] : words)
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + meaning.size()))
      text.replace(at, word.size(), meaning);
  return text;
}

// How many of the steps were taken.
Result<std::size_t> version_of(Connection& connection, std::string_view name, std::size_t known) {
  const auto row =
      TRY(connection.first("SELECT version, written_by FROM alcove_schema WHERE name = $1", name));
  const auto version = row ? static_cast<std::size_t>(row->integer(0)) : 0;
  if (version <= known) return version;
  return fail(
      ErrorKind::Unsupported,
      fmt::format("the {} database has schema {}, written by alcove {}; this is alcove {}, which knows {}: "
                  "use the newer program, or restore an older backup",
                  name, version, row->text(1), kVersion, known),
      "newer_schema");
}

Result<bool> has_versions(Connection& connection) {
  const auto* sql = connection.dialect() == Dialect::Sqlite
                        ? "SELECT 1 FROM sqlite_master WHERE name = 'alcove_schema'"
                        : "SELECT 1 FROM pg_tables WHERE tablename = 'alcove_schema'";
  return TRY(connection.first(sql)).has_value();
}

Result<void> run_steps(Connection& connection, std::string_view name, std::span<const Migration> list) {
  // Others who start at the same moment wait here. SQLite's transaction has begun immediate already; any
  // number does for PostgreSQL, as long as it is ours alone.
  if (connection.dialect() == Dialect::Postgres)
    TRY(connection.query("SELECT pg_advisory_xact_lock(5124811)"));
  TRY(
      connection.script("CREATE TABLE IF NOT EXISTS alcove_schema ("
                        "name TEXT PRIMARY KEY, version BIGINT NOT NULL, written_by TEXT NOT NULL)"));
  const auto version = TRY(version_of(connection, name, list.size()));
  if (version == list.size()) return {};
  for (const auto& step : list.subspan(version))
    if (auto done = connection.script(in_dialect(step.sql, connection.dialect())); !done)
      return fail_in(fmt::format("schema step \"{}\"", step.title), done.error());
  TRY(
      connection.execute("INSERT INTO alcove_schema (name, version, written_by) VALUES ($1, $2, $3) "
                         "ON CONFLICT (name) DO UPDATE SET version = excluded.version, "
                         "written_by = excluded.written_by",
                         name, list.size(), kVersion));
  return {};
}

}  // namespace

Result<void> migrate(Connection& connection, std::string_view name, std::span<const Migration> list) {
  return connection.transaction([&] { return run_steps(connection, name, list); });
}

Result<std::size_t> steps_missing(Connection& connection, std::string_view name,
                                  std::span<const Migration> list) {
  if (!TRY(has_versions(connection))) return list.size();
  return list.size() - TRY(version_of(connection, name, list.size()));
}

}  // namespace alcove::store
