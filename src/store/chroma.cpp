#include "store/chroma.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "store/connection.h"

namespace alcove::store {
namespace {

constexpr std::int64_t kMostDimensions = 65'536;

// Integers in new files, eight bytes, most significant first, in old ones.
std::int64_t sequence(const Row& row, std::size_t column) {
  if (row.is_null(column)) return -1;
  if (!row.is_blob(column)) return row.integer(column);
  std::int64_t value = 0;
  for (const auto byte : row.blob(column)) value = value << 8 | byte;
  return value;
}

class Reader {
 public:
  Reader(Connection& connection, ChromaCollection& collection)
      : connection_(connection), collection_(collection) {}

  Result<void> read(const std::string& name) {
    TRY(find_collection(name));
    TRY(find_segments());
    TRY(read_records());
    return read_log();
  }

 private:
  Result<void> find_collection(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& row : TRY(connection_.query("SELECT id, name FROM collections ORDER BY name"))) {
      names.push_back(row.text(1));
      if (!name.empty() && row.text(1) != name) continue;
      id_ = row.text(0);
      collection_.name = row.text(1);
    }
    if (names.empty()) return fail(ErrorKind::NotFound, "the Chroma folder holds no collection");
    if (id_.empty() || (name.empty() && names.size() > 1))
      return fail(ErrorKind::NotFound,
                  fmt::format("which collection? The Chroma folder holds {}; name one with --collection",
                              fmt::join(names, ", ")));
    collection_.space = TRY(space());
    return {};
  }

  // Newer files have it in a schema, those of 1.0 in the configuration, older ones in the metadata, which
  // wins there.
  Result<std::string> space() {
    const auto metadata = TRY(connection_.first(
        "SELECT str_value FROM collection_metadata WHERE collection_id = $1 AND key = 'hnsw:space'", id_));
    if (metadata && !metadata->text(0).empty()) return metadata->text(0);
    for (const auto* column : {"schema_str", "config_json_str"}) {
      const auto row =
          connection_.first(fmt::format("SELECT {} FROM collections WHERE id = $1", column), id_);
      if (!row || !*row || (*row)->is_null(0)) continue;  // older files lack the column
      const auto& text = (*row)->text(0);
      for (const auto* known : {"cosine", "ip"})
        if (text.find(fmt::format("\"space\":\"{}\"", known)) != std::string::npos ||
            text.find(fmt::format("\"space\": \"{}\"", known)) != std::string::npos)
          return known;
    }
    return "l2";
  }

  Result<void> find_segments() {
    for (const auto& row :
         TRY(connection_.query("SELECT id, scope FROM segments WHERE collection = $1", id_)))
      (row.text(1) == "VECTOR" ? collection_.vector_segment : metadata_segment_) = row.text(0);
    if (metadata_segment_.empty())
      return fail(ErrorKind::Unreadable, "the Chroma collection has no records' segment");
    return {};
  }

  Result<void> read_records() {
    std::int64_t last = -1;
    TRY(
        connection_.run("SELECT e.id, e.embedding_id, m.key, m.string_value, m.int_value, m.float_value"
                        " FROM embeddings e LEFT JOIN embedding_metadata m ON m.id = e.id"
                        " WHERE e.segment_id = $1 ORDER BY e.id",
                        std::array{Parameter(metadata_segment_)}, [&](const Row& row) {
                          if (row.integer(0) != last) collection_.records.push_back({.id = row.text(1)});
                          last = row.integer(0);
                          if (!row.is_null(2)) put(collection_.records.back(), row);
                        }));
    return {};
  }

  static void put(ChromaRecord& record, const Row& row) {
    const auto value = !row.is_null(3)   ? row.text(3)
                       : !row.is_null(4) ? std::to_string(row.integer(4))
                       : !row.is_null(5) ? fmt::format("{}", row.real(5))
                                         : "";
    if (row.text(2) == "chroma:document")
      record.document = value;
    else
      record.metadata[row.text(2)] = value;
  }

  // Rows at or below the position the vector files have reached may still be there.
  Result<void> read_log() {
    std::int64_t applied = -1;
    if (const auto row = TRY(connection_.first("SELECT seq_id FROM max_seq_id WHERE segment_id = $1",
                                               collection_.vector_segment)))
      applied = sequence(*row, 0);
    TRY(connection_.run(
        "SELECT seq_id, operation, id, vector, encoding, topic FROM embeddings_queue ORDER BY seq_id", {},
        [&](const Row& row) {
          if (sequence(row, 0) <= applied || !row.text(5).ends_with(id_)) return;
          collection_.writes.push_back(
              {static_cast<ChromaWrite::Kind>(row.integer(1) & 3), row.text(2), vector_of(row)});
        }));
    return {};
  }

  static std::optional<std::vector<float>> vector_of(const Row& row) {
    if (row.is_null(3)) return std::nullopt;
    const auto bytes = row.blob(3);
    if (bytes.size() % 4 != 0 || bytes.size() / 4 > kMostDimensions) return std::nullopt;
    std::vector<float> vector(bytes.size() / 4);
    if (row.text(4) == "INT32") {
      std::vector<std::int32_t> whole(vector.size());
      std::memcpy(whole.data(), bytes.data(), bytes.size());
      for (std::size_t i = 0; i < whole.size(); ++i) vector[i] = static_cast<float>(whole[i]);
    } else {
      std::memcpy(vector.data(), bytes.data(), bytes.size());
    }
    return vector;
  }

  Connection& connection_;
  ChromaCollection& collection_;
  std::string id_;
  std::string metadata_segment_;
};

}  // namespace

Result<ChromaCollection> read_chroma(const std::filesystem::path& folder, const std::string& name) {
  const auto file = folder / "chroma.sqlite3";
  std::error_code unreadable;
  if (!std::filesystem::exists(file, unreadable))
    return fail(ErrorKind::NotFound,
                fmt::format("{} is no Chroma folder: it has no chroma.sqlite3", folder.string()));
  auto connection = TRY(Connection::open(file.string(), {.read_only = true}));
  ChromaCollection collection;
  auto read = Reader(connection, collection).read(name);
  if (!read && read.error().kind == ErrorKind::Internal)
    return fail(ErrorKind::Unreadable,
                fmt::format("{} is not laid out as Chroma's are: {}", file.string(), read.error().message));
  if (!read) return std::unexpected(std::move(read).error());
  return collection;
}

}  // namespace alcove::store
