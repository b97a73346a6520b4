#include "api/mcp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/version.h"

namespace alcove::api {
namespace {

// JSON-RPC's own numbers.
constexpr int kParseError = -32700, kInvalidRequest = -32600, kMethodNotFound = -32601,
              kInvalidParams = -32602;
constexpr std::string_view kProtocol = "2025-11-25";  // for whoever asks for none

Reply result_reply(const Json& id, Json result) {
  return json_reply(200, {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
}

Reply error_of(const Json& id, int code, std::string_view message) {
  return json_reply(200, {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}});
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::vector<Route> Mcp::routes() {
  std::vector<Route> routes;
  for (const auto* path : {"/mcp", "/mcp/", "/gradio_api/mcp", "/gradio_api/mcp/"})
    routes.push_back({Method::Post, path, Access::Guarded,
                      [this](Request request, Answer back) { answer(std::move(request), std::move(back)); }});
  return routes;
}

void Mcp::answer(Request request, Answer back) const {
  const auto message = parse_json(request.body);
  if (!message) return back.send(error_of(nullptr, kParseError, message.error().message));
  const auto method = text_of(*message, "method");
  if (method.empty()) return back.send(error_of(nullptr, kInvalidRequest, "this is no JSON-RPC request"));
  const auto id = message->value("id", Json());
  if (id.is_null()) return back.send({.status = 202, .headers = {}});  // a notification
  const auto parameters = message->value("params", Json::object());
  if (method == "initialize") return back.send(result_reply(id, initialized(parameters)));
  if (method == "ping") return back.send(result_reply(id, Json::object()));
  if (method == "tools/list") return back.send(result_reply(id, {{"tools", tool_list()}}));
  if (method == "tools/call") return call(id, parameters, std::move(back));
  back.send(error_of(id, kMethodNotFound, "there is no such method here"));
}

Json Mcp::initialized(const Json& parameters) const {
  const auto asked = text_of(parameters, "protocolVersion");
  return {{"protocolVersion", asked.empty() ? std::string(kProtocol) : asked},
          {"capabilities", {{"tools", {{"listChanged", false}}}}},
          {"serverInfo", {{"name", service_}, {"version", std::string(kVersion)}}}};
}

Json Mcp::tool_list() const {
  auto list = Json::array();
  for (const auto& tool : tools_)
    list.push_back({{"name", tool.name}, {"description", tool.description}, {"inputSchema", tool.input}});
  return list;
}

void Mcp::call(const Json& id, const Json& parameters, Answer back) const {
  const auto tool = std::ranges::find(tools_, text_of(parameters, "name"), &McpTool::name);
  if (tool == tools_.end())
    return back.send(error_of(id, kInvalidParams, "there is no such tool; tools/list names them"));
  tool->run(parameters.value("arguments", Json::object()), [id, back](Result<std::string> said) {
    // What went wrong is for the agent to read, and no error of the protocol.
    back.send(result_reply(
        id, {{"content", Json::array({{{"type", "text"}, {"text", said ? *said : said.error().message}}})},
             {"isError", !said}}));
  });
}

}  // namespace alcove::api
