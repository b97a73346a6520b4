#include "store/collections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>

#include "store/migrations.h"

namespace alcove::store {
namespace {

constexpr std::array kSchema{
    Migration{"tenants, databases, collections and records", R"(
      CREATE TABLE tenants (name TEXT PRIMARY KEY) WITHOUT ROWID;
      CREATE TABLE databases (
        id TEXT NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (tenant, name)
      ) WITHOUT ROWID;
      INSERT INTO tenants VALUES ('default_tenant');
      INSERT INTO databases VALUES ('00000000-0000-0000-0000-000000000000', 'default_tenant', 'default_database');
      CREATE TABLE collections (
        number {id}, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, tenant TEXT NOT NULL, database TEXT NOT NULL,
        metadata TEXT NOT NULL, configuration TEXT NOT NULL, space BIGINT NOT NULL, width BIGINT NOT NULL,
        UNIQUE (tenant, database, name)
      );
      CREATE TABLE records (
        number {id}, collection BIGINT NOT NULL, id TEXT NOT NULL, embedding {blob} NOT NULL,
        document TEXT, metadata TEXT NOT NULL, uri TEXT, UNIQUE (collection, id)
      );
    )"},
};

constexpr std::string_view kCollection =
    "SELECT number, id, name, tenant, database, metadata, configuration, space, width FROM collections";

// Our own text; what a damaged file holds in its place is nothing.
Json json_in(const std::string& text) { return parse_json(text).value_or(Json()); }

Collection collection_of(const Row& row) {
  return {.number = row.integer(0),
          .id = row.text(1),
          .name = row.text(2),
          .tenant = row.text(3),
          .database = row.text(4),
          .metadata = json_in(row.text(5)),
          .configuration = json_in(row.text(6)),
          .space = static_cast<Space>(std::clamp<std::int64_t>(row.integer(7), 0, 2)),
          .width = static_cast<std::size_t>(row.integer(8))};
}

std::vector<float> floats_of(Bytes blob) {
  std::vector<float> values(blob.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), blob.data(), values.size() * sizeof(float));
  return values;
}

Bytes bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)};
}

// Columns 1 on are id, embedding, document, metadata, uri; those that were not asked for are null.
Record record_of(const Row& row) {
  return {.id = row.text(1),
          .embedding = floats_of(row.blob(2)),
          .document = row.text_or_none(3),
          .metadata = row.is_null(4) ? Json() : json_in(row.text(4)),
          .uri = row.text_or_none(5)};
}

std::string columns(Parts parts) {
  return fmt::format("number, id, {}, {}, {}, {}", parts.embedding ? "embedding" : "NULL",
                     parts.document ? "document" : "NULL", parts.metadata ? "metadata" : "NULL",
                     parts.uri ? "uri" : "NULL");
}

constexpr Parts kWhole{.embedding = true, .document = true, .metadata = true, .uri = true};

// Keys of `change` added or put over those of `old`; null is null again when nothing is left.
Json merged(Json old, const Json& change) {
  if (!change.is_object()) return old;
  if (!old.is_object()) old = Json::object();
  for (const auto& [key, value] : change.items()) {
    const bool gone = value.is_null() || (value.is_array() && value.empty());
    if (gone)
      old.erase(key);
    else
      old[key] = value;
  }
  return old.empty() ? Json() : old;
}

}  // namespace

Result<std::shared_ptr<Collections>> Collections::open(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::create_directories(file.parent_path(), ignored);
  auto connection = TRY(Connection::open(file.string()));
  TRY(migrate(connection, "collections", kSchema));
  return std::shared_ptr<Collections>(new Collections(std::move(connection)));
}

Result<void> Collections::copy_to(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);  // SQLite writes into no file that has something in it
  const std::lock_guard lock(mutex_);
  TRY(connection_.execute("VACUUM INTO $1", file.string()));
  return {};
}

Result<void> Collections::make_tenant(const std::string& name) {
  const std::lock_guard lock(mutex_);
  TRY(connection_.execute("INSERT INTO tenants (name) VALUES ($1)", name));
  return {};
}

