#include "api/gradio.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/multipart.h"
#include "api/status.h"
#include "api/stream_head.h"

namespace alcove::api {
namespace {

constexpr std::string_view kEvents = "text/event-stream; charset=utf-8";
// The version whose protocol this is; clients look at it to know what they may do.
constexpr std::string_view kProtocol = "6.31.0";
constexpr int kComeBack = 1;  // seconds

struct Component {
  std::string_view name, python_type;
};
constexpr std::array kComponents{Component{"Textbox", "str"}, Component{"Number", "float"},
                                 Component{"File", "filepath"}, Component{"JSON", "dict"},
                                 Component{"Dataframe", "dict"}};

std::string_view python_type(std::string_view component) {
  const auto found = std::ranges::find(kComponents, component, &Component::name);
  return found == kComponents.end() ? "str" : found->python_type;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return 'A' <= c && c <= 'Z' ? c + 32 : c; });
  return text;
}

// Where the client sees this server: behind a proxy that speaks HTTPS for it.
std::string root_of(const Request& request) {
  const auto first = [](std::string_view list) {
    return std::string(trimmed(list.substr(0, list.find(','))));
  };
  auto host = first(request.header("x-forwarded-host"));
  if (host.empty()) host = request.header("host");
  const auto scheme = first(request.header("x-forwarded-proto")) == "https" ? "https" : "http";
  return fmt::format("{}://{}", scheme, host);
}

Reply refusal(const Error& error) {
  // The clients know a full queue by this status.
  if (error.kind == ErrorKind::Overloaded)
    return busy_reply({ErrorKind::Unavailable, error.message, "overloaded"}, kComeBack);
  return error_reply(error, error.kind == ErrorKind::Unreadable ? 400 : http_status(error.kind));
}

std::string text_at(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json file_schema() {
  return {{"type", "object"},
          {"properties",
           {{"path", {{"type", "string"}}},
            {"orig_name", {{"type", "string"}}},
            {"meta", {{"type", "object"}, {"properties", {{"_type", {{"const", "gradio.FileData"}}}}}}}}}};
}

Json value_info(const GradioValue& value) {
  const bool is_file = value.component == "File";
  Json info{{"label", value.label},
            {"parameter_name", value.name},
            {"parameter_has_default", !value.fallback.is_null()},
            {"type", is_file ? file_schema() : Json::object()},
            {"python_type", {{"type", python_type(value.component)}, {"description", ""}}},
            {"component", value.component}};
  if (!value.fallback.is_null()) info["parameter_default"] = value.fallback;
  return info;
}

}  // namespace

Gradio::Gradio(std::string title, std::uint64_t body_limit, std::vector<GradioEndpoint> endpoints)
    : title_(std::move(title)), body_limit_(body_limit), endpoints_(std::move(endpoints)) {}

std::vector<Route> Gradio::routes() {
  const auto here = [this](void (Gradio::*handle)(Request, Answer)) {
    return [this, handle](Request request, Answer answer) {
      (this->*handle)(std::move(request), std::move(answer));
    };
  };
  std::vector<Route> routes{
      {Method::Get, "/config", Access::Open,
       [this](Request request, Answer answer) { answer.send(json_reply(200, config(request))); }},
      {Method::Get, "/gradio_api/info", Access::Open,
       [this](Request, Answer answer) { answer.send(json_reply(200, info())); }},
      {Method::Get, "/gradio_api/heartbeat/{session}", Access::Open,
       [this](Request, Answer answer) { queue_.beat(answer.stream(stream_head(std::string(kEvents)))); }},
      {Method::Get, "/gradio_api/queue/data", Access::Open,
       [this](Request request, Answer answer) {
         queue_.listen(form_value(request.query, "session_hash").value_or(""),
                       answer.stream(stream_head(std::string(kEvents))));
       }},
      {Method::Post, "/gradio_api/upload", Access::Guarded, here(&Gradio::upload)},
      {Method::Post, "/gradio_api/queue/join", Access::Guarded, here(&Gradio::join)},
      {Method::Post, "/gradio_api/cancel", Access::Open, here(&Gradio::cancel)},
      {Method::Post, "/gradio_api/reset", Access::Open, here(&Gradio::cancel)},
  };
  for (const auto& endpoint : endpoints_) {
    const auto path = "/gradio_api/call/" + endpoint.name;
    routes.push_back({Method::Post, path, Access::Guarded, [this, &endpoint](Request request, Answer answer) {
                        start(endpoint, std::move(request), std::move(answer));
                      }});
    routes.push_back({Method::Get, path + "/{event}", Access::Open, [this](Request request, Answer answer) {
                        queue_.listen_to_call(request.parameter,
                                              answer.stream(stream_head(std::string(kEvents))));
                      }});
  }
  return routes;
}

