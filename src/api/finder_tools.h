#pragma once
// The finder's search as other programs' clients call it: through Gradio's protocol, and as tools of an
// agent.

#include "api/gradio.h"
#include "api/mcp.h"
#include "papers/finder.h"

namespace alcove::api {

// Calls back once, on a worker, with the index that serves; or at once, with why there is none now.
using UseFinder = std::function<void(Result<papers::Finder*>)>;
using AskFinder = std::function<void(UseFinder)>;

// `/search` with the original's inputs: query, number of results, authors, keywords.
std::vector<GradioEndpoint> finder_endpoints(const AskFinder& ask);

// search, similar, bibtex.
std::vector<McpTool> finder_tools(const AskFinder& ask);

}  // namespace alcove::api
