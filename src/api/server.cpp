#include "api/server.h"

#include <arpa/inet.h>
#include <drogon/HttpAppFramework.h>
#include <drogon/RequestStream.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <trantor/net/TcpConnection.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "base/log.h"

namespace alcove::api {
namespace {

using Clock = std::chrono::steady_clock;
using SendResponse = std::function<void(const drogon::HttpResponsePtr&)>;

// How much of a refused body is read and thrown away, so that the refusal is not lost in a connection reset:
// a client that writes its whole body before it reads must be able to.
constexpr std::uint64_t kDrainBytes = 64 << 20;
constexpr std::chrono::seconds kDrainTime{30};
constexpr std::size_t kMaxHeaders = 100;
constexpr std::string_view kCloseMark = "alcove.close";

std::atomic<int> in_flight{0};
std::atomic<std::uint64_t> upload_memory_used{0};

Method method_of(drogon::HttpMethod method) {
  switch (method) {
    case drogon::Get:
    case drogon::Head: return Method::Get;  // the library leaves the body of a HEAD's reply out
    case drogon::Post: return Method::Post;
    case drogon::Put: return Method::Put;
    case drogon::Delete: return Method::Delete;
    case drogon::Patch: return Method::Patch;
    case drogon::Options: return Method::Options;
    default: return Method::Other;
  }
}

std::string request_id(const std::string& wanted) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  if (!wanted.empty() && wanted.size() <= 128 && wanted.find_first_not_of(kAllowed) == std::string::npos)
    return wanted;
  thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format("{:016x}", random());
}

// Some bytes of the server's upload memory, given back when the last holder goes.
class Share {
 public:
  explicit Share(std::uint64_t limit) : limit_(limit) {}
  ~Share() { upload_memory_used -= held_; }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  bool grow_to(std::uint64_t bytes) {
    if (bytes <= held_) return true;
    const auto more = bytes - held_;
    if (upload_memory_used.fetch_add(more) + more > limit_) {
      upload_memory_used -= more;
      return false;
    }
    held_ = bytes;
    return true;
  }

