#include "api/chroma.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ranges>

#include "api/chroma_papers.h"
#include "gateway/clock.h"

namespace alcove::api {
namespace {

constexpr std::string_view kRoot = "/api/v2";
constexpr std::string_view kInDatabase = "/api/v2/tenants/{tenant}/databases/{database}";
constexpr std::size_t kBatch = 5'461;  // records, that clients send at once; as Chroma's own server says
// The papers' collection is the same on every server.
constexpr std::string_view kPapersId = "0a1c07e0-0000-4000-8000-000000000001";

std::string under_database(std::string_view rest) { return fmt::format("{}{}", kInDatabase, rest); }

// What stood for the `{…}` of a route: of TENANT/databases/DATABASE/collections/COLLECTION those in capitals.
std::array<std::string, 3> parameters(const Request& request) {
  std::vector<std::string> parts;
  for (const auto part : std::views::split(request.parameter, '/'))
    parts.emplace_back(part.begin(), part.end());
  const auto at = [&](std::size_t place) { return place < parts.size() ? parts[place] : std::string(); };
  return {at(0), at(2), parts.size() < 4 ? std::string() : parts.back()};
}

Result<std::string> name_in(const Json& body) {
  const auto& name = member(body, "name");
  if (!name.is_string()) return fail(ErrorKind::Unreadable, "`name` is missing");
  auto text = name.get<std::string>();
  if (text.size() < 3 || text.size() > 512 || text.find('/') != std::string::npos)
    return fail(ErrorKind::BadInput, "a name has 3 to 512 characters, without a slash");
  return text;
}

std::unexpected<Error> missing(std::string_view what, std::string_view name) {
  return fail(ErrorKind::NotFound, fmt::format("{} [{}] does not exist", what, name));
}

Result<Reply> nothing(int status = 200) { return json_reply(status, Json::object()); }

Json database_json(const store::NamedDatabase& database) {
  return {{"id", database.id}, {"name", database.name}, {"tenant", database.tenant}};
}

std::size_t number_in(const Request& request, std::string_view name, std::size_t otherwise) {
  const auto text = form_value(request.query, name);
  return text && !text->empty() ? std::strtoull(text->c_str(), nullptr, 10) : otherwise;
}

// The part of a list that `limit` and `offset` ask for.
template <class T, class Shape>
Json page(const Request& request, const std::vector<T>& all, Shape shape) {
  auto list = Json::array();
  for (const auto& each : all | std::views::drop(std::min(number_in(request, "offset", 0), all.size())) |
                              std::views::take(std::min(number_in(request, "limit", all.size()), all.size())))
    list.push_back(shape(each));
  return list;
}

Reply said(Json json) { return json_reply(200, json); }

}  // namespace

struct Chroma::Target {
  store::Collection collection;
  bool is_papers = false;
};

std::vector<Route> Chroma::routes() {
  const auto says = [](std::string path, std::function<Json()> what) {
    return Route{Method::Get, std::move(path), Access::Open,
                 [what = std::move(what)](Request, Answer answer) { answer.send(said(what())); }};
  };
  const auto heartbeat = [] {
    return Json{{"nanosecond heartbeat", std::chrono::duration_cast<std::chrono::nanoseconds>(
                                             std::chrono::system_clock::now().time_since_epoch())
                                             .count()}};
  };
  const auto tenant_path = fmt::format("{}/tenants/{{tenant}}", kRoot);
  const auto in_collection = [](std::string_view what) {
    return under_database(fmt::format("/collections/{{collection}}{}", what));
  };
  return {
      says(std::string(kRoot), heartbeat),
      says(fmt::format("{}/heartbeat", kRoot), heartbeat),
      says(fmt::format("{}/version", kRoot), [] { return Json("1.0.0"); }),
      says(fmt::format("{}/healthcheck", kRoot),
           [] { return Json{{"is_executor_ready", true}, {"is_log_client_ready", true}}; }),
      says(fmt::format("{}/pre-flight-checks", kRoot),
           [] { return Json{{"max_batch_size", kBatch}, {"supports_base64_encoding", true}}; }),
      says(fmt::format("{}/auth/identity", kRoot),
           [] {
             return Json{{"user_id", ""},
                         {"tenant", store::kDefaultTenant},
                         {"databases", Json::array({store::kDefaultDatabase})}};
           }),
      route(Method::Post, fmt::format("{}/tenants", kRoot), Access::Owner, &Chroma::make_tenant),
      route(Method::Get, tenant_path, Access::Open, &Chroma::tenant),
      route(Method::Get, tenant_path + "/databases", Access::Open, &Chroma::databases),
      route(Method::Post, tenant_path + "/databases", Access::Owner, &Chroma::make_database),
      route(Method::Get, under_database(""), Access::Open, &Chroma::database),
      route(Method::Delete, under_database(""), Access::Owner, &Chroma::remove_database),
      route(Method::Get, under_database("/collections"), Access::Open, &Chroma::list),
      route(Method::Get, under_database("/collections_count"), Access::Open, &Chroma::count_collections),
      route(Method::Post, under_database("/collections"), Access::Open, &Chroma::make),
      route(Method::Get, under_database("/collections/by-id/{collection}"), Access::Open, &Chroma::by_id),
      route(Method::Get, in_collection(""), Access::Open, &Chroma::by_name),
      route(Method::Put, in_collection(""), Access::Owner, &Chroma::change),
      route(Method::Delete, in_collection(""), Access::Owner, &Chroma::remove),
      route(Method::Post, in_collection("/add"), Access::Owner, &Chroma::add),
      route(Method::Post, in_collection("/update"), Access::Owner, &Chroma::update),
      route(Method::Post, in_collection("/upsert"), Access::Owner, &Chroma::upsert),
      route(Method::Post, in_collection("/delete"), Access::Owner, &Chroma::remove_records),
      route(Method::Post, in_collection("/get"), Access::Open, &Chroma::get),
      route(Method::Post, in_collection("/query"), Access::Open, &Chroma::query),
      route(Method::Get, in_collection("/count"), Access::Open, &Chroma::count),
  };
}

Route Chroma::route(Method method, std::string path, Access access, Work work) {
  return {method, std::move(path), access,
          [this, work](Request request, Answer answer) { run(work, std::move(request), answer); }};
}

void Chroma::run(Work work, Request request, const Answer& answer) {
  const auto taken = space_.submit(
      [this, work, answer, request = std::move(request)] {
        if (answer.gone())
          return answer.send(chroma_error({ErrorKind::Unavailable, "the client hung up", {}}));
        auto reply = (this->*work)(request);
        answer.send(reply ? *std::move(reply) : chroma_error(reply.error()));
      },
      answer.gone);
  if (!taken) answer.send(chroma_error(taken.error()));
}

// ---- what is there

Result<std::shared_ptr<store::Collections>> Chroma::collections() {
  const std::lock_guard lock(mutex_);
  if (!collections_)
    collections_ = TRY(store::Collections::open(space_.settings().indexer.data / kCollectionsFile));
  return collections_;
}

Result<void> Chroma::check_database(const std::string& tenant, const std::string& database) {
  const auto store = TRY(collections());
  const auto known = TRY(store->databases(tenant));
  if (std::ranges::find(known, database, &store::NamedDatabase::name) != known.end()) return {};
  return missing("Database", database);
}

store::Collection Chroma::papers_collection() const {
  auto collection =
      *new_collection({{"name", kPapersCollection},
                       {"metadata", {{"description", "The papers of this finder, only to read"}}},
                       {"configuration", {{"hnsw", {{"space", "cosine"}}}}}});
  collection.id = kPapersId;
  collection.tenant = store::kDefaultTenant;
  collection.database = store::kDefaultDatabase;
  if (const auto finder = space_.state().finder; finder) collection.width = finder->model().width;
  return collection;
}

Result<Chroma::Target> Chroma::target_with_id(const Request& request) {
  const auto id = parameters(request)[2];
  if (id == kPapersId) return Target{.collection = papers_collection(), .is_papers = true};
  const auto store = TRY(collections());
  auto found = TRY(store->find(id));
  if (!found) return missing("Collection", id);
  return Target{.collection = *std::move(found)};
}

Result<store::Collection> Chroma::collection_named(const Request& request) {
  const auto name = parameters(request)[2];
  for (auto& collection : TRY(all_collections(request)))
    if (collection.name == name) return collection;
  return missing("Collection", name);
}

Result<store::Collection> Chroma::to_write(const Request& request) {
  auto target = TRY(target_with_id(request));
  if (target.is_papers)
    return fail(
        ErrorKind::BadInput,
        fmt::format("{} holds the papers of this finder: they come in by its indexing, or by alcove papers "
                    "import",
                    kPapersCollection));
  return target.collection;
}

Result<std::unique_ptr<store::RecordSource>> Chroma::records(const Target& target) {
  if (target.is_papers) return paper_records(space_.settings().indexer.data);
  const auto store = TRY(collections());
  return store->records(target.collection);
}

// ---- tenants and databases

Result<Reply> Chroma::make_tenant(const Request& request) {
  const auto body = TRY(chroma_body(request));
  const auto store = TRY(collections());
  const auto name = TRY(name_in(body));
  TRY(store->make_tenant(name));
  return nothing();
}

Result<Reply> Chroma::tenant(const Request& request) {
  const auto& name = request.parameter;
  const auto store = TRY(collections());
  if (!TRY(store->has_tenant(name))) return missing("Tenant", name);
  return said({{"name", name}, {"resource_name", nullptr}});
}

Result<Reply> Chroma::databases(const Request& request) {
  const auto store = TRY(collections());
  const auto all = TRY(store->databases(request.parameter));
  return said(page(request, all, database_json));
}

Result<Reply> Chroma::make_database(const Request& request) {
  const auto body = TRY(chroma_body(request));
  const auto store = TRY(collections());
  if (!TRY(store->has_tenant(request.parameter))) return missing("Tenant", request.parameter);
  auto name = TRY(name_in(body));
  TRY(store->make_database(
      {.id = gateway::new_uuid(), .name = std::move(name), .tenant = request.parameter}));
  return nothing();
}

Result<Reply> Chroma::database(const Request& request) {
  const auto asked = parameters(request);
  const auto store = TRY(collections());
  for (const auto& database : TRY(store->databases(asked[0])))
    if (database.name == asked[1]) return said(database_json(database));
  return missing("Database", asked[1]);
}

Result<Reply> Chroma::remove_database(const Request& request) {
  const auto asked = parameters(request);
  TRY(check_database(asked[0], asked[1]));
  const auto store = TRY(collections());
  TRY(store->remove_database(asked[0], asked[1]));
  return nothing();
}

// ---- collections

Result<std::vector<store::Collection>> Chroma::all_collections(const Request& request) {
  const auto asked = parameters(request);
  TRY(check_database(asked[0], asked[1]));
  const auto store = TRY(collections());
  auto all = TRY(store->list(asked[0], asked[1]));
  if (asked[0] == store::kDefaultTenant && asked[1] == store::kDefaultDatabase)
    all.insert(all.begin(), papers_collection());
  return all;
}

Result<Reply> Chroma::list(const Request& request) {
  return said(page(request, TRY(all_collections(request)), collection_json));
}

Result<Reply> Chroma::count_collections(const Request& request) {
  const auto all = TRY(all_collections(request));
  return said(all.size());
}

// Who only wants to get one that is there writes nothing.
Result<Reply> Chroma::make(const Request& request) {
  const auto body = TRY(chroma_body(request));
  auto made = TRY(new_collection(body));
  for (const auto& collection : TRY(all_collections(request))) {
    if (collection.name != made.name) continue;
    if (member(body, "get_or_create") == true) return said(collection_json(collection));
    return fail(ErrorKind::BadInput, fmt::format("Collection [{}] already exists", made.name),
                std::string(store::kConstraint));
  }
  if (auto refused = refuse_(request)) return in_chromas_shape(*std::move(refused));
  const auto asked = parameters(request);
  made.id = gateway::new_uuid();
  made.tenant = asked[0];
  made.database = asked[1];
  const auto store = TRY(collections());
  TRY(store->make(made));
  return said(collection_json(made));
}

Result<Reply> Chroma::by_name(const Request& request) {
  return said(collection_json(TRY(collection_named(request))));
}

Result<Reply> Chroma::by_id(const Request& request) {
  const auto target = TRY(target_with_id(request));
  return said(collection_json(target.collection));
}

Result<Reply> Chroma::change(const Request& request) {
  const auto body = TRY(chroma_body(request));
  auto collection = TRY(to_write(request));
  const auto changed = TRY(changed_collection(std::move(collection), body));
  const auto store = TRY(collections());
  TRY(store->change(changed));
  return nothing();
}

Result<Reply> Chroma::remove(const Request& request) {
  const auto collection = TRY(collection_named(request));
  if (collection.id == kPapersId)
    return fail(ErrorKind::BadInput, fmt::format("{} holds the papers of this finder", kPapersCollection));
  const auto store = TRY(collections());
  TRY(store->remove(collection));
  return nothing();
}

// ---- records

Result<Reply> Chroma::write(const Request& request, store::Writing how, int status) {
  const auto collection = TRY(to_write(request));
  const auto body = TRY(chroma_body(request));
  const auto changes = TRY(record_changes(body, how));
  const auto store = TRY(collections());
  TRY(store->write(collection, how, changes));
  return nothing(status);
}

Result<Reply> Chroma::remove_records(const Request& request) {
  const auto collection = TRY(to_write(request));
  const auto body = TRY(chroma_body(request));
  const auto asked = TRY(delete_request(body));
  const auto store = TRY(collections());
  std::vector<std::string> ids;
  if (asked.by_ids_alone) {
    ids = asked.request.ids.value_or(std::vector<std::string>());
  } else {
    const auto source = store->records(collection);
    for (auto& record : TRY(store::get_records(*source, asked.request))) ids.push_back(std::move(record.id));
  }
  TRY(store->remove_records(collection, ids));
  return said({{"deleted", ids.size()}});
}

Result<Reply> Chroma::get(const Request& request) {
  const auto target = TRY(target_with_id(request));
  const auto body = TRY(chroma_body(request));
  const auto asked = TRY(get_request(body));
  const auto source = TRY(records(target));
  const auto found = TRY(store::get_records(*source, asked.request));
  return said(get_json(found, asked.include));
}

Result<Reply> Chroma::query(const Request& request) {
  const auto target = TRY(target_with_id(request));
  const auto body = TRY(chroma_body(request));
  const auto asked = TRY(query_request(body, target.collection.width));
  const auto source = TRY(records(target));
  const auto found = TRY(store::query_records(*source, target.collection.space, asked.request));
  return said(query_json(found, asked.include));
}

Result<Reply> Chroma::count(const Request& request) {
  const auto target = TRY(target_with_id(request));
  if (target.is_papers) {
    const auto finder = space_.state().finder;
    return said(finder ? finder->size() : 0);
  }
  const auto store = TRY(collections());
  const auto counted = TRY(store->count(target.collection));
  return said(counted);
}

}  // namespace alcove::api