Result<bool> Collections::has_tenant(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return TRY(connection_.first("SELECT 1 FROM tenants WHERE name = $1", name)).has_value();
}

Result<void> Collections::make_database(const NamedDatabase& database) {
  const std::lock_guard lock(mutex_);
  TRY(connection_.execute("INSERT INTO databases (id, tenant, name) VALUES ($1, $2, $3)", database.id,
                          database.tenant, database.name));
  return {};
}

Result<std::vector<NamedDatabase>> Collections::databases(const std::string& tenant) {
  const std::lock_guard lock(mutex_);
  std::vector<NamedDatabase> found;
  for (const auto& row :
       TRY(connection_.query("SELECT id, name FROM databases WHERE tenant = $1 ORDER BY name", tenant)))
    found.push_back({.id = row.text(0), .name = row.text(1), .tenant = tenant});
  return found;
}

Result<void> Collections::remove_database(const std::string& tenant, const std::string& name) {
  const std::lock_guard lock(mutex_);
  return connection_.transaction([&]() -> Result<void> {
    TRY(
        connection_.execute("DELETE FROM records WHERE collection IN (SELECT number FROM collections "
                            "WHERE tenant = $1 AND database = $2)",
                            tenant, name));
    TRY(connection_.execute("DELETE FROM collections WHERE tenant = $1 AND database = $2", tenant, name));
    TRY(connection_.execute("DELETE FROM databases WHERE tenant = $1 AND name = $2", tenant, name));
    return {};
  });
}

Result<void> Collections::make(const Collection& collection) {
  const std::lock_guard lock(mutex_);
  TRY(connection_.execute(
      "INSERT INTO collections (id, name, tenant, database, metadata, configuration, space, width) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
      collection.id, collection.name, collection.tenant, collection.database, to_text(collection.metadata),
      to_text(collection.configuration), static_cast<std::int64_t>(collection.space)));
  return {};
}

Result<std::vector<Collection>> Collections::list(const std::string& tenant, const std::string& database) {
  const std::lock_guard lock(mutex_);
  std::vector<Collection> found;
  for (const auto& row : TRY(connection_.query(
           fmt::format("{} WHERE tenant = $1 AND database = $2 ORDER BY number", kCollection), tenant,
           database)))
    found.push_back(collection_of(row));
  return found;
}

Result<std::optional<Collection>> Collections::find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto row = TRY(connection_.first(fmt::format("{} WHERE id = $1", kCollection), id));
  return row ? std::optional(collection_of(*row)) : std::nullopt;
}

Result<void> Collections::change(const Collection& collection) {
  const std::lock_guard lock(mutex_);
  TRY(connection_.execute(
      "UPDATE collections SET name = $2, metadata = $3, configuration = $4 WHERE number = $1",
      collection.number, collection.name, to_text(collection.metadata), to_text(collection.configuration)));
  return {};
}

Result<void> Collections::remove(const Collection& collection) {
  const std::lock_guard lock(mutex_);
  return connection_.transaction([&]() -> Result<void> {
    TRY(connection_.execute("DELETE FROM records WHERE collection = $1", collection.number));
    TRY(connection_.execute("DELETE FROM collections WHERE number = $1", collection.number));
    return {};
  });
}

Result<std::int64_t> Collections::count(const Collection& collection) {
  const std::lock_guard lock(mutex_);
  return TRY(connection_.query("SELECT count(*) FROM records WHERE collection = $1", collection.number))
      .front()
      .integer(0);
}

Result<void> Collections::write(const Collection& collection, Writing how,
                                const std::vector<Change>& changes) {
  const std::lock_guard lock(mutex_);
  return connection_.transaction([&]() -> Result<void> {
    const auto width = TRY(width_of(collection, changes));
    TRY(connection_.execute("UPDATE collections SET width = $2 WHERE number = $1", collection.number, width));
    for (const auto& change : changes) TRY(put(collection, how, change));
    return {};
  });
}