Json Gradio::config(const Request& request) const {
  auto components = Json::array();
  auto dependencies = Json::array();
  int id = 0;
  const auto ids_of = [&](const std::vector<GradioValue>& values) {
    auto ids = Json::array();
    for (const auto& value : values) {
      components.push_back({{"id", ++id}, {"type", lower(value.component)}, {"props", Json::object()}});
      ids.push_back(id);
    }
    return ids;
  };
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    auto inputs = ids_of(endpoints_[i].inputs);
    auto outputs = ids_of(endpoints_[i].outputs);
    dependencies.push_back({{"id", i},
                            {"inputs", std::move(inputs)},
                            {"outputs", std::move(outputs)},
                            {"api_name", endpoints_[i].name},
                            {"queue", true},
                            {"backend_fn", true},
                            {"api_visibility", "public"},
                            {"types", {{"generator", false}, {"cancel", false}}}});
  }
  return {{"version", kProtocol},
          {"api_prefix", "/gradio_api"},
          {"protocol", "sse_v3"},
          {"enable_queue", true},
          {"connect_heartbeat", true},
          {"mode", "blocks"},
          {"app_id", 1},
          {"title", title_},
          {"root", root_of(request)},
          {"max_file_size", body_limit_},
          {"components", std::move(components)},
          {"dependencies", std::move(dependencies)}};
}

Json Gradio::info() const {
  auto named = Json::object();
  for (const auto& endpoint : endpoints_) {
    auto parameters = Json::array();
    for (const auto& value : endpoint.inputs) parameters.push_back(value_info(value));
    auto returns = Json::array();
    for (const auto& value : endpoint.outputs)
      returns.push_back({{"label", value.label},
                         {"type", Json::object()},
                         {"python_type", {{"type", python_type(value.component)}, {"description", ""}}},
                         {"component", value.component}});
    named["/" + endpoint.name] = {{"parameters", std::move(parameters)},
                                  {"returns", std::move(returns)},
                                  {"description", endpoint.description},
                                  {"api_visibility", "public"}};
  }
  return {{"named_endpoints", std::move(named)}, {"unnamed_endpoints", Json::object()}};
}

void Gradio::upload(Request request, Answer answer) {
  const auto parts = parse_multipart(request.header("content-type"), as_bytes(request.body));
  if (!parts) return answer.send(refusal(parts.error()));
  auto paths = Json::array();
  for (const auto& part : *parts)
    if (part.name == "files") paths.push_back(uploads_.put(part.file_name.value_or("file"), part.content));
  answer.send(json_reply(200, paths));
}

void Gradio::join(Request request, Answer answer) {
  const auto body = parse_json(request.body);
  if (!body) return answer.send(refusal(body.error()));
  const auto session = text_at(*body, "session_hash");
  const auto index = body->is_object() ? body->value("fn_index", Json()) : Json();
  if (session.empty() || session.size() > 128)
    return answer.send(refusal({ErrorKind::BadInput, "Session hash not found.", {}}));
  if (!index.is_number_unsigned() || index.get<std::uint64_t>() >= endpoints_.size())
    return answer.send(refusal({ErrorKind::NotFound, "there is no function of this index; see /config", {}}));
  const auto event = queue_.join(session);
  if (!event) return answer.send(refusal(event.error()));
  answer.send(json_reply(200, {{"event_id", *event}}));
  run(endpoints_[index.get<std::size_t>()], body->value("data", Json()), *event);
}

void Gradio::start(const GradioEndpoint& endpoint, Request request, Answer answer) {
  const auto body = parse_json(request.body);
  if (!body) return answer.send(refusal(body.error()));
  // A session of its own, which nobody listens to: the call alone is asked for.
  const auto event = queue_.join("call " + request.id);
  if (!event) return answer.send(refusal(event.error()));
  answer.send(json_reply(200, {{"event_id", *event}}));
  run(endpoint, body->is_object() ? body->value("data", Json()) : Json(), *event);
}

void Gradio::cancel(Request request, Answer answer) {
  const auto body = parse_json(request.body);
  if (!body) return answer.send(refusal(body.error()));
  queue_.cancel(text_at(*body, "event_id"));
  answer.send(json_reply(200, {{"success", true}}));
}

Result<GradioCall> Gradio::call_of(const GradioEndpoint& endpoint, const Json& data,
                                   const std::string& event) {
  GradioCall call;
  for (std::size_t i = 0; i < endpoint.inputs.size(); ++i) {
    const auto& input = endpoint.inputs[i];
    // Clients that know no defaults send null in their place, or nothing.
    auto value = data.is_array() && i < data.size() ? data[i] : Json();
    if (value.is_null()) value = input.fallback;
    if (value.is_null()) return fail(ErrorKind::BadInput, fmt::format("`{}` is missing", input.name));
    if (input.component == "File") {
      call.file = uploads_.find(text_at(value, "path"));
      if (!call.file)
        return fail(
            ErrorKind::BadInput,
            fmt::format("`{}` is no file that was uploaded here within the last ten minutes; addresses "
                        "are not fetched: upload the file itself",
                        input.name));
      value = nullptr;
    }
    call.values.push_back(std::move(value));
  }
  call.gone = [this, event] { return !queue_.wanted(event); };
  call.begin = [this, event] { queue_.begin(event); };
  call.done = [this, event](Result<Json> outcome) {
    queue_.finish(event, outcome ? GradioOutcome(to_text(*outcome)) : std::unexpected(outcome.error()));
  };
  return call;
}

void Gradio::run(const GradioEndpoint& endpoint, const Json& data, const std::string& event) {
  auto call = call_of(endpoint, data, event);
  if (!call) return queue_.finish(event, std::unexpected(call.error()));
  endpoint.run(*std::move(call));
}

}  // namespace alcove::api
