#include "papers/chroma_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "net/url.h"

namespace alcove::papers {
namespace {

constexpr std::string_view kDefaultName = "openreview_papers";  // as the original finder named it
constexpr std::string_view kCollections =
    "/api/v2/tenants/default_tenant/databases/default_database/collections";
constexpr std::chrono::seconds kConnectPatience{2};
constexpr std::chrono::seconds kSearchPatience{5};  // somebody waits, and words alone would answer as well
constexpr std::size_t kPage = 1'000;                // records of one page of a list
constexpr std::size_t kMostRecords = 5'000'000;
constexpr std::size_t kNumbersAtOnce = 250'000;  // of vectors in one request: about 3 MB as text
constexpr std::size_t kNumbersInReply = 50'000;  // half of what parse_json takes

// What the graph is built and searched with. More than Chroma's own 100, 100 and 16: the aim is that 99 of
// 100 of the nearest ten are found (docs/decisions.md).
constexpr int kEfConstruction = 200, kEfSearch = 400, kNeighbours = 32;

std::string as_json(std::span<const float> vector) {
  std::string text = "[";
  for (const float value : vector) {
    if (text.size() > 1) text += ',';
    fmt::format_to(std::back_inserter(text), "{}", value);  // the shortest that reads back as the same
  }
  return text + ']';
}

std::unexpected<Error> strange(const ChromaAddress& address, std::string_view what) {
  return fail(ErrorKind::Unreadable,
              fmt::format("{} does not answer as a Chroma server does: {}", address.url, what));
}

bool is_id(const Json& id) {
  return id.is_string() && id.get_ref<const std::string&>().size() == 36 &&
         std::ranges::all_of(id.get_ref<const std::string&>(),
                             [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) || c == '-'; });
}

std::optional<float> finite(const Json& number) {
  if (!number.is_number()) return std::nullopt;
  const auto value = number.get<float>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// The first list of a reply that has one for each query.
const Json& of_first_query(const Json& reply, const char* name) {
  static const Json kNone;
  const auto& lists = member(reply, name);
  return lists.is_array() && lists.size() == 1 && lists.front().is_array() ? lists.front() : kNone;
}

Error refusal(const ChromaAddress& address, const net::Reply& reply) {
  const auto json = parse_json(reply.body);
  const auto& said = json ? member(*json, "message") : Json();
  const auto why = said.is_string() ? said.get<std::string>().substr(0, 200) : std::string();
  if (reply.status == 401 || reply.status == 403)
    return {ErrorKind::Unsupported,
            fmt::format("the Chroma server at {} wants another token ({}): set ALCOVE_STORE_TOKEN",
                        address.url, reply.status),
            {}};
  if (reply.status == 404)
    return {ErrorKind::NotFound, fmt::format("the Chroma server at {} says 404: {}", address.url, why), {}};
  return {reply.status >= 500 || reply.status == 429 ? ErrorKind::Unavailable : ErrorKind::Unsupported,
          fmt::format("the Chroma server at {} says {}: {}", address.url, reply.status, why),
          {}};
}

}  // namespace

Result<ChromaAddress> read_chroma_address(std::string_view text) {
  const auto wrong = [&] {
    return fail(
        ErrorKind::BadInput,
        fmt::format("{:?} is no store; one looks like chroma://localhost:8000, chroma+https://host, or "
                    "chroma://localhost:8000/name-of-a-collection",
                    net::shown(text)));
  };
  const auto scheme = text.substr(0, text.find("://"));
  if (scheme.size() == text.size() || (scheme != "chroma" && scheme != "chroma+https")) return wrong();
  auto rest = text.substr(scheme.size() + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto slash = std::min(rest.find('/'), rest.size());
  ChromaAddress address{
      .url = fmt::format("{}://{}", scheme == "chroma" ? "http" : "https", rest.substr(0, slash)),
      .collection = std::string(kDefaultName),
      .token = {}};
  if (slash < rest.size()) address.collection = rest.substr(slash + 1);
  const bool is_name =
      address.collection.size() >= 3 && address.collection.size() <= 512 &&
      std::ranges::all_of(address.collection, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
      });
  const auto origin = net::origin_of(address.url);
  if (!is_name || !origin) return wrong();
  // Chroma's own port, where none is named.
  if (scheme == "chroma" && rest.substr(0, slash).rfind(':') == std::string_view::npos)
    address.url += ":8000";
  return address;
}

// ---- a request

Result<std::string> ChromaCollection::ask(const char* method, const std::string& path, std::string body,
                                          std::chrono::milliseconds patience) const {
  net::Request request{.method = method,
                       .url = address_.url + path,
                       .limits = {.connect = kConnectPatience, .total = patience}};
  request.redirects = net::Redirects::Never;
  request.stop = stop_;
  if (!address_.token.empty()) {
    request.headers.push_back({"Authorization", "Bearer " + address_.token});
    request.headers.push_back({"X-Chroma-Token", address_.token});
  }
  if (!body.empty()) {
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = std::move(body);
  }
  auto reply = client_->send(request);
  if (!reply)
    return fail(ErrorKind::Unavailable,
                fmt::format("the Chroma server cannot be reached: {}", reply.error().message));
  if (reply->status / 100 != 2) return std::unexpected(refusal(address_, *reply));
  return std::move(reply->body);
}

std::string ChromaCollection::in_collection(std::string_view what) const {
  return fmt::format("{}/{}{}", kCollections, id_, what);
}

// ---- the collection

Result<ChromaCollection> ChromaCollection::open(const ChromaAddress& address, const std::string& model,
                                                std::stop_token stop) {
  ChromaCollection collection(address, std::make_shared<net::Client>());
  collection.stop_ = std::move(stop);
  TRY(collection.check_server());
  TRY(collection.find_or_make(model));
  return collection;
}

Result<void> ChromaCollection::check_server() const {
  const auto body = ask("GET", "/api/v2/heartbeat", {});
  if (!body && body.error().kind == ErrorKind::NotFound)
    return strange(address_, "it has no /api/v2; a server of version 0.6 or later is needed");
  if (!body) return std::unexpected(body.error());
  const auto json = parse_json(*body);
  if (!json || !member(*json, "nanosecond heartbeat").is_number())
    return strange(address_, "its heartbeat is none; is this another program's port?");
  return {};
}

Result<void> ChromaCollection::find_or_make(const std::string& model) {
  const auto path = fmt::format("{}/{}", kCollections, address_.collection);
  auto found = ask("GET", path, {});
  if (!found && found.error().kind != ErrorKind::NotFound) return std::unexpected(found.error());
  if (found) {
    const auto json = parse_json(*found);
    if (!json || !is_id(member(*json, "id"))) return strange(address_, "a collection without an id");
    const auto& metadata = member(*json, "metadata");
    if (member(metadata, "made_by") != "alcove")
      return fail(
          ErrorKind::Unsupported,
          fmt::format("the collection {} of the Chroma server at {} was not made by Alcove and is left "
                      "alone; name another one: --store chroma://HOST:PORT/NAME",
                      address_.collection, address_.url));
    id_ = member(*json, "id").get<std::string>();
    if (member(metadata, "model") == model) return {};
    TRY(ask("DELETE", path, {}));
  }
  const Json wanted{{"name", address_.collection},
                    {"metadata", {{"made_by", "alcove"}, {"model", model}}},
                    {"configuration",
                     {{"hnsw",
                       {{"space", "cosine"},
                        {"ef_construction", kEfConstruction},
                        {"ef_search", kEfSearch},
                        {"max_neighbors", kNeighbours}}}}},
                    {"get_or_create", false}};
  const auto made = TRY(ask("POST", std::string(kCollections), to_text(wanted)));
  const auto json = parse_json(made);
  if (!json || !is_id(member(*json, "id"))) return strange(address_, "a collection without an id");
  id_ = member(*json, "id").get<std::string>();
  return {};
}

// ---- records

Result<std::unordered_map<std::string, std::string>> ChromaCollection::list() const {
  std::unordered_map<std::string, std::string> records;
  for (std::size_t offset = 0; offset < kMostRecords; offset += kPage) {
    const Json asked{{"limit", kPage}, {"offset", offset}, {"include", {"metadatas"}}};
    const auto body = TRY(ask("POST", in_collection("/get"), to_text(asked)));
    const auto json = TRY(parse_json(body));
    const auto& ids = member(json, "ids");
    const auto& metadatas = member(json, "metadatas");
    if (!ids.is_array() || !metadatas.is_array() || ids.size() != metadatas.size() || ids.size() > kPage)
      return strange(address_, "a page of records of another shape");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto& made_of = member(metadatas[i], "made_of");
      if (!ids[i].is_string()) return strange(address_, "an id that is no text");
      records[ids[i].get<std::string>()] = made_of.is_string() ? made_of.get<std::string>() : "";
    }
    if (ids.size() < kPage) return records;
  }
  return strange(address_, "a collection without an end");
}