// The collection's, or what the first vector makes it.
Result<std::size_t> Collections::width_of(const Collection& collection, const std::vector<Change>& changes) {
  const auto row =
      TRY(connection_.first("SELECT width FROM collections WHERE number = $1", collection.number));
  if (!row) return fail(ErrorKind::NotFound, fmt::format("Collection [{}] does not exist", collection.name));
  auto width = static_cast<std::size_t>(row->integer(0));
  for (const auto& change : changes) {
    if (!change.embedding) continue;
    if (width == 0) width = change.embedding->size();
    if (change.embedding->size() != width)
      return fail(ErrorKind::BadInput,
                  fmt::format("Collection expecting embedding with dimension of {}, got {}", width,
                              change.embedding->size()));
  }
  return width;
}

Result<void> Collections::put(const Collection& collection, Writing how, const Change& change) {
  auto old = TRY(read(collection.number, change.id));
  if (old ? how == Writing::Add : how == Writing::Update) return {};
  Record record = old.value_or(Record{.id = change.id});
  if (change.embedding) record.embedding = *change.embedding;
  if (change.document) record.document = change.document;
  if (change.uri) record.uri = change.uri;
  record.metadata = merged(std::move(record.metadata), change.metadata);
  TRY(
      connection_.execute("INSERT INTO records (collection, id, embedding, document, metadata, uri) VALUES "
                          "($1, $2, $3, $4, $5, $6) "
                          "ON CONFLICT (collection, id) DO UPDATE SET embedding = excluded.embedding, "
                          "document = excluded.document, "
                          "metadata = excluded.metadata, uri = excluded.uri",
                          collection.number, record.id, bytes_of(record.embedding), record.document,
                          to_text(record.metadata), record.uri));
  return {};
}

Result<std::optional<Record>> Collections::read(std::int64_t collection, const std::string& id) {
  const auto row = TRY(connection_.first(
      fmt::format("SELECT {} FROM records WHERE collection = $1 AND id = $2", columns(kWhole)), collection,
      id));
  return row ? std::optional(record_of(*row)) : std::nullopt;
}

Result<void> Collections::remove_records(const Collection& collection, const std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  return connection_.transaction([&]() -> Result<void> {
    for (const auto& id : ids)
      TRY(connection_.execute("DELETE FROM records WHERE collection = $1 AND id = $2", collection.number,
                              id));
    return {};
  });
}

class Collections::Source final : public RecordSource {
 public:
  Source(Collections& collections, std::int64_t collection) : all_(collections), collection_(collection) {}

  Result<void> each(Parts parts, const std::vector<std::string>* ids, const Use& use) override {
    const std::lock_guard lock(all_.mutex_);
    return ids == nullptr ? every(parts, use) : named(parts, *ids, use);
  }

 private:
  Result<void> every(Parts parts, const Use& use) {
    bool wanted = true;
    const std::array parameters{Parameter(collection_)};
    TRY(all_.connection_.run(
        fmt::format("SELECT {} FROM records WHERE collection = $1 ORDER BY number", columns(parts)),
        parameters, [&](const Row& row) { wanted = wanted && use(record_of(row)); }));
    return {};
  }

  Result<void> named(Parts parts, const std::vector<std::string>& ids, const Use& use) {
    const auto sql = fmt::format("SELECT {} FROM records WHERE collection = $1 AND id = $2", columns(parts));
    std::map<std::int64_t, Record> found;  // in the order they were added
    for (const auto& id : std::set<std::string_view>(ids.begin(), ids.end()))
      if (const auto row = TRY(all_.connection_.first(sql, collection_, id)))
        found.emplace(row->integer(0), record_of(*row));
    for (auto& [number, record] : found)
      if (!use(std::move(record))) break;
    return {};
  }

  Collections& all_;
  std::int64_t collection_;
};

std::unique_ptr<RecordSource> Collections::records(const Collection& collection) {
  return std::make_unique<Source>(*this, collection.number);
}

}  // namespace alcove::store
