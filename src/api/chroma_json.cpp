#include "api/chroma_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/base64.h"

namespace alcove::api {
namespace {

constexpr std::size_t kMostDimensions = 65'536;
constexpr std::size_t kShortestName = 3, kLongestName = 512;

struct Shape {
  int status;
  std::string_view name;
};

Shape shape_of(const Error& error) {
  if (error.code == store::kConstraint) return {409, "UniqueConstraintError"};
  switch (error.kind) {
    case ErrorKind::BadInput: return {400, "InvalidArgumentError"};
    case ErrorKind::Unreadable: return {422, "ChromaError"};
    case ErrorKind::NotFound: return {404, "NotFoundError"};
    case ErrorKind::TooLarge: return {413, "BatchSizeExceededError"};
    case ErrorKind::Overloaded: return {429, "RateLimitError"};
    case ErrorKind::Unavailable: return {503, "InternalError"};
    default: return {500, "InternalError"};
  }
}

std::unexpected<Error> wrong(std::string message) { return fail(ErrorKind::Unreadable, std::move(message)); }
std::unexpected<Error> bad(std::string message) { return fail(ErrorKind::BadInput, std::move(message)); }

bool is_scalar(const Json& value) { return value.is_string() || value.is_number() || value.is_boolean(); }

bool is_list_of_one_type(const Json& value) {
  const auto alike = [&](const Json& each) {
    return is_scalar(each) && each.is_string() == value.front().is_string() &&
           each.is_boolean() == value.front().is_boolean() &&
           each.is_number_float() == value.front().is_number_float();
  };
  return value.is_array() && std::ranges::all_of(value, alike);
}

// A float with as few digits as tell it from others, as its own server writes them.
Json number_json(float value) {
  if (!std::isfinite(value)) return nullptr;
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double shortest = 0;
  std::from_chars(text.data(), end, shortest);
  return shortest;
}

Json vector_json(const std::vector<float>& vector) {
  auto list = Json::array();
  for (const auto value : vector) list.push_back(number_json(value));
  return list;
}

Json text_json(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

Result<void> check_name(const std::string& name) {
  constexpr std::string_view kEnds = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const auto is_end = [&](char letter) { return kEnds.find(letter) != std::string_view::npos; };
  const auto is_inner = [&](char letter) {
    return is_end(letter) || letter == '.' || letter == '_' || letter == '-';
  };
  if (name.size() >= kShortestName && name.size() <= kLongestName && std::ranges::all_of(name, is_inner) &&
      is_end(name.front()) && is_end(name.back()))
    return {};
  return bad(
      fmt::format("Expected a name containing {}-{} characters from [a-zA-Z0-9._-], starting and ending "
                  "with a character in [a-zA-Z0-9]. Got: {}",
                  kShortestName, kLongestName, name));
}

Result<void> check_collection_metadata(const Json& metadata) {
  if (metadata.is_null()) return {};
  if (!metadata.is_object() || metadata.empty())
    return wrong("metadata of a collection is a map with entries");
  for (const auto& [key, value] : metadata.items())
    if (!is_scalar(value))
      return wrong(fmt::format("metadata {}: a text, a number, or true or false belongs here", key));
  return {};
}

// ---- configuration

struct Parameter {
  const char* name;
  const char* in_metadata;  // its older name there
  double otherwise;
};
constexpr std::array kParameters{Parameter{"ef_construction", "hnsw:construction_ef", 100},
                                 Parameter{"ef_search", "hnsw:search_ef", 100},
                                 Parameter{"max_neighbors", "hnsw:M", 16},
                                 Parameter{"resize_factor", "", 1.2}, Parameter{"sync_threshold", "", 1000}};

bool is_known_parameter(const std::string& key) {
  return key == "space" || key == "num_threads" || key == "batch_size" ||
         std::ranges::find(kParameters, key, &Parameter::name) != kParameters.end();
}

// Search here is exact: all of it but the space is kept for the clients alone.
Result<Json> full_configuration(const Json& given, const Json& metadata) {
  if (!given.is_null() && !given.is_object()) return wrong("`configuration` is a map");
  for (const auto& [key, value] : given.items())
    if (key != "hnsw" && key != "spann" && key != "embedding_function")
      return wrong(fmt::format("unknown key in configuration: {}", key));
  const auto& hnsw = member(given, "hnsw");
  for (const auto& [key, value] : hnsw.items())
    if (!hnsw.is_object() || !is_known_parameter(key))
      return wrong(fmt::format("unknown key in hnsw: {}", key));
  auto space = member(hnsw, "space");
  if (space.is_null()) space = member(metadata, "hnsw:space");
  if (space.is_null()) space = "l2";
  if (!space.is_string() || !store::space_named(space.get<std::string>()))
    return wrong("space is l2, cosine or ip");
  Json full{{"space", space}};
  for (const auto& [name, older, otherwise] : kParameters) {
    auto value = member(hnsw, name);
    if (value.is_null()) value = member(metadata, older);
    if (!value.is_null() && !value.is_number()) return wrong(fmt::format("{} is a number", name));
    const auto usual =
        otherwise == std::floor(otherwise) ? Json(static_cast<int>(otherwise)) : Json(otherwise);
    full[name] = value.is_null() ? usual : value;
  }
  return Json{{"hnsw", std::move(full)},
              {"spann", nullptr},
              {"embedding_function", member(given, "embedding_function")}};
}

// ---- records

Result<std::vector<float>> vector_of(const Json& given) {
  std::vector<float> vector;
  if (given.is_string()) {
    const auto bytes = TRY(decode_base64(given.get_ref<const std::string&>()));
    if (bytes.size() % sizeof(float) != 0) return bad("a base64 embedding is little-endian float32 numbers");
    static_assert(std::endian::native == std::endian::little);
    vector.resize(bytes.size() / sizeof(float));
    if (!vector.empty()) std::memcpy(vector.data(), bytes.data(), bytes.size());
  } else if (given.is_array()) {
    for (const auto& value : given) {
      if (!value.is_number()) return wrong("an embedding is a list of numbers");
      vector.push_back(value.get<float>());
    }
  } else {
    return wrong("an embedding is a list of numbers, or base64");
  }
  if (vector.empty() || vector.size() > kMostDimensions)
    return bad(fmt::format("an embedding has 1 to {} numbers", kMostDimensions));
  if (!std::ranges::all_of(vector, [](float value) { return std::isfinite(value); }))
    return bad("an embedding has a number that is not finite");
  return vector;
}

Result<std::vector<std::string>> texts_of(const Json& list, std::string_view name) {
  if (!list.is_array()) return wrong(fmt::format("`{}` is a list", name));
  std::vector<std::string> texts;
  for (const auto& text : list) {
    if (!text.is_string()) return wrong(fmt::format("`{}` has something that is no text", name));
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Result<void> check_metadata(const Json& metadata, store::Writing how) {
  if (metadata.is_null()) return {};
  if (!metadata.is_object()) return wrong("metadata is a map");
  for (const auto& [key, value] : metadata.items()) {
    if (key == "chroma:document") return bad("the key chroma:document stands for the document");
    const bool sparse = value.is_object() && member(value, "#type") == "sparse_vector";
    const bool taken_out = value.is_null() && how != store::Writing::Add;
    if (!is_scalar(value) && !is_list_of_one_type(value) && !sparse && !taken_out)
      return wrong(
          fmt::format("metadata {}: a text, a number, true or false, or a list of one of these belongs "
                      "here",
                      key));
  }
  return {};
}

// A list as long as that of ids, or null.
Result<Json> list_of(const Json& body, const char* name, std::size_t length) {
  const auto& list = member(body, name);
  if (list.is_null()) return list;
  if (!list.is_array()) return wrong(fmt::format("`{}` is a list", name));
  if (list.size() != length)
    return bad(fmt::format("Inconsistent number of {}: {} for {} ids", name, list.size(), length));
  return list;
}

Result<std::optional<std::string>> text_or_none(const Json& list, std::size_t at, const char* name) {
  if (list.is_null() || list[at].is_null()) return std::optional<std::string>();
  if (!list[at].is_string()) return wrong(fmt::format("`{}` has something that is no text", name));
  return std::optional(list[at].get<std::string>());
}

// ---- questions

Result<std::size_t> count_of(const Json& body, const char* name, std::size_t otherwise) {
  const auto& value = member(body, name);
  if (value.is_null()) return otherwise;
  if (!value.is_number_integer() || value < 0) return wrong(fmt::format("`{}` is a whole number", name));
  return value.get<std::size_t>();
}

Result<std::optional<std::vector<std::string>>> ids_or_none(const Json& body) {
  const auto& ids = member(body, "ids");
  if (ids.is_null()) return std::optional<std::vector<std::string>>();
  return std::optional(TRY(texts_of(ids, "ids")));
}

Result<Include> include_of(const Json& body, std::vector<std::string> usual) {
  const auto& given = member(body, "include");
  const auto words = given.is_null() ? std::move(usual) : TRY(texts_of(given, "include"));
  Include include{.parts = {}, .words = words};
  for (const auto& word : words) {
    if (word == "documents")
      include.parts.document = true;
    else if (word == "embeddings")
      include.parts.embedding = true;
    else if (word == "metadatas")
      include.parts.metadata = true;
    else if (word == "uris")
      include.parts.uri = true;
    else if (word == "distances")
      include.distances = true;
    else
      return wrong(fmt::format("`include` knows no {}", word));
  }
  return include;
}

struct Columns {
  Json ids = Json::array(), embeddings = Json::array(), documents = Json::array(), metadatas = Json::array(),
       uris = Json::array();

  void add(const store::Record& record, const Include& include) {
    ids.push_back(record.id);
    if (include.parts.embedding) embeddings.push_back(vector_json(record.embedding));
    if (include.parts.document) documents.push_back(text_json(record.document));
    if (include.parts.metadata) metadatas.push_back(record.metadata);
    if (include.parts.uri) uris.push_back(text_json(record.uri));
  }
};

}  // namespace

Reply chroma_error(const Error& error) {
  const auto [status, name] = shape_of(error);
  auto reply = json_reply(status, {{"error", name}, {"message", error.message}});
  reply.reason = error.code.empty() ? std::string(name) : error.code;
  return reply;
}

Reply in_chromas_shape(Reply reply) {
  const auto body = parse_json(reply.body).value_or(Json());
  const auto& detail = member(body, "detail");
  reply.body = to_text({{"error", reply.status == 401 || reply.status == 403 ? "AuthError" : "ChromaError"},
                        {"message", detail.is_string() ? detail : Json("refused")}});
  return reply;
}

Result<Json> chroma_body(const Request& request) {
  auto body = parse_json(request.body);
  if (!body) return bad(body.error().message);
  if (!body->is_object()) return wrong("the body is a JSON object");
  return body;
}

Json collection_json(const store::Collection& collection) {
  return {{"id", collection.id},
          {"name", collection.name},
          {"configuration_json", collection.configuration},
          {"schema", nullptr},
          {"metadata", collection.metadata},
          {"dimension", collection.width == 0 ? Json() : Json(collection.width)},
          {"tenant", collection.tenant},
          {"database", collection.database},
          {"log_position", 0},
          {"version", 0}};
}

Result<store::Collection> new_collection(const Json& body) {
  const auto& name = member(body, "name");
  if (!name.is_string()) return wrong("`name` is missing");
  store::Collection collection{.name = name.get<std::string>(), .metadata = member(body, "metadata")};
  TRY(check_name(collection.name));
  TRY(check_collection_metadata(collection.metadata));
  collection.configuration = TRY(full_configuration(member(body, "configuration"), collection.metadata));
  collection.space = *store::space_named(collection.configuration["hnsw"]["space"].get<std::string>());
  return collection;
}

Result<store::Collection> changed_collection(store::Collection collection, const Json& body) {
  if (const auto& name = member(body, "new_name"); name.is_string()) {
    collection.name = name.get<std::string>();
    TRY(check_name(collection.name));
  } else if (!name.is_null()) {
    return wrong("`new_name` is a text");
  }
  if (const auto& metadata = member(body, "new_metadata"); !metadata.is_null()) {
    if (metadata.is_object() && metadata.empty()) return bad("`new_metadata` is empty");
    TRY(check_collection_metadata(metadata));
    collection.metadata = metadata;
  }
  const auto& configuration = member(body, "new_configuration");
  const auto& hnsw = member(configuration, "hnsw");
  for (const auto& [key, value] : hnsw.items()) {
    if (value.is_null()) continue;
    if (!hnsw.is_object() || !is_known_parameter(key) || key == "space" || !value.is_number())
      return wrong(fmt::format("{} cannot be changed so", key));
    collection.configuration["hnsw"][key] = value;
  }
  if (const auto& function = member(configuration, "embedding_function"); !function.is_null())
    collection.configuration["embedding_function"] = function;
  return collection;
}

Result<std::vector<store::Change>> record_changes(const Json& body, store::Writing how) {
  const auto ids = TRY(texts_of(member(body, "ids"), "ids"));
  const auto embeddings = TRY(list_of(body, "embeddings", ids.size()));
  const auto documents = TRY(list_of(body, "documents", ids.size()));
  const auto metadatas = TRY(list_of(body, "metadatas", ids.size()));
  const auto uris = TRY(list_of(body, "uris", ids.size()));
  if (embeddings.is_null() && how != store::Writing::Update)
    return wrong("`embeddings` are missing: they are made by the client");
  std::vector<store::Change> changes;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i].empty()) return bad("an id is empty");
    store::Change change{.id = ids[i]};
    if (!embeddings.is_null() && (!embeddings[i].is_null() || how != store::Writing::Update))
      change.embedding = TRY(vector_of(embeddings[i]));
    change.document = TRY(text_or_none(documents, i, "documents"));
    change.uri = TRY(text_or_none(uris, i, "uris"));
    if (!metadatas.is_null()) change.metadata = metadatas[i];
    TRY(check_metadata(change.metadata, how));
    changes.push_back(std::move(change));
  }
  return changes;
}

Result<ChromaGet> get_request(const Json& body) {
  ChromaGet get{.include = TRY(include_of(body, {"documents", "metadatas"}))};
  get.request.ids = TRY(ids_or_none(body));
  get.request.filter = TRY(store::RecordFilter::parse(member(body, "where"), member(body, "where_document")));
  get.request.limit = TRY(count_of(body, "limit", SIZE_MAX));
  get.request.offset = TRY(count_of(body, "offset", 0));
  get.request.include = get.include.parts;
  return get;
}

Result<ChromaQuery> query_request(const Json& body, std::size_t width) {
  ChromaQuery query{.request = {.vectors = {}, .ids = {}},
                    .include = TRY(include_of(body, {"documents", "metadatas", "distances"}))};
  const auto& vectors = member(body, "query_embeddings");
  if (!vectors.is_array()) return wrong("`query_embeddings` is a list of lists of numbers");
  for (const auto& vector : vectors) {
    if (!vector.is_array()) return wrong("`query_embeddings` is a list of lists of numbers");
    query.request.vectors.push_back(TRY(vector_of(vector)));
    if (const auto got = query.request.vectors.back().size(); width != 0 && got != width)
      return bad(fmt::format("Collection expecting embedding with dimension of {}, got {}", width, got));
  }
  query.request.ids = TRY(ids_or_none(body));
  query.request.filter =
      TRY(store::RecordFilter::parse(member(body, "where"), member(body, "where_document")));
  query.request.limit = TRY(count_of(body, "n_results", 10));
  query.request.include = query.include.parts;
  return query;
}

Result<ChromaDelete> delete_request(const Json& body) {
  ChromaDelete all{.request = {.ids = TRY(ids_or_none(body))}};
  auto& request = all.request;
  request.filter = TRY(store::RecordFilter::parse(member(body, "where"), member(body, "where_document")));
  request.limit = TRY(count_of(body, "limit", SIZE_MAX));
  all.by_ids_alone = request.filter.is_everything();
  if (all.by_ids_alone && !member(body, "limit").is_null()) return bad("`limit` goes with a filter");
  if (all.by_ids_alone && request.ids && request.ids->empty()) return bad("`ids` is empty");
  return all;
}

Json get_json(const std::vector<store::Record>& records, const Include& include) {
  Columns columns;
  for (const auto& record : records) columns.add(record, include);
  const auto& [embedding, document, metadata, uri] = include.parts;
  return {{"ids", std::move(columns.ids)},
          {"embeddings", embedding ? std::move(columns.embeddings) : Json()},
          {"documents", document ? std::move(columns.documents) : Json()},
          {"metadatas", metadata ? std::move(columns.metadatas) : Json()},
          {"uris", uri ? std::move(columns.uris) : Json()},
          {"include", include.words}};
}

Json query_json(const std::vector<std::vector<store::Found>>& found, const Include& include) {
  auto ids = Json::array(), embeddings = Json::array(), documents = Json::array(), metadatas = Json::array(),
       uris = Json::array(), distances = Json::array();
  for (const auto& list : found) {
    Columns columns;
    auto far = Json::array();
    for (const auto& [record, distance] : list) {
      columns.add(record, include);
      far.push_back(number_json(distance));
    }
    ids.push_back(std::move(columns.ids));
    embeddings.push_back(std::move(columns.embeddings));
    documents.push_back(std::move(columns.documents));
    metadatas.push_back(std::move(columns.metadatas));
    uris.push_back(std::move(columns.uris));
    distances.push_back(std::move(far));
  }
  const auto& [embedding, document, metadata, uri] = include.parts;
  return {{"ids", std::move(ids)},
          {"embeddings", embedding ? std::move(embeddings) : Json()},
          {"documents", document ? std::move(documents) : Json()},
          {"metadatas", metadata ? std::move(metadatas) : Json()},
          {"uris", uri ? std::move(uris) : Json()},
          {"distances", include.distances ? std::move(distances) : Json()},
          {"include", include.words}};
}

}  // namespace alcove::api
