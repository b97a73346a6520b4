// PostgreSQL behind Connection. Parameters and results are binary: bytes stay bytes, and numbers are exact.

#include <fmt/format.h>
#include <libpq-fe.h>

#include <bit>
#include <map>

#include "store/backends.h"

namespace alcove::store {
namespace {

// The numbers of the types in PostgreSQL's catalogue (pg_type.dat), which never change.
enum : Oid {
  kAny = 0,
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kFloat4 = 700,
  kFloat8 = 701,
  kVarchar = 1043,
  kVoid = 2278
};

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Server = std::unique_ptr<PGconn, Finish>;
using Answer = std::unique_ptr<PGresult, Clear>;

std::string sentence(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (auto& letter : text)
    if (letter == '\n') letter = ' ';
  return text;
}

std::unexpected<Error> unreachable(PGconn* server) {
  return fail(ErrorKind::Unavailable,
              fmt::format("the database server cannot be reached: {}; check DATABASE_URL",
                          sentence(PQerrorMessage(server))),
              std::string(kUnreachable));
}

// By SQLSTATE, of which the first two letters are the class (PostgreSQL's appendix A).
std::unexpected<Error> failed(PGconn* server, const PGresult* result) {
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  // An error without a state is libpq's own: the connection broke.
  if (field == nullptr || PQstatus(server) != CONNECTION_OK) return unreachable(server);
  const std::string_view state = field;
  const auto text = fmt::format("PostgreSQL: {}", sentence(PQresultErrorMessage(result)));
  if (state.starts_with("23")) return fail(ErrorKind::BadInput, text, std::string(kConstraint));
  if (state == "53100" || state == "53200") return fail(ErrorKind::Unavailable, text, std::string(kDiskFull));
  if (state == "25006" || state == "42501") return fail(ErrorKind::Unavailable, text, std::string(kReadOnly));
  // Serialization, deadlock, lock and statement time-outs, too many connections.
  if (state.starts_with("40") || state == "55P03" || state == "57014" || state == "53300")
    return fail(ErrorKind::Overloaded, text, std::string(kBusy));
  if (state.starts_with("57") || state.starts_with("08"))
    return fail(ErrorKind::Unavailable, text, std::string(kUnreachable));
  if (state.starts_with("XX")) return fail(ErrorKind::Unreadable, text, std::string(kDamaged));
  if (state.starts_with("22")) return fail(ErrorKind::BadInput, text);
  return fail(ErrorKind::Internal, text);
}

// Parameters as libpq wants them: arrays beside each other.
struct Packed {
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<std::array<char, 8>> numbers;

  explicit Packed(Connection::Parameters parameters) {
    numbers.reserve(parameters.size());  // values point into it
    for (const auto& parameter : parameters)
      std::visit([this](const auto& held) { add(held); }, parameter.held());
  }

 private:
  void add(std::nullptr_t) { add(kAny, nullptr, 0); }
  void add(std::int64_t value) { add_number(kInt8, static_cast<std::uint64_t>(value)); }
  void add(double value) { add_number(kFloat8, std::bit_cast<std::uint64_t>(value)); }
  void add(std::string_view text) { add(kText, text.data() ? text.data() : "", text.size()); }
  void add(Bytes blob) {
    add(kBytea, blob.data() ? reinterpret_cast<const char*>(blob.data()) : "", blob.size());
  }
  void add_number(Oid type, std::uint64_t bits) {
    auto& bytes = numbers.emplace_back();
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bits >> (56 - 8 * i));
    add(type, bytes.data(), bytes.size());
  }
  void add(Oid type, const char* value, std::size_t length) {
    types.push_back(type);
    values.push_back(value);
    lengths.push_back(static_cast<int>(length));
  }
};

template <class T>
Result<T> number(Bytes bytes) {
  return ByteReader(bytes).big_endian<T>();
}

Result<Value> column(const PGresult* result, int row, int at) {
  if (PQgetisnull(result, row, at)) return Value(nullptr);
  const Bytes bytes{reinterpret_cast<const std::uint8_t*>(PQgetvalue(result, row, at)),
                    static_cast<std::size_t>(PQgetlength(result, row, at))};
  switch (PQftype(result, at)) {
    case kInt8: return Value(static_cast<std::int64_t>(TRY(number<std::uint64_t>(bytes))));
    case kInt4:
      return Value(static_cast<std::int64_t>(static_cast<std::int32_t>(TRY(number<std::uint32_t>(bytes)))));
    case kInt2:
      return Value(static_cast<std::int64_t>(static_cast<std::int16_t>(TRY(number<std::uint16_t>(bytes)))));
    case kBool: return Value(static_cast<std::int64_t>(TRY(number<std::uint8_t>(bytes))));
    case kFloat8: return Value(std::bit_cast<double>(TRY(number<std::uint64_t>(bytes))));
    case kFloat4: return Value(static_cast<double>(std::bit_cast<float>(TRY(number<std::uint32_t>(bytes)))));
    case kBytea: return Value(Blob{std::string(as_text(bytes))});
    case kText:
    case kVarchar: return Value(std::string(as_text(bytes)));
    case kVoid: return Value(nullptr);
    default:
      return fail(ErrorKind::Internal,
                  fmt::format("column {} has a type that is not read: cast it to BIGINT, DOUBLE "
                              "PRECISION or TEXT",
                              PQfname(result, at)));
  }
}

class Postgres final : public Connection::Backend {
 public:
  explicit Postgres(Server server) : server_(std::move(server)) {}