 private:
  const std::uint64_t limit_;
  std::uint64_t held_ = 0;
};

// One request from its headers to its reply.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(const ServerSettings& settings, Service& service, const drogon::HttpRequestPtr& source,
           SendResponse send)
      : settings_(settings),
        service_(service),
        source_(source),
        connection_(source->getConnectionPtr()),
        send_(std::move(send)),
        share_(std::make_shared<Share>(settings.upload_memory)) {
    ++in_flight;
    request_.method = method_of(source->method());
    request_.path = source->path();
    request_.query = source->query();
    for (const auto& [name, value] : source->headers()) request_.headers.emplace_back(name, value);
    request_.id = request_id(source->getHeader("x-request-id"));
    path_ = request_.path;
    id_ = request_.id;
    method_ = request_.method;
  }
  ~Exchange() {
    // Whatever dropped the request without a word, the count must be right.
    if (!answered_.exchange(true)) --in_flight;
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void begin(const drogon::RequestStreamPtr& stream) {
    if (auto reply = refusal()) {
      refuse(*std::move(reply));
    } else if (request_.declared_length) {
      request_.body.reserve(*request_.declared_length);
    }
    if (!stream) return finish_body({});
    stream->setStreamReader(drogon::RequestStreamReader::newReader(
        [self = shared_from_this()](const char* data, std::size_t size) { self->add(data, size); },
        [self = shared_from_this()](std::exception_ptr error) { self->finish_body(std::move(error)); }));
  }

 private:
  std::optional<Reply> refusal() {
    if (source_->headers().size() > kMaxHeaders)
      return error_reply({ErrorKind::BadInput, "too many headers", {}});
    const auto length = request_.header("content-length");
    if (!length.empty()) {
      if (length.size() > 18 || length.find_first_not_of("0123456789") != std::string_view::npos)
        return error_reply({ErrorKind::BadInput, "Content-Length is not a number of bytes", {}});
      // Two lengths are how one request is smuggled inside another.
      if (!request_.header("transfer-encoding").empty())
        return error_reply(
            {ErrorKind::BadInput, "Content-Length and Transfer-Encoding exclude each other", {}});
      request_.declared_length = std::stoull(std::string(length));
    }
    if (auto reply = service_.refuse(request_)) return reply;
    if (request_.declared_length.value_or(0) > settings_.body_limit) return too_large();
    // Memory is counted as bytes come: a length that is only declared would let nine idle clients shut out
    // the rest.
    if (upload_memory_used + request_.declared_length.value_or(0) > settings_.upload_memory)
      return memory_is_full();
    return std::nullopt;
  }

  Reply too_large() const {
    return error_reply(
        {ErrorKind::TooLarge,
         fmt::format("the request is larger than {} bytes ({:.0f} MB), the most that is taken; send a "
                     "smaller scan (200 dpi is enough)",
                     settings_.body_limit, static_cast<double>(settings_.body_limit) / (1 << 20)),
         "too_large"});
  }

  Reply memory_is_full() const {
    return busy_reply(
        {ErrorKind::Overloaded, "too many uploads at once; try again in a moment", "overloaded"}, 2);
  }

  Reply too_slow() const {
    auto reply =
        error_reply({ErrorKind::BadInput,
                     fmt::format("the request took longer than {} seconds to arrive; check the connection",
                                 settings_.upload_time.count()),
                     "too_slow"});
    reply.status = 408;
    return reply;
  }

  // On the connection's socket thread, as are add() and finish_body().
  void add(const char* data, std::size_t size) {
    received_ += size;
    if (refused_) return drain();
    if (received_ > settings_.body_limit) return refuse(too_large());
    if (Clock::now() - started_ > settings_.upload_time) return refuse(too_slow());
    if (!share_->grow_to(received_)) return refuse(memory_is_full());
    request_.body.append(data, size);
  }

  void finish_body(std::exception_ptr error) {
    if (refused_) return;
    if (error) {
      // A closed connection has nobody to answer; the library drops this reply.
      refused_ = true;
      return answer(
          error_reply({ErrorKind::BadInput, "the request's body is not sound HTTP or ended early", {}}));
    }
    request_.memory = share_;
    const auto self = shared_from_this();
    service_.handle(std::move(request_), Answer{[self](Reply reply) { self->answer(std::move(reply)); },
                                                [self] { return self->gone(); }});
  }

  // Ends the request while its body may still be coming: says that the connection closes, stops writing,
  // reads on.
  void refuse(Reply reply) {
    refused_ = true;
    refused_at_ = Clock::now();
    std::string().swap(request_.body);
    share_.reset();
    if (request_.declared_length.value_or(0) > 0 || !request_.header("transfer-encoding").empty())
      source_->attributes()->insert(std::string(kCloseMark), true);
    answer(std::move(reply));
  }

  void drain() {
    if (received_ <= settings_.body_limit + kDrainBytes && Clock::now() - refused_at_ < kDrainTime) return;
    if (const auto connection = connection_.lock()) connection->forceClose();
  }

  bool gone() const {
    const auto connection = connection_.lock();
    return !connection || !connection->connected();
  }

  void answer(Reply reply) {
    if (answered_.exchange(true)) return;
    const auto response = drogon::HttpResponse::newHttpResponse();
    response->setStatusCode(static_cast<drogon::HttpStatusCode>(reply.status));
    response->setContentTypeString(reply.content_type);
    response->addHeader("X-Content-Type-Options", "nosniff");
    response->addHeader("X-Request-Id", id_);
    if (!settings_.allowed_origin.empty()) {
      response->addHeader("Access-Control-Allow-Origin", settings_.allowed_origin);
      response->addHeader("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, Server-Timing");
    }
    for (auto& [name, value] : reply.headers) response->addHeader(name, std::move(value));
    const auto bytes_out = reply.body.size();
    response->setBody(std::move(reply.body));
    const int status = gone() ? 499 : reply.status;
    send_(response);
    send_ = nullptr;
    --in_flight;
    service_.finished({.method = method_,
                       .path = path_,
                       .id = id_,
                       .status = status,
                       .bytes_in = received_,
                       .bytes_out = bytes_out,
                       .seconds = std::chrono::duration<double>(Clock::now() - started_).count()});
  }

  const ServerSettings& settings_;
  Service& service_;
  drogon::HttpRequestPtr source_;
  std::weak_ptr<trantor::TcpConnection> connection_;
  SendResponse send_;
  std::shared_ptr<Share> share_;
  Request request_;
  Method method_ = Method::Get;
  std::string path_, id_;
  const Clock::time_point started_ = Clock::now();
  Clock::time_point refused_at_;
  std::uint64_t received_ = 0;
  bool refused_ = false;
  std::atomic<bool> answered_{false};
};

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
      .setMaxConnectionNum(900)  // below the usual limit of 1,024 open files
      // A connection without traffic may be one whose sheet waits: clients of the original give it 300 s.
      .setIdleConnectionTimeout(310)
      .enableServerHeader(false)
      .enableRequestStream(
          true)  // routes see the headers first; the limit on bodies is ours, below the library's
      .setClientMaxBodySize(std::numeric_limits<std::size_t>::max())
      .setClientMaxMemoryBodySize(std::numeric_limits<std::size_t>::max())
      // Nothing is ever kept on disk: below this path nothing can be made.
      .setUploadPath("/dev/null")
      .enableGzip(false)
      .enableBrotli(false)
      .disableSigtermHandling();
  app.enableReusePort();
  // Every request goes one way, before the library's own routes.
  app.registerPreRoutingAdvice([&settings, &service](const drogon::HttpRequestPtr& request,
                                                     drogon::AdviceCallback&& send,
                                                     drogon::AdviceChainCallback&&) {
    std::make_shared<Exchange>(settings, service, request, std::move(send))
        ->begin(drogon::internal::createRequestStream(request));
  });
  app.registerPreSendingAdvice(
      [](const drogon::HttpRequestPtr& request, const drogon::HttpResponsePtr& response) {
        if (request->attributes()->find(std::string(kCloseMark))) response->setCloseConnection(true);
      });
  app.registerBeginningAdvice([&] { listening(port); });
  app.run();
  return {};
}

void stop_server() {
  // A reply counts as sent when it is handed to its socket's thread; that thread needs a moment to write it.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  drogon::app().quit();
}

int requests_in_flight() { return in_flight; }

}  // namespace alcove::api
