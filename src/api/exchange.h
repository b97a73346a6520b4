#pragma once
// One request from its headers to its reply, over the HTTP library's objects: its limits, its body, the
// service it is handed to. For server.cpp, which sets the library up.

#include <functional>
#include <memory>

#include "api/connection_watch.h"
#include "api/server.h"

namespace drogon {
class HttpRequest;
class HttpResponse;
}  // namespace drogon

namespace alcove::api {

using SendResponse = std::function<void(const std::shared_ptr<drogon::HttpResponse>&)>;

// Its headers are in. On the connection's socket thread; settings and service outlive the server.
void begin_exchange(const ServerSettings& settings, Service& service, std::shared_ptr<ConnectionWatch> watch,
                    const std::shared_ptr<drogon::HttpRequest>& request, SendResponse send);

// Whether the connection closes behind a reply; to be called of each just before the library sends it.
void settle_connection(drogon::HttpRequest& request, drogon::HttpResponse& response);

}  // namespace alcove::api