std::size_t ChromaCollection::most_at_once(std::size_t width) {
  return std::clamp<std::size_t>(kNumbersAtOnce / std::max<std::size_t>(1, width), 1, kPage);
}

Result<void> ChromaCollection::put(std::span<const ChromaRecord> records) const {
  auto ids = Json::array(), metadatas = Json::array();
  std::string vectors;
  for (const auto& record : records) {
    ids.push_back(record.id);
    metadatas.push_back({{"made_of", record.made_of}, {"title", record.title}});
    vectors += (vectors.empty() ? "" : ",") + as_json(record.vector);
  }
  TRY(ask("POST", in_collection("/upsert"),
          fmt::format(R"({{"ids":{},"metadatas":{},"embeddings":[{}]}})", to_text(ids), to_text(metadatas),
                      vectors)));
  return {};
}

Result<void> ChromaCollection::remove(std::span<const std::string> ids) const {
  for (; !ids.empty(); ids = ids.subspan(std::min(kPage, ids.size())))
    TRY(ask("POST", in_collection("/delete"),
            to_text({{"ids", std::vector(ids.begin(), ids.begin() + std::min(kPage, ids.size()))}})));
  return {};
}

Result<std::vector<ChromaNear>> ChromaCollection::nearest(std::span<const float> query, std::size_t limit,
                                                          const std::vector<std::string>* among) const {
  const auto body =
      TRY(ask("POST", in_collection("/query"),
              fmt::format(R"({{"query_embeddings":[{}],"n_results":{},"include":["distances"]{}}})",
                          as_json(query), limit, among == nullptr ? "" : ",\"ids\":" + to_text(Json(*among))),
              kSearchPatience));
  const auto json = TRY(parse_json(body));
  const auto& ids = of_first_query(json, "ids");
  const auto& distances = of_first_query(json, "distances");
  if (!ids.is_array() || !distances.is_array() || ids.size() != distances.size())
    return strange(address_, "nearest records of another shape");
  std::unordered_map<std::string, float> found;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto distance = finite(distances[i]);
    if (!ids[i].is_string() || !distance) return strange(address_, "a nearest record without a distance");
    found.emplace(ids[i].get<std::string>(), std::clamp(1 - *distance, -1.0F, 1.0F));
  }
  std::vector<ChromaNear> nearest;
  for (const auto& [id, cosine] : found) nearest.push_back({id, cosine});
  std::ranges::sort(nearest, [](const ChromaNear& a, const ChromaNear& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.id < b.id;
  });
  nearest.resize(std::min(nearest.size(), limit));
  return nearest;
}

