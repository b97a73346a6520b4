#include "api/server.h"

#include <arpa/inet.h>
#include <drogon/HttpAppFramework.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <trantor/net/TcpConnection.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <thread>
#include <utility>

#include "api/connection_watch.h"
#include "api/exchange.h"
#include "base/log.h"

namespace alcove::api {
namespace {

constexpr std::size_t kMaxConnections = 900;  // below the usual limit of 1,024 open files
// From here on silence is ended, and a body has to be there, ten times sooner.
constexpr std::size_t kCrowd = 700;
// Requests sent ahead of their replies, and the bytes of replies left unread after which nothing more may be
// asked on a connection: else two megabytes of questions are a gigabyte of answers that nobody takes.
constexpr std::size_t kAhead = 16;
constexpr std::size_t kUnread = 1 << 20;

// The library ends the process when it cannot bind, so the address is tried beforehand. Gives the port.
Result<int> usable_port(const std::string& host, int port) {
  if (port < 0 || port > 65535)
    return fail(ErrorKind::BadInput, fmt::format("port {} does not exist; ports are 1 to 65535", port));
  sockaddr_storage address{};
  socklen_t size = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    size = sizeof *v4;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    size = sizeof *v6;
  } else {
    return fail(
        ErrorKind::BadInput,
        fmt::format(
            "host {} is not an IP address; use 0.0.0.0 for every network or 127.0.0.1 for this machine "
            "alone",
            host));
  }
  const int probe = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0)
    return fail(ErrorKind::Unavailable, fmt::format("no socket to be had: {}", std::strerror(errno)));
  const int yes = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(probe, generic, size) == 0 && ::listen(probe, 1) == 0;
  const int error = errno;
  ::getsockname(probe, generic, &size);
  ::close(probe);
  if (bound) return ntohs(address.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
  if (error == EADDRINUSE)
    return fail(ErrorKind::BadInput,
                fmt::format("port {} is taken by another program; choose one with --port or PORT", port));
  return fail(ErrorKind::BadInput,
              fmt::format("cannot listen on {} port {}: {}", host, port, std::strerror(error)));
}

drogon::HttpResponsePtr no_websocket() {
  const auto reply =
      error_reply({ErrorKind::BadInput, "no websocket is spoken here; see /openapi.json", "no_websocket"});
  const auto response = drogon::HttpResponse::newHttpResponse();
  response->setStatusCode(drogon::k400BadRequest);
  response->setContentTypeString(reply.content_type);
  response->setBody(reply.body);
  return response;
}

void send_library_log_to_ours() {
  trantor::Logger::setOutputFunction(
      [](const char* text, std::uint64_t size) {
        // What the library warns of are its clients' broken connections.
        log(LogLevel::Debug, "http", {{"message", std::string(text, size)}});
      },
      [] {});
  trantor::Logger::setLogLevel(trantor::Logger::kWarn);
}

}  // namespace

Result<void> run_server(const ServerSettings& settings, Service& service,
                        std::function<void(int port)> listening) {
  const int port = TRY(usable_port(settings.host, settings.port));
  send_library_log_to_ours();
  auto& app = drogon::app();
  app.addListener(settings.host, static_cast<std::uint16_t>(port))
      .setThreadNum(static_cast<std::size_t>(settings.threads))
      .setMaxConnectionNum(kMaxConnections)
      // A connection without traffic may be one whose sheet waits: clients of the original give it 300 s.
      .setIdleConnectionTimeout(310)
      .setPipeliningRequestsNumber(kAhead)
      .enableServerHeader(false)
      // Routes see the headers first; the limit on bodies is ours, below the library's.
      .enableRequestStream(true)
      .setClientMaxBodySize(std::numeric_limits<std::size_t>::max())
      .setClientMaxMemoryBodySize(std::numeric_limits<std::size_t>::max())
      // Nothing is ever kept on disk: below this path nothing can be made.
      .setUploadPath("/dev/null")
      .enableGzip(false)
      .enableBrotli(false)
      .disableSigtermHandling();
  app.enableReusePort();
  const auto watch = std::make_shared<ConnectionWatch>(settings.idle_time, kCrowd);
  app.setConnectionCallback([watch](const trantor::TcpConnectionPtr& connection) {
    if (!connection->connected()) return watch->closed(connection.get());
    connection->setHighWaterMarkCallback(
        [watch](const trantor::TcpConnectionPtr& full, std::size_t) { watch->set_unread(full.get(), true); },
        kUnread);
    connection->setWriteCompleteCallback(
        [watch](const trantor::TcpConnectionPtr& empty) { watch->set_unread(empty.get(), false); });
    watch->opened(connection.get(), std::chrono::steady_clock::now(), [weak = std::weak_ptr(connection)] {
      if (const auto alive = weak.lock()) alive->forceClose();
    });
  });
  app.registerSyncAdvice([](const drogon::HttpRequestPtr& request) {
    const bool websocket = equal_ignoring_case(request->getHeader("upgrade"), "websocket");
    return websocket ? no_websocket() : nullptr;
  });
  // Every request goes one way, before the library's own routes.
  app.registerPreRoutingAdvice([&settings, &service, watch](const drogon::HttpRequestPtr& request,
                                                            drogon::AdviceCallback&& send,
                                                            drogon::AdviceChainCallback&&) {
    if (const auto asking = request->getConnectionPtr().lock(); asking && watch->is_unread(asking.get()))
      return asking->forceClose();
    begin_exchange(settings, service, watch, request, std::move(send));
  });
  app.registerPreSendingAdvice(
      [](const drogon::HttpRequestPtr& request, const drogon::HttpResponsePtr& response) {
        settle_connection(*request, *response);
      });
  app.registerBeginningAdvice([&] {
    app.getLoop()->runEvery(std::min(1.0, static_cast<double>(settings.idle_time.count()) / 10),
                            [watch] { watch->close_idle(std::chrono::steady_clock::now()); });
    listening(port);
  });
  app.run();
  return {};
}

void stop_server() {
  // A reply counts as sent when it is handed to its socket's thread; that thread needs a moment to write it.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  drogon::app().quit();
}

}  // namespace alcove::api
