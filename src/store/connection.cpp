#include "store/connection.h"

#include "store/backends.h"

namespace alcove::store {

bool is_postgres(std::string_view address) {
  return address.starts_with("postgres://") || address.starts_with("postgresql://");
}

std::string without_password(std::string_view address) {
  std::string shown(address);
  if (!is_postgres(address)) return shown;
  // What follows `?` may carry a password too.
  shown.resize(std::min(shown.size(), shown.find('?')));
  const auto host = shown.find('@');
  const auto user = shown.find("//") + 2;
  const auto colon = shown.find(':', user);
  if (host != std::string::npos && colon < host) shown.erase(colon, host - colon);
  return shown;
}

Result<Connection> Connection::open(const std::string& address, const ConnectionOptions& options) {
  return Connection(
      TRY(is_postgres(address) ? open_postgres(address, options) : open_sqlite(address, options)));
}

Connection::Connection(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Dialect Connection::dialect() const { return backend_->dialect(); }

Result<std::vector<Row>> Connection::rows(std::string_view sql, Parameters parameters) {
  std::vector<Row> found;
  TRY(backend_->run(sql, parameters, [&](Row row) { found.push_back(std::move(row)); }));
  return found;
}

Result<std::int64_t> Connection::run(std::string_view sql, Parameters parameters, const EachRow& each) {
  return backend_->run(sql, parameters, each);
}

Result<void> Connection::script(const std::string& sql) { return backend_->script(sql); }

Result<void> Connection::begin() {
  return backend_->script(dialect() == Dialect::Sqlite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Result<void> Connection::commit() {
  auto committed = backend_->script("COMMIT");
  if (!committed) undo();
  return committed;
}

// The error that led here is what the caller hears; a transaction that cannot even be undone ends with the
// connection.
void Connection::undo() { (void)backend_->script("ROLLBACK"); }

Result<void> Connection::copy_to(const std::filesystem::path& file) {
  if (dialect() != Dialect::Sqlite)
    return fail(ErrorKind::Unsupported, "a PostgreSQL database is copied with pg_dump, not by alcove");
  // Reads one state of the database, whatever is written meanwhile.
  TRY(execute("VACUUM INTO $1", file.string()));
  return {};
}

}  // namespace alcove::store
