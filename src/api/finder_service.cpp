#include "api/finder_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "api/finder_json.h"
#include "api/finder_request.h"
#include "api/status.h"
#include "base/threads.h"
#include "base/version.h"
#include "papers/export.h"

namespace alcove::api {
namespace {

constexpr std::string_view kService = "Paper Finder";
constexpr std::string_view kIndexPath = "/api/index";
constexpr std::string_view kPage = "/finder/index.html";
constexpr int kComeBack = 1;                    // seconds, for whoever is turned away
constexpr std::size_t kMostExported = 100'000;  // papers of one answer
constexpr std::size_t kMostTexts = 2'048;       // of one request for vectors, as OpenAI's own limit

std::string_view name_of(FinderSpace::Phase phase) {
  switch (phase) {
    case FinderSpace::Phase::Loading: return "loading";
    case FinderSpace::Phase::Ready: return "ready";
    case FinderSpace::Phase::Failed: return "failed";
  }
  return "failed";
}

Reply refusal(const Error& error) {
  const bool later = error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Overloaded;
  return later ? busy_reply(error, kComeBack) : error_reply(error);
}

// Records come in many at a time, questions do not.
bool is_chromas(const Request& request) { return request.path.starts_with("/api/v2"); }

Error too_large() {
  return {ErrorKind::TooLarge, fmt::format("a request has at most {} MB here", kFinderBodyLimit >> 20), {}};
}

// A search comes as an address or, when a whole abstract is pasted, as a form.
std::string_view parameters_of(const Request& request) {
  return request.method == Method::Post ? std::string_view(request.body) : std::string_view(request.query);
}

std::string_view content_type_of(papers::ExportFormat format) {
  switch (format) {
    case papers::ExportFormat::Json: return "application/json";
    case papers::ExportFormat::JsonLines: return "application/x-ndjson";
    case papers::ExportFormat::Csv: return "text/csv; charset=utf-8";
    case papers::ExportFormat::Bibtex: return "application/x-bibtex; charset=utf-8";
    case papers::ExportFormat::Ris: return "application/x-research-info-systems; charset=utf-8";
    case papers::ExportFormat::CslJson: return "application/vnd.citationstyles.csl+json";
    case papers::ExportFormat::Markdown: return "text/markdown; charset=utf-8";
  }
  return "text/plain; charset=utf-8";
}

Result<std::vector<papers::Paper>> papers_to_export(papers::Finder& finder, std::string_view parameters) {
  const auto ids = form_values(parameters, "id");
  if (!ids.empty()) {
    auto found = TRY(finder.papers(ids));
    if (found.empty()) return fail(ErrorKind::NotFound, "none of these papers is in the index");
    return found;
  }
  auto request = TRY(search_request(parameters));
  request.limit = kMostExported;
  request.offset = request.facet_values = 0;
  request.explain = false;
  std::vector<papers::Paper> found;
  for (auto& hit : TRY(finder.search(request)).hits) found.push_back(std::move(hit.paper));
  return found;
}

Result<Reply> export_reply(papers::Finder& finder, std::string_view parameters) {
  const auto name = form_value(parameters, "format").value_or("json");
  const auto format = papers::export_format(name);
  if (!format)
    return fail(ErrorKind::BadInput, fmt::format("`format` is one of {}", papers::export_format_names()));
  const auto found = TRY(papers_to_export(finder, parameters));
  Reply reply{.body = papers::export_papers(found, *format),
              .content_type = std::string(content_type_of(*format)),
              .headers = {}};
  reply.set_header("Content-Disposition",
                   fmt::format("attachment; filename=\"papers.{}\"", name == "csl-json" ? "json" : name));
  return reply;
}

// The texts of `input`, which is one of them or a list.
Result<std::vector<std::string>> input_texts(std::string_view body) {
  const auto json = TRY(parse_json(body));
  const auto input = json.is_object() ? json.value("input", Json()) : Json();
  const auto list = input.is_string() ? Json::array({input}) : input;
  if (!list.is_array() || list.empty() || list.size() > kMostTexts)
    return fail(ErrorKind::BadInput,
                fmt::format("`input` is a text, or a list of 1 to {} texts", kMostTexts));
  std::vector<std::string> texts;
  for (const auto& text : list) {
    if (!text.is_string()) return fail(ErrorKind::BadInput, "`input` has something that is no text");
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Result<Reply> embeddings_reply(papers::Embedder& embedder, std::string_view body) {
  const auto texts = TRY(input_texts(body));
  std::vector<papers::EmbedText> views(texts.begin(), texts.end());
  const auto vectors = TRY(embedder.embed(views, papers::Purpose::Query));
  auto data = Json::array();
  std::uint64_t tokens = 0;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", vectors[i]}});
    tokens += vectors.tokens[i];
  }
  return json_reply(200, {{"object", "list"},
                          {"data", std::move(data)},
                          {"model", embedder.description()},
                          {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}});
}

Error no_model(const FinderSpace::State& state) {
  if (state.phase == FinderSpace::Phase::Ready)
    return {ErrorKind::NotFound, "this server was started without a model; give it one with --model",
            "no_model"};
  return {ErrorKind::Unavailable, state.error.empty() ? "the model is being loaded" : state.error,
          "no_model"};
}

Reply reply_of(Result<Reply> made) { return made ? *std::move(made) : refusal(made.error()); }

}  // namespace

FinderService::FinderService(Door door, FinderSpace& space)
    : space_(space),
      gradio_(std::string(kService), kFinderBodyLimit,
              finder_endpoints([this](UseFinder use) { with_index(std::move(use)); })),
      mcp_(std::string(kService), finder_tools([this](UseFinder use) { with_index(std::move(use)); })),
      chroma_(space, [this](Request request) { return refuse_change(std::move(request)); }),
      routes_(std::move(door), make_routes(), dialects()) {}

std::vector<Route> FinderService::dialects() {
  auto routes = gradio_.routes();
  std::ranges::move(mcp_.routes(), std::back_inserter(routes));
  std::ranges::move(chroma_.routes(), std::back_inserter(routes));
  return routes;
}

std::vector<Route> FinderService::make_routes() {
  const auto here = [this](void (FinderService::*run)(Request, Answer)) {
    return
        [this, run](Request request, Answer answer) { (this->*run)(std::move(request), std::move(answer)); };
  };
  return {
      {Method::Get, "/", Access::Open, here(&FinderService::root)},
      {Method::Get, "/health", Access::Open, here(&FinderService::health)},
      {Method::Get, "/healthz", Access::Open, here(&FinderService::health)},
      {Method::Get, "/livez", Access::Open, here(&FinderService::health)},
      {Method::Get, "/v2/health/live", Access::Open, here(&FinderService::health)},
      {Method::Get, "/readyz", Access::Open, here(&FinderService::ready)},
      {Method::Get, "/v2/health/ready", Access::Open, here(&FinderService::ready)},
      {Method::Get, "/status", Access::Figures, here(&FinderService::status)},
      {Method::Get, "/metrics", Access::Figures, here(&FinderService::metrics)},
      {Method::Get, "/api/search", Access::Open, here(&FinderService::search)},
      {Method::Post, "/api/search", Access::Open, here(&FinderService::search)},
      {Method::Get, "/api/paper", Access::Open, here(&FinderService::paper)},
      {Method::Get, "/api/export", Access::Open, here(&FinderService::export_papers)},
      {Method::Post, "/api/export", Access::Open, here(&FinderService::export_papers)},
      {Method::Get, std::string(kIndexPath), Access::Open, here(&FinderService::index)},
      {Method::Post, std::string(kIndexPath), Access::Owner, here(&FinderService::control_index)},
      {Method::Post, "/v1/embeddings", Access::Guarded, here(&FinderService::embeddings)},
      {Method::Get, "/openapi.json", Access::Open,
       [](Request request, Answer answer) { answer.send(asset_reply(request, "/finder/openapi.json")); }},
  };
}

std::optional<Reply> FinderService::refuse(const Request& head) {
  auto refused = routes_.refuse(head);
  if (is_chromas(head)) return refused ? std::optional(in_chromas_shape(*std::move(refused))) : std::nullopt;
  if (!refused && head.declared_length.value_or(0) > kFinderBodyLimit) return error_reply(too_large());
  return refused;
}

// Whoever may not control the index may change nothing else.
std::optional<Reply> FinderService::refuse_change(Request request) const {
  request.method = Method::Post;
  request.path = kIndexPath;
  return routes_.refuse(request);
}

void FinderService::handle(Request request, Answer answer) {
  // One that came in pieces had not said how large it is.
  if (!is_chromas(request) && request.body.size() > kFinderBodyLimit)
    return answer.send(error_reply(too_large()));
  routes_.handle(std::move(request), std::move(answer));
}

void FinderService::root(Request request, Answer answer) {
  if (prefers_html(request.header("accept"))) return answer.send(asset_reply(request, kPage));
  auto reply = json_reply(200, {{"service", kService},
                                {"version", std::string(kVersion)},
                                {"endpoints", routes_.endpoints()},
                                {"page", "open / in a browser to search"}});
  reply.set_header("Vary", "Accept");
  answer.send(std::move(reply));
}

void FinderService::health(Request, Answer answer) {
  answer.send(json_reply(200, {{"status", "ok"}, {"service", kService}}));
}

// Words are enough to be of use.
void FinderService::ready(Request, Answer answer) {
  const auto state = space_.state();
  if (state.finder && !space_.draining()) return answer.send(json_reply(200, {{"ready", true}}));
  const Error error{
      ErrorKind::Unavailable, space_.draining() ? "the server is shutting down" : state.no_index, {}};
  auto reply = busy_reply(error, kComeBack);
  auto body = error_json(error);
  body["ready"] = false;
  reply.body = to_text(body);
  answer.send(std::move(reply));
}

void FinderService::status(Request, Answer answer) {
  const auto state = space_.state();
  const auto papers = state.finder ? state.finder->size() : 0;
  const bool by_meaning = state.finder && state.finder->can_search_by_meaning();
  Json json{{"ready", state.finder != nullptr && !space_.draining()},
            {"state", space_.draining() ? "draining" : name_of(state.phase)},
            {"version", kVersion},
            {"papers", papers},
            {"by_meaning", by_meaning},
            {"index", index_json()}};
  if (state.phase == FinderSpace::Phase::Failed) json["error"] = state.error;
  if (state.embedder)
    json["model"] = {{"description", state.embedder->description()},
                     {"sha256", state.embedder->model_hash()},
                     {"load_seconds", state.load_seconds}};
  if (const auto engine = state.embedder ? state.embedder->engine() : std::nullopt)
    json.update(
        Json{{"engine", engine->description}, {"device", engine->device}, {"device_reason", engine->reason}});
  if (state.finder && !by_meaning && state.phase != FinderSpace::Phase::Loading)
    json["why_no_meaning"] = state.finder->why_no_meaning();
  if (const auto& mirror = space_.settings().mirror) {
    json["store"] = {{"address", mirror->address()}, {"vectors", mirror->held()}};
    if (mirror->is_away()) json["store"]["error"] = mirror->why_not();
  }
  json["threads"] = available_threads();
  json["queue"] = {{"waiting", space_.queue().waiting()},
                   {"running", space_.queue().running()},
                   {"workers", space_.queue().workers()},
                   {"capacity", space_.queue().capacity()}};
  answer.send(json_reply(200, json));
}

// How far it is: of the papers that serve, those found by meaning; and what the indexer is at.
Json FinderService::index_json() const {
  using Phase = papers::Indexer::Phase;
  const auto state = space_.state();
  const auto work = space_.indexer().state();
  const bool at_work = work.phase != Phase::Idle || space_.importing();
  Json json{{"state", at_work        ? "indexing"
                      : state.finder ? "idle"
                                     : "empty"},
            {"done", state.finder ? state.finder->vectors() : 0},
            {"total", state.finder ? state.finder->size() : 0},
            {"model", state.finder ? state.finder->model().description : ""}};
  if (work.phase == Phase::Fetching || work.phase == Phase::Embedding) {
    json["phase"] = work.phase == Phase::Fetching ? "fetching" : "embedding";
    json["venue"] = work.venue;
    json["phase_done"] = work.done;
    json["phase_total"] = work.total;
    json["per_second"] = work.per_second;
    if (work.seconds_left) json["seconds_left"] = *work.seconds_left;
  }
  if (!work.error.empty())
    json["error"] = work.error;
  else if (!state.no_index.empty())
    json["error"] = state.no_index;
  return json;
}

void FinderService::index(Request, Answer answer) { answer.send(json_reply(200, index_json())); }

// {"action": "start", "venues": […]} or {"action": "stop"}
void FinderService::control_index(Request request, Answer answer) {
  const auto body = parse_json(request.body);
  if (!body) return answer.send(error_reply(body.error(), 400));
  const auto& action = member(*body, "action");
  const auto& named = member(*body, "venues");
  std::vector<std::string> venues;
  bool sound = named.is_null() || named.is_array();
  for (const auto& venue : named.is_array() ? named : Json::array()) {
    sound = sound && venue.is_string();
    if (sound) venues.push_back(venue.get<std::string>());
  }
  if (!sound || (action != "start" && action != "stop"))
    return answer.send(refusal({ErrorKind::BadInput,
                                "`action` is start or stop, and `venues` a list of ids such as "
                                "NeurIPS.cc/2025/Conference",
                                {}}));
  if (action == "stop")
    space_.indexer().stop();
  else if (const auto started = space_.start_indexing(std::move(venues)); !started)
    return answer.send(started.error().code == "indexing" ? error_reply(started.error(), 409)
                                                          : refusal(started.error()));
  answer.send(json_reply(202, index_json()));
}

void FinderService::metrics(Request, Answer answer) {
  const auto state = space_.state();
  auto reply = Reply{.content_type = "text/plain; version=0.0.4", .headers = {}};
  reply.body = metrics_.text({
      {"alcove_requests_in_flight", "Requests without a reply yet.",
       static_cast<double>(requests_in_flight())},
      {"alcove_queue_waiting", "Searches that wait.", static_cast<double>(space_.queue().waiting())},
      {"alcove_queue_running", "Searches at work.", static_cast<double>(space_.queue().running())},
      {"alcove_papers", "Papers in the index.",
       state.finder ? static_cast<double>(state.finder->size()) : 0.0},
      {"alcove_vectors", "Papers that are found by meaning.",
       state.finder ? static_cast<double>(state.finder->vectors()) : 0.0},
      {"alcove_ready", "1 when papers are found.", state.finder && !space_.draining() ? 1.0 : 0.0},
      {"alcove_model_load_seconds", "The load of the model.", state.load_seconds},
      {"process_resident_memory_bytes", "Memory of this process.", resident_bytes()},
  });
  answer.send(std::move(reply));
}

void FinderService::with_index(UseFinder use, std::function<bool()> gone) {
  auto state = space_.state();
  if (!state.finder) return use(fail(ErrorKind::Unavailable, state.no_index, "no_index"));
  const auto taken =
      space_.submit([use, finder = std::move(state.finder)] { use(finder.get()); }, std::move(gone));
  if (!taken) use(std::unexpected(taken.error()));
}

void FinderService::answer_with_index(Answer answer, Ask ask) {
  with_index(
      [answer, ask = std::move(ask)](Result<papers::Finder*> finder) {
        if (!finder) return answer.send(refusal(finder.error()));
        answer.send(answer.gone() ? error_reply({ErrorKind::Unavailable, "the client hung up"})
                                  : ask(**finder));
      },
      answer.gone);
}

void FinderService::search(Request request, Answer answer) {
  auto asked = search_request(parameters_of(request));
  if (!asked) return answer.send(refusal(asked.error()));
  if (asked->mode == papers::Mode::Meaning && space_.state().phase == FinderSpace::Phase::Loading)
    return answer.send(
        refusal({ErrorKind::Unavailable, "the model is being loaded; until then mode=words finds papers",
                 "no_model"}));
  const bool whole = form_value(parameters_of(request), "whole").value_or("0") == "1";
  answer_with_index(std::move(answer), [asked = *std::move(asked), whole](papers::Finder& finder) {
    const auto found = finder.search(asked);
    return found ? json_reply(200, search_json(asked, *found, whole)) : refusal(found.error());
  });
}

void FinderService::paper(Request request, Answer answer) {
  answer_with_index(
      std::move(answer), [id = form_value(request.query, "id").value_or("")](papers::Finder& finder) {
        const auto found = finder.papers(std::span(&id, 1));
        if (!found) return refusal(found.error());
        if (found->empty())
          return refusal(
              {ErrorKind::NotFound, fmt::format("there is no paper {} in the index", id), "no_such_paper"});
        return json_reply(200, paper_json(found->front()));
      });
}

void FinderService::export_papers(Request request, Answer answer) {
  answer_with_index(std::move(answer),
                    [parameters = std::string(parameters_of(request))](papers::Finder& finder) {
                      return reply_of(export_reply(finder, parameters));
                    });
}

void FinderService::embeddings(Request request, Answer answer) {
  const auto state = space_.state();
  if (!state.embedder) return answer.send(refusal(no_model(state)));
  const auto taken = space_.submit(
      [answer, embedder = state.embedder, body = std::move(request.body)] {
        answer.send(reply_of(embeddings_reply(*embedder, body)));
      },
      answer.gone);
  if (!taken) answer.send(refusal(taken.error()));
}

}  // namespace alcove::api
