#pragma once
// Collections of records that other programs keep here, in one SQLite file: what Chroma's clients write.
// Tenants hold databases, databases hold collections, collections hold records.

#include <mutex>

#include "store/connection.h"
#include "store/records.h"

namespace alcove::store {

// What Chroma's clients take for granted; both are there from the start.
inline constexpr std::string_view kDefaultTenant = "default_tenant", kDefaultDatabase = "default_database";

struct Collection {
  std::int64_t number = 0;
  std::string id, name, tenant, database;
  Json metadata;       // an object, or null
  Json configuration;  // as its maker wrote it, defaults filled in
  Space space = Space::L2;
  std::size_t width = 0;  // of its vectors; 0 before the first
};

struct NamedDatabase {
  std::string id, name, tenant;
};

enum class Writing { Add, Update, Upsert };

// One record as somebody sends it: what is not set stays as it was. A key of the metadata whose value is null
// is taken out.
struct Change {
  std::string id;
  std::optional<std::vector<float>> embedding;
  std::optional<std::string> document, uri;
  Json metadata;
};

// Safe from any thread; calls take turns. Several processes may use one file.
class Collections {
 public:
  // Made when it is not there.
  static Result<std::shared_ptr<Collections>> open(const std::filesystem::path& file);

  // All there is, as one file without a log beside it; one that is there is replaced.
  Result<void> copy_to(const std::filesystem::path& file);

  // BadInput ("constraint") for a name that is taken, NotFound where the tenant or database is missing.
  Result<void> make_tenant(const std::string& name);
  Result<bool> has_tenant(const std::string& name);
  Result<void> make_database(const NamedDatabase& database);
  Result<std::vector<NamedDatabase>> databases(const std::string& tenant);
  Result<void> remove_database(const std::string& tenant, const std::string& name);

  Result<void> make(const Collection& collection);
  Result<std::vector<Collection>> list(const std::string& tenant, const std::string& database);
  Result<std::optional<Collection>> find(const std::string& id);
  Result<void> change(const Collection& collection);  // its name, metadata and configuration
  Result<void> remove(const Collection& collection);

  Result<std::int64_t> count(const Collection& collection);
  // All of it or nothing. BadInput for vectors of another width than the collection's.
  Result<void> write(const Collection& collection, Writing how, const std::vector<Change>& changes);
  Result<void> remove_records(const Collection& collection, const std::vector<std::string>& ids);
  std::unique_ptr<RecordSource> records(const Collection& collection);  // not longer than this

 private:
  class Source;
  explicit Collections(Connection connection) : connection_(std::move(connection)) {}
  Result<std::size_t> width_of(const Collection& collection, const std::vector<Change>& changes);
  Result<void> put(const Collection& collection, Writing how, const Change& change);
  Result<std::optional<Record>> read(std::int64_t collection, const std::string& id);

  std::mutex mutex_;
  Connection connection_;
};

}  // namespace alcove::store
