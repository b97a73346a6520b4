// SQLite behind Connection.

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "store/backends.h"

namespace alcove::store {
namespace {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

// A lock that goes with its process, however that ends. SQLite's own exclusive mode would also keep out the
// other connections of this process, and a backup.
class FileLock {
 public:
  static Result<FileLock> take(const std::string& database) {
    const auto path = database + ".lock";
    FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock.file_ < 0)
      return fail(
          ErrorKind::Unavailable,
          fmt::format("{} cannot be written: {}; give this user its folder", path, std::strerror(errno)),
          std::string(kReadOnly));
    if (::flock(lock.file_, LOCK_EX | LOCK_NB) != 0) {
      char holder[16] = {};
      const auto length = ::pread(lock.file_, holder, sizeof(holder) - 1, 0);
      return fail(
          ErrorKind::Unavailable,
          fmt::format("{} is in use by another alcove{}; stop that one, or give this one a folder of its own",
                      database, length > 0 ? fmt::format(" (process {})", holder) : ""),
          "database_in_use");
    }
    const auto us = std::to_string(::getpid());
    // Who holds it is a courtesy to the next one: a full disk must not refuse the lock.
    if (::ftruncate(lock.file_, 0) == 0 && ::pwrite(lock.file_, us.data(), us.size(), 0) < 0) return lock;
    return lock;
  }
  FileLock() = default;
  FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~FileLock() {
    if (file_ >= 0) ::close(file_);
  }

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_ = -1;
};

std::unexpected<Error> failed(sqlite3* database, const std::string& path) {
  const int code = sqlite3_extended_errcode(database);
  const auto text = fmt::format("{}: {}", path, sqlite3_errmsg(database));
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return fail(ErrorKind::BadInput, text, std::string(kConstraint));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(ErrorKind::Overloaded, fmt::format("{}; try again in a moment", text), std::string(kBusy));
    case SQLITE_FULL:
    case SQLITE_IOERR:  // a disk that fails and one that is full look alike when the log is written
      return fail(ErrorKind::Unavailable, fmt::format("{}; make room on its disk", text),
                  std::string(kDiskFull));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return fail(ErrorKind::Unavailable,
                  fmt::format("{}; check that this user may write it and its folder", text),
                  std::string(kReadOnly));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(ErrorKind::Unreadable, fmt::format("{}; restore a backup", text), std::string(kDamaged));
    case SQLITE_TOOBIG: return fail(ErrorKind::TooLarge, text);
    default: return fail(ErrorKind::Internal, text);
  }
}

int bind(sqlite3_stmt* statement, int at, const Parameter& parameter) {
  struct Bind {
    sqlite3_stmt* statement;
    int at;
    int operator()(std::nullptr_t) const { return sqlite3_bind_null(statement, at); }
    int operator()(std::int64_t value) const { return sqlite3_bind_int64(statement, at, value); }
    int operator()(double value) const { return sqlite3_bind_double(statement, at, value); }
    int operator()(std::string_view text) const {
      // Null would be NULL.
      return sqlite3_bind_text64(statement, at, text.data() ? text.data() : "", text.size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    }
    int operator()(Bytes blob) const {
      const void* data = blob.data() != nullptr ? static_cast<const void*>(blob.data()) : "";
      return sqlite3_bind_blob64(statement, at, data, blob.size(), SQLITE_STATIC);
    }
  };
  return std::visit(Bind{statement, at}, parameter.held());
}

Value column(sqlite3_stmt* statement, int at) {
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(statement, at)); };
  switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER: return sqlite3_column_int64(statement, at);
    case SQLITE_FLOAT: return sqlite3_column_double(statement, at);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, at));
      return std::string(text, size());
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, at));
      return Blob{bytes == nullptr ? std::string() : std::string(bytes, size())};
    }
    default: return nullptr;
  }
}

class Sqlite final : public Connection::Backend {
 public:
  Sqlite(std::string path, Database database, FileLock lock)
      : path_(std::move(path)), lock_(std::move(lock)), database_(std::move(database)) {}

  Dialect dialect() const override { return Dialect::Sqlite; }

  Result<std::int64_t> run(std::string_view sql, Connection::Parameters parameters,
                           const Connection::EachRow& each) override {
    auto* statement = TRY(prepared(sql));
    // Whatever happens, the statement lets go of its locks and of the caller's parameters.
    struct Reset {
      sqlite3_stmt* statement;
      ~Reset() {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
      }
    } reset{statement};
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      // $2 is a name to SQLite; its place follows from where it stands in the text.
      const int at = sqlite3_bind_parameter_index(statement, fmt::format("${}", i + 1).c_str());
      if (at == 0) continue;
      if (bind(statement, at, parameters[i]) != SQLITE_OK) return failed(database_.get(), path_);
    }
    const auto before = sqlite3_total_changes64(database_.get());
    int step = SQLITE_ROW;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
      if (!each) continue;
      std::vector<Value> values(static_cast<std::size_t>(sqlite3_column_count(statement)));
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = column(statement, static_cast<int>(i));
      each(Row(std::move(values)));
    }
    if (step != SQLITE_DONE) return failed(database_.get(), path_);
    return sqlite3_total_changes64(database_.get()) == before ? 0 : sqlite3_changes64(database_.get());
  }

  Result<void> script(const std::string& sql) override {
    if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      return failed(database_.get(), path_);
    return {};
  }

 private:
  Result<sqlite3_stmt*> prepared(std::string_view sql) {
    if (const auto found = statements_.find(sql); found != statements_.end()) return found->second.get();
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &made, nullptr) != SQLITE_OK)
      return failed(database_.get(), path_);
    if (made == nullptr) return fail(ErrorKind::Internal, "a statement without words");
    if (statements_.size() >= kMostStatements) statements_.clear();
    return statements_.emplace(std::string(sql), Statement(made)).first->second.get();
  }

  const std::string path_;
  FileLock lock_;
  Database database_;
  std::map<std::string, Statement, std::less<>> statements_;  // last: they go before the database
};

// SQLite makes files that all may read, and gives its log and index the permissions of the database.
// One that is there is not opened here: closing it would take this process's locks off it, those of its other
// connections too (POSIX), and another process would think itself alone with the file.
Result<void> make_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) {
    ::close(file);
    return {};
  }
  if (errno == EEXIST && ::access(path.c_str(), R_OK | W_OK) == 0) return {};
  return fail(errno == ENOSPC ? ErrorKind::Unavailable : ErrorKind::BadInput,
              fmt::format("the database {} cannot be opened: {}", path, std::strerror(errno)),
              std::string(errno == ENOSPC ? kDiskFull : kReadOnly));
}

}  // namespace

Result<std::unique_ptr<Connection::Backend>> open_sqlite(const std::string& path,
                                                         const ConnectionOptions& options) {
  FileLock lock;
  if (options.exclusive) lock = TRY(FileLock::take(path));
  if (!options.read_only) TRY(make_private(path));
  sqlite3* handle = nullptr;
  const int mode = options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  const int opened = sqlite3_open_v2(path.c_str(), &handle, mode, nullptr);
  Database database(handle);
  if (opened != SQLITE_OK) {
    if (handle == nullptr) return fail(ErrorKind::Unavailable, "no memory for a database");
    return failed(handle, path);
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, static_cast<int>(options.patience.count()));
  auto backend = std::make_unique<Sqlite>(path, std::move(database), std::move(lock));
  TRY(backend->script("PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON"));
  // FULL: a commit that was answered survives a loss of power, and not only the end of the process.
  if (!options.read_only) TRY(backend->script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  return backend;
}

}  // namespace alcove::store