  Dialect dialect() const override { return Dialect::Postgres; }

  Result<std::int64_t> run(std::string_view sql, Connection::Parameters parameters,
                           const Connection::EachRow& each) override {
    TRY(reach());
    const Packed packed(parameters);
    const auto name = TRY(prepared(sql, packed.types));
    const std::vector<int> binary(packed.values.size(), 1);
    if (!PQsendQueryPrepared(server_.get(), name.c_str(), static_cast<int>(packed.values.size()),
                             packed.values.data(), packed.lengths.data(), binary.data(), 1))
      return unreachable(server_.get());
    // Rows come one at a time, so that a large result never lies here twice.
    PQsetSingleRowMode(server_.get());
    Result<std::int64_t> changed = 0;
    while (const Answer answer{PQgetResult(server_.get())}) {
      if (!changed) continue;  // what is left of the answer has to be read
      changed = take(answer.get(), each, *changed);
    }
    return changed;
  }

  Result<void> script(const std::string& sql) override {
    TRY(reach());
    const Answer answer(PQexec(server_.get(), sql.c_str()));
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return failed(server_.get(), answer.get());
    // COMMIT of a transaction that failed half-way is answered with "ROLLBACK" and no error.
    if (sql == "COMMIT" && std::string_view(PQcmdStatus(answer.get())) == "ROLLBACK")
      return fail(ErrorKind::Internal, "PostgreSQL undid a transaction in which a statement had failed");
    return {};
  }

 private:
  // Connects again if the server went away; a transaction that was open is lost with its connection, and its
  // next statement must not run outside it.
  Result<void> reach() {
    const bool lost = PQstatus(server_.get()) != CONNECTION_OK;
    const bool was_inside = in_transaction_;
    if (!lost) {
      in_transaction_ = PQtransactionStatus(server_.get()) != PQTRANS_IDLE;
      return {};
    }
    in_transaction_ = false;
    if (was_inside) return unreachable(server_.get());
    statements_.clear();
    PQreset(server_.get());
    if (PQstatus(server_.get()) != CONNECTION_OK) return unreachable(server_.get());
    return {};
  }

  Result<std::int64_t> take(const PGresult* answer, const Connection::EachRow& each, std::int64_t changed) {
    switch (PQresultStatus(answer)) {
      case PGRES_SINGLE_TUPLE: {
        if (!each) return changed;
        std::vector<Value> values;
        for (int i = 0; i < PQnfields(answer); ++i) values.push_back(TRY(column(answer, 0, i)));
        each(Row(std::move(values)));
        return changed;
      }
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK: {
        const std::string_view status = PQcmdStatus(const_cast<PGresult*>(answer));
        if (status.starts_with("SELECT")) return changed;
        const std::string_view rows = PQcmdTuples(const_cast<PGresult*>(answer));
        return rows.empty() ? changed : std::stoll(std::string(rows));
      }
      default: return failed(server_.get(), answer);
    }
  }

  // By text and types: NULL has none, and the server infers it.
  Result<std::string> prepared(std::string_view sql, const std::vector<Oid>& types) {
    auto key = fmt::format("{} {}", fmt::join(types, ","), sql);
    if (const auto found = statements_.find(key); found != statements_.end()) return found->second;
    if (statements_.size() >= kMostStatements) {
      TRY(script("DEALLOCATE ALL"));
      statements_.clear();
    }
    auto name = fmt::format("s{}", ++made_);
    const Answer answer(PQprepare(server_.get(), name.c_str(), std::string(sql).c_str(),
                                  static_cast<int>(types.size()), types.data()));
    if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) return failed(server_.get(), answer.get());
    return statements_.emplace(std::move(key), std::move(name)).first->second;
  }

  Server server_;
  std::map<std::string, std::string> statements_;  // to the name the server knows
  std::size_t made_ = 0;
  bool in_transaction_ = false;
};

}  // namespace

Result<std::unique_ptr<Connection::Backend>> open_postgres(const std::string& url,
                                                           const ConnectionOptions& options) {
  const auto seconds = std::to_string(std::max<long>(2, options.patience.count() / 1000));
  const auto settings = fmt::format("-c lock_timeout={} -c default_transaction_read_only={}",
                                    options.patience.count(), options.read_only ? "on" : "off");
  const std::pair<const char*, const char*> words[] = {
      {"dbname", url.c_str()},      {"fallback_application_name", "alcove"},
      {"client_encoding", "UTF8"},  {"connect_timeout", seconds.c_str()},
      {"keepalives_idle", "20"},    {"tcp_user_timeout", "30000"},
      {"options", settings.c_str()}};
  std::vector<const char*> names, values;
  for (const auto& [name, value] : words) {
    names.push_back(name);
    values.push_back(value);
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  Server server(PQconnectdbParams(names.data(), values.data(), 1));
  if (server == nullptr || PQstatus(server.get()) != CONNECTION_OK) return unreachable(server.get());
  if (PQserverVersion(server.get()) < 150000)
    return fail(ErrorKind::Unsupported,
                fmt::format("the database server is PostgreSQL {}; 15 or newer is needed",
                            PQserverVersion(server.get()) / 10000));
  // Its notices ("relation exists, skipping") would go to standard error.
  PQsetNoticeReceiver(server.get(), [](void*, const PGresult*) {}, nullptr);
  return std::make_unique<Postgres>(std::move(server));
}

}  // namespace alcove::store
