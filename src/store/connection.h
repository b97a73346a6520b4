#pragma once
// One connection to a database: SQLite in a file, or a PostgreSQL server. Home of sqlite3 and libpq.
//
// The SQL is the same for both. Parameters are written $1, $2, …; types are BIGINT, DOUBLE PRECISION, TEXT
// and, in migrations, {blob} and {id} (migrations.h). A statement's text is its key in a cache of prepared
// statements, so values go in as parameters, never into the text.

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/value.h"

namespace alcove::store {

enum class Dialect { Sqlite, Postgres };

// Codes of the errors a caller may act upon; the rest is Internal, and our own mistake.
inline constexpr std::string_view kConstraint = "constraint";  // a row that may not be: it is there already
inline constexpr std::string_view kBusy = "database_busy";     // others held it for too long; try again
inline constexpr std::string_view kDiskFull = "disk_full";     // of the database, or of its quota
inline constexpr std::string_view kReadOnly = "database_read_only";  // may not be written, or not be opened
inline constexpr std::string_view kUnreachable = "database_unreachable";  // no server there, or it went away
inline constexpr std::string_view kDamaged = "database_damaged";          // not a database, or no longer one

struct ConnectionOptions {
  // SQLite: no other process may open this file so until this connection goes; who holds it is named. Without
  // meaning for PostgreSQL, which is there to be shared.
  bool exclusive = false;
  bool read_only = false;                    // the database has to exist
  std::chrono::milliseconds patience{5000};  // for a lock that others hold, and for reaching a server
};

bool is_postgres(std::string_view address);              // "postgres://…", "postgresql://…"
std::string without_password(std::string_view address);  // for people and logs

// Used by one thread at a time. No exception of a library leaves it, and a failed statement leaves it usable;
// a server that went away is tried again with the next statement outside a transaction.
class Connection {
 public:
  // `address` is a path, whose folder must exist, or a URL as libpq takes it. A new SQLite file belongs to
  // its owner alone (0600), is kept in WAL mode and synced at each commit.
  static Result<Connection> open(const std::string& address, const ConnectionOptions& options = {});

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  Dialect dialect() const;

  // Rows, all of them.
  template <class... P>
  Result<std::vector<Row>> query(std::string_view sql, const P&... parameters) {
    return rows(sql, std::array<Parameter, sizeof...(P)>{Parameter(parameters)...});
  }
  // The first row, if there is one.
  template <class... P>
  Result<std::optional<Row>> first(std::string_view sql, const P&... parameters) {
    auto found = TRY(query(sql, parameters...));
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
  }
  // How many rows were written.
  template <class... P>
  Result<std::int64_t> execute(std::string_view sql, const P&... parameters) {
    return run(sql, std::array<Parameter, sizeof...(P)>{Parameter(parameters)...}, {});
  }

  using Parameters = std::span<const Parameter>;
  using EachRow = std::function<void(Row)>;
  Result<std::vector<Row>> rows(std::string_view sql, Parameters parameters);
  // Row by row, for what should not lie in memory twice. `each` must not use the connection; may be empty.
  Result<std::int64_t> run(std::string_view sql, Parameters parameters, const EachRow& each);
  // Statements with semicolons between, without parameters or rows.
  Result<void> script(const std::string& sql);

  // All of `work`, or nothing of it: committed when it gives a value, undone when it gives an error. Begins
  // immediate, so that a lock is waited for at the start and not met half-way. Not to be nested.
  template <class Work>
  auto transaction(Work&& work) -> decltype(work()) {
    TRY(begin());
    auto done = work();
    if (!done) {
      undo();
      return done;
    }
    TRY(commit());
    return done;
  }

  // A copy of the whole database as it is at this moment, in a new file, while others write on. SQLite alone.
  Result<void> copy_to(const std::filesystem::path& file);

  // What a database library has to be able to do for us; one implementation each.
  class Backend {
   public:
    virtual ~Backend() = default;
    virtual Dialect dialect() const = 0;
    virtual Result<std::int64_t> run(std::string_view sql, Parameters parameters, const EachRow& each) = 0;
    virtual Result<void> script(const std::string& sql) = 0;
  };

 private:
  explicit Connection(std::unique_ptr<Backend> backend);
  Result<void> begin();
  Result<void> commit();
  void undo();

  std::unique_ptr<Backend> backend_;
};

}  // namespace alcove::store
