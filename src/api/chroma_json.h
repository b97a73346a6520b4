#pragma once
// Chroma's bodies and replies: what its clients send as values of our own, and back. The rules and the status
// of each refusal are those of its server, version 1.

#include <optional>
#include <string>
#include <vector>

#include "api/http.h"
#include "store/collections.h"

namespace alcove::api {

// BadInput is 400, Unreadable (a body of another shape) 422, a name that is taken 409: with `error`, the name
// by which the Python client raises, and `message`.
Reply chroma_error(const Error& error);
// A refusal of another part of the server in that shape.
Reply in_chromas_shape(Reply reply);

Result<Json> chroma_body(const Request& request);  // an object

Json collection_json(const store::Collection& collection);
// {"name", "metadata", "configuration"} without id, tenant and database.
Result<store::Collection> new_collection(const Json& body);
// {"new_name", "new_metadata", "new_configuration"} over what it is.
Result<store::Collection> changed_collection(store::Collection collection, const Json& body);

// {"ids", "embeddings", "documents", "metadatas", "uris"}
Result<std::vector<store::Change>> record_changes(const Json& body, store::Writing how);

struct Include {
  store::Parts parts;
  bool distances = false;
  Json words;
};
struct ChromaGet {
  store::GetRequest request;
  Include include;
};
struct ChromaQuery {
  store::QueryRequest request;
  Include include;
};
struct ChromaDelete {
  store::GetRequest request;  // what the filters and ids name
  bool by_ids_alone = false;
};
Result<ChromaGet> get_request(const Json& body);
Result<ChromaQuery> query_request(const Json& body, std::size_t width);
Result<ChromaDelete> delete_request(const Json& body);

Json get_json(const std::vector<store::Record>& records, const Include& include);
Json query_json(const std::vector<std::vector<store::Found>>& found, const Include& include);

}  // namespace alcove::api
