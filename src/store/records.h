#pragma once
// Records of a collection, wherever they come from, and the two questions Chroma's clients ask of them.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "store/record_filter.h"

namespace alcove::store {

struct Record {
  std::string id;
  std::vector<float> embedding;
  std::optional<std::string> document;
  Json metadata;  // an object, or null
  std::optional<std::string> uri;
};

// What of a record is read, besides its id.
struct Parts {
  bool embedding = false, document = false, metadata = false, uri = false;
};

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // Every record, or those of `ids` that are there, each once, in the order they were added; false ends it.
  using Use = std::function<bool(Record record)>;
  virtual Result<void> each(Parts parts, const std::vector<std::string>* ids, const Use& use) = 0;
};

struct GetRequest {
  std::optional<std::vector<std::string>> ids;
  RecordFilter filter;
  std::size_t limit = SIZE_MAX, offset = 0;
  Parts include;
};
Result<std::vector<Record>> get_records(RecordSource& source, const GetRequest& request);

// All of them are smaller the nearer: squared length of the difference; 1 - cosine, 1 for a zero vector;
// 1 - dot product.
enum class Space { L2, Cosine, Ip };
std::optional<Space> space_named(std::string_view name);  // l2, cosine, ip
float distance(Space space, std::span<const float> a, std::span<const float> b);

struct QueryRequest {
  std::vector<std::vector<float>> vectors;  // of the collection's width
  std::size_t limit = 10;
  std::optional<std::vector<std::string>> ids;
  RecordFilter filter;
  Parts include;
};
struct Found {
  Record record;
  float distance = 0;
};
// For each vector the nearest records, nearest first, ties in the order they were added. Every record is
// compared. Records without an embedding are not found.
Result<std::vector<std::vector<Found>>> query_records(RecordSource& source, Space space,
                                                      const QueryRequest& request);

}  // namespace alcove::store