Result<std::unordered_map<std::string, std::vector<float>>> ChromaCollection::vectors(
    std::span<const std::string> ids, std::size_t width) const {
  const auto at_once = std::max<std::size_t>(1, kNumbersInReply / std::max<std::size_t>(1, width));
  std::unordered_map<std::string, std::vector<float>> found;
  for (; !ids.empty(); ids = ids.subspan(std::min(at_once, ids.size()))) {
    const Json asked{{"ids", std::vector(ids.begin(), ids.begin() + std::min(at_once, ids.size()))},
                     {"include", {"embeddings"}}};
    const auto body = TRY(ask("POST", in_collection("/get"), to_text(asked), kSearchPatience));
    const auto json = TRY(parse_json(body));
    const auto& names = member(json, "ids");
    const auto& embeddings = member(json, "embeddings");
    if (!names.is_array() || !embeddings.is_array() || names.size() != embeddings.size())
      return strange(address_, "vectors of another shape");
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].is_string() || !embeddings[i].is_array() || embeddings[i].size() != width)
        return strange(address_, "a vector of another width");
      auto& vector = found[names[i].get<std::string>()];
      vector.clear();
      for (const auto& number : embeddings[i]) {
        const auto value = finite(number);
        if (!value) return strange(address_, "a vector with something that is no number");
        vector.push_back(*value);
      }
    }
  }
  return found;
}

}  // namespace alcove::papers
