#pragma once
// Tools for agents: the Model Context Protocol over one address, stateless, a JSON-RPC message each way.

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/routes.h"
#include "base/result.h"

namespace alcove::api {

struct McpTool {
  std::string name;
  std::string description;
  Json input;  // a JSON schema of its arguments
  // Calls back once, from any thread, with a text for the agent. Returns at once.
  std::function<void(Json arguments, std::function<void(Result<std::string>)>)> run;
};

// Safe from any thread once made.
class Mcp {
 public:
  Mcp(std::string service, std::vector<McpTool> tools)
      : service_(std::move(service)), tools_(std::move(tools)) {}

  // POST /mcp and, where Gradio has it, /gradio_api/mcp. They refer to this object.
  std::vector<Route> routes();

 private:
  void answer(Request, Answer) const;
  void call(const Json& id, const Json& parameters, Answer) const;
  Json initialized(const Json& parameters) const;
  Json tool_list() const;

  const std::string service_;
  const std::vector<McpTool> tools_;
};

}  // namespace alcove::api
