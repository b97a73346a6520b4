#include "api/exchange.h"

#include <drogon/HttpResponse.h>
#include <drogon/RequestStream.h>
#include <fmt/format.h>
#include <trantor/net/EventLoop.h>
#include <trantor/net/TcpConnection.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

namespace alcove::api {
namespace {

using Clock = std::chrono::steady_clock;

// How much of a refused body is read and thrown away, so that the refusal is not lost in a connection reset:
// a client that writes its whole body before it reads must be able to.
constexpr std::uint64_t kDrainBytes = 64 << 20;
constexpr std::chrono::seconds kDrainTime{30};
// Larger bodies go to the disk while they arrive, where there is a folder for them.
constexpr std::uint64_t kKeptInMemory = 256 << 10;
constexpr std::size_t kMostOnItsWay = 4 << 20;  // of a body that is not to lie in memory
constexpr std::chrono::milliseconds kLookForRoom{10};
constexpr std::chrono::seconds kLongestStandstill{60};
constexpr std::string_view kCloseMark = "alcove.close";
constexpr std::string_view kStreamMark = "alcove.stream";
constexpr std::string_view kExposedHeaders =
    "Location, Retry-After, Server-Timing, X-Inference-Time, X-Queue-Time, X-Request-Id";

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
  if (is_sound_id(wanted)) return wanted;
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
  Exchange(const ServerSettings& settings, Service& service, std::shared_ptr<ConnectionWatch> watch,
           const drogon::HttpRequestPtr& source, SendResponse send)
      : settings_(settings),
        service_(service),
        watch_(std::move(watch)),
        source_(source),
        connection_(source->getConnectionPtr()),
        key_(connection_.lock().get()),
        send_(std::move(send)),
        share_(std::make_shared<Share>(settings.upload_memory)) {
    ++in_flight;
    watch_->request_began(key_);
    request_.method = method_of(source->method());
    request_.path = source->path();
    request_.query = source->query();
    for (const auto& [name, value] : source->headers()) request_.headers.emplace_back(name, value);
    // The library takes them out of the headers.
    for (const auto& [name, value] : source->cookies())
      request_.headers.emplace_back("cookie", fmt::format("{}={}", name, value));
    request_.id = request_id(source->getHeader("x-request-id"));
    request_.trace = parse_traceparent(source->getHeader("traceparent"));
    path_ = request_.path;
    id_ = request_.id;
    trace_ = request_.trace;
    method_ = request_.method;
    origin_ = source->getHeader("origin");
  }
  ~Exchange() {
    // Whatever dropped the request without a word, the count must be right.
    if (!answered_.exchange(true)) --in_flight;
    watch_->request_ended(key_, Clock::now());
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void begin(const drogon::RequestStreamPtr& stream) {
    if (auto reply = refusal()) {
      refuse(*std::move(reply));
    } else if (request_.declared_length && !is_spooled(*request_.declared_length)) {
      request_.body.reserve(*request_.declared_length);
    }
    if (!stream) return finish_body({});
    limit_upload_time();
    stream->setStreamReader(drogon::RequestStreamReader::newReader(
        [self = shared_from_this()](const char* data, std::size_t size) { self->add(data, size); },
        [self = shared_from_this()](std::exception_ptr error) { self->finish_body(std::move(error)); }));
  }

 private:
  bool is_spooled(std::uint64_t bytes) const { return !settings_.spool.empty() && bytes > kKeptInMemory; }

  std::optional<Reply> refusal() {
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
    const auto length_in_memory = std::min(request_.declared_length.value_or(0),
                                           settings_.spool.empty() ? settings_.body_limit : kKeptInMemory);
    if (upload_memory_used + length_in_memory > settings_.upload_memory) return memory_is_full();
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
        {ErrorKind::Overloaded, "too many uploads at once; try again in a moment", "overloaded"},
        service_.retry_after());
  }

  Reply too_slow() const {
    return error_reply({ErrorKind::BadInput,
                        fmt::format("the request took longer than {:.0f} seconds to arrive; check the "
                                    "connection",
                                    seconds()),
                        "too_slow"},
                       408);
  }

  void limit_upload_time() {
    const auto connection = connection_.lock();
    if (!connection) return;
    const auto limit = static_cast<double>(settings_.upload_time.count());
    upload_timer_ = connection->getLoop()->runEvery(limit / 10, [weak = weak_from_this(), limit] {
      if (const auto self = weak.lock(); self && !self->refused_ && !self->whole_)
        if (self->seconds() >= limit || self->watch_->is_crowded()) self->refuse(self->too_slow());
    });
  }

  void forget_upload_time() {
    whole_ = true;
    const auto connection = connection_.lock();
    if (connection && upload_timer_) connection->getLoop()->invalidateTimer(*upload_timer_);
  }

  // On the connection's socket thread, as are the two above and finish_body().
  void add(const char* data, std::size_t size) {
    received_ += size;
    if (refused_) return drain();
    if (received_ > settings_.body_limit) return refuse(too_large());
    if (is_spooled(received_)) {
      const auto kept = spool({reinterpret_cast<const std::uint8_t*>(data), size});
      if (!kept) refuse(busy_reply(kept.error(), service_.retry_after()));
      return;
    }
    if (!share_->grow_to(received_)) return refuse(memory_is_full());
    request_.body.append(data, size);
  }

  // What came before moves to the disk too.
  Result<void> spool(Bytes piece) {
    if (!spool_) {
      spool_ = TRY(Spool::open(settings_.spool));
      TRY(spool_->add(as_bytes(request_.body)));
      std::string().swap(request_.body);
    }
    return spool_->add(piece);
  }

  void finish_body(std::exception_ptr error) {
    forget_upload_time();
    if (refused_) return;
    if (error) {
      // A closed connection has nobody to answer; the library drops this reply.
      refused_ = true;
      return answer(
          error_reply({ErrorKind::BadInput, "the request's body is not sound HTTP or ended early", {}}));
    }
    request_.memory = share_;
    request_.receive_seconds = seconds();
    if (spool_) {
      if (const auto whole = spool_->finish(); !whole)
        return answer(busy_reply(whole.error(), service_.retry_after()));
      request_.spooled = std::move(spool_);
    }
    const auto self = shared_from_this();
    service_.handle(std::move(request_),
                    Answer{.send = [self](Reply reply) { self->answer(std::move(reply)); },
                           .gone = [self] { return self->gone(); },
                           .stream = [self](Reply head) { return self->stream(std::move(head)); }});
  }

  // Ends the request while its body may still be coming: says that the connection closes, stops writing,
  // reads on.
  void refuse(Reply reply) {
    refused_ = true;
    refused_at_ = Clock::now();
    std::string().swap(request_.body);
    spool_.reset();
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
    set_head(*response, reply);
    const auto bytes_out = reply.body.size();
    response->setBody(std::move(reply.body));
    const int status = gone() ? 499 : reply.status;
    std::exchange(send_, nullptr)(response);
    ended(status, reply.reason, bytes_out);
  }

  class Body;
  std::shared_ptr<Outflow> stream(Reply head);

  void set_head(drogon::HttpResponse& response, Reply& reply) const {
    response.setStatusCode(static_cast<drogon::HttpStatusCode>(reply.status));
    response.setContentTypeString(reply.content_type);
    response.addHeader("X-Content-Type-Options", "nosniff");
    response.addHeader("X-Request-Id", id_);
    response.addHeader("Server-Timing", fmt::format("total;dur={:.1f}", seconds() * 1e3));
    if (const auto allowed = allowed_origin(); !allowed.empty()) {
      response.addHeader("Access-Control-Allow-Origin", allowed);
      response.addHeader("Access-Control-Expose-Headers", std::string(kExposedHeaders));
    }
    // Caches have to know that who is refused gets another answer than who is not.
    const bool by_origin =
        !settings_.allowed_origins.empty() &&
        std::ranges::find(settings_.allowed_origins, "*") == settings_.allowed_origins.end();
    if (by_origin) response.addHeader("Vary", "Origin");
    for (auto& [name, value] : reply.headers)
      response.addHeader(name, by_origin && name == "Vary" ? value + ", Origin" : std::move(value));
  }

  // What the browser of a page elsewhere is told: the page's own origin when it is one of ours, else nothing.
  std::string allowed_origin() const {
    for (const auto& allowed : settings_.allowed_origins)
      if (allowed == "*" || allowed == origin_) return allowed;
    return {};
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - started_).count(); }

  void ended(int status, std::string_view reason, std::uint64_t bytes_out) {
    --in_flight;
    service_.finished({.method = method_,
                       .path = path_,
                       .id = id_,
                       .trace = trace_,
                       .status = status,
                       .reason = reason,
                       .bytes_in = received_,
                       .bytes_out = bytes_out,
                       .seconds = seconds()});
  }

  const ServerSettings& settings_;
  Service& service_;
  const std::shared_ptr<ConnectionWatch> watch_;
  drogon::HttpRequestPtr source_;
  std::weak_ptr<trantor::TcpConnection> connection_;
  const ConnectionWatch::Key key_;
  std::optional<trantor::TimerId> upload_timer_;
  bool whole_ = false;  // the body is in
  std::unique_ptr<Spool> spool_;
  SendResponse send_;
  std::shared_ptr<Share> share_;
  Request request_;
  Method method_ = Method::Get;
  std::string path_, id_, origin_;
  Trace trace_;
  const Clock::time_point started_ = Clock::now();
  Clock::time_point refused_at_;
  std::uint64_t received_ = 0;
  bool refused_ = false;
  std::atomic<bool> answered_{false};
};

// The pieces of one reply. They are kept until the library is ready for them: it starts a body only when the
// replies before it on this connection have gone out. Chunks are not for HTTP/1.0, which gets the whole at
// once.
class Exchange::Body final : public Outflow {
 public:
  Body(std::shared_ptr<Exchange> exchange, Reply head)
      : exchange_(std::move(exchange)), head_(std::move(head)) {}
  ~Body() override { end(); }

  bool send(std::string_view piece) override {
    const std::lock_guard lock(mutex_);
    if (ended_ || exchange_->gone()) return false;
    if (piece.empty()) return true;  // a chunk of no bytes would be the last one
    bytes_ += piece.size();
    if (!stream_) waiting_.append(piece);
    return !stream_ || stream_->send(std::string(piece));
  }

  void end() override {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    if (!chunked()) {
      const auto response = drogon::HttpResponse::newHttpResponse();
      exchange_->set_head(*response, head_);
      response->setBody(std::move(waiting_));
      std::exchange(exchange_->send_, nullptr)(response);
    }
    if (stream_) close();
    exchange_->ended(exchange_->gone() ? 499 : head_.status, head_.reason, bytes_);
  }

  bool has_room() override {
    if (!chunked()) return !exchange_->gone();  // the whole waits for end(), however large
    auto taken = bytes_taken();
    auto since = Clock::now();
    while (taken && !send_would_fit(*taken)) {
      std::this_thread::sleep_for(kLookForRoom);
      const auto now_taken = bytes_taken();
      if (now_taken && *now_taken != *taken) since = Clock::now();
      if (Clock::now() - since > kLongestStandstill) return false;
      taken = now_taken;
    }
    return taken.has_value();
  }

  bool chunked() const { return exchange_->source_->version() == drogon::Version::kHttp11; }

  // The library's call, on the socket's thread.
  void begin(drogon::ResponseStreamPtr stream) {
    const std::lock_guard lock(mutex_);
    stream_ = std::move(stream);
    if (!waiting_.empty()) stream_->send(std::exchange(waiting_, {}));
    if (ended_) close();
  }

 private:
  // By the caller's side since the first such question, or a little more; none: it has gone.
  std::optional<std::size_t> bytes_taken() {
    const auto connection = exchange_->connection_.lock();
    if (!connection || exchange_->gone()) return std::nullopt;
    // The count belongs to the socket's thread.
    const auto count = std::make_shared<std::promise<std::size_t>>();
    connection->getLoop()->queueInLoop([connection, count] { count->set_value(connection->bytesSent()); });
    auto told = count->get_future();
    if (told.wait_for(kLongestStandstill) != std::future_status::ready) return std::nullopt;
    const auto taken = told.get();
    if (!taken_before_) taken_before_ = taken;
    return taken - *taken_before_;
  }

  bool send_would_fit(std::size_t taken) {
    const std::lock_guard lock(mutex_);
    return ended_ || bytes_ < taken + kMostOnItsWay;
  }

  void close() {
    stream_->close();
    stream_.reset();
    // The library would have closed before the first piece; see the advice before sending.
    const bool close_after = exchange_->source_->attributes()->find(std::string(kCloseMark));
    if (const auto connection = exchange_->connection_.lock(); connection && close_after)
      connection->shutdown();
  }

  const std::shared_ptr<Exchange> exchange_;
  Reply head_;
  std::mutex mutex_;
  drogon::ResponseStreamPtr stream_;
  std::string waiting_;
  std::uint64_t bytes_ = 0;
  std::optional<std::size_t> taken_before_;
  bool ended_ = false;

  friend class Exchange;
};

std::shared_ptr<Outflow> Exchange::stream(Reply head) {
  auto body = std::make_shared<Body>(shared_from_this(), std::move(head));
  // The library leaves out the body of a HEAD's reply, but not one that comes in pieces.
  if (source_->isHead()) answer(body->head_);
  if (answered_.exchange(true)) {
    body->ended_ = true;  // somebody was quicker; what is sent goes nowhere
    return body;
  }
  if (!body->chunked()) return body;
  source_->attributes()->insert(std::string(kStreamMark), true);
  const auto response = drogon::HttpResponse::newAsyncStreamResponse(
      [body](drogon::ResponseStreamPtr stream) { body->begin(std::move(stream)); });
  set_head(*response, body->head_);
  std::exchange(send_, nullptr)(response);
  return body;
}

}  // namespace

void begin_exchange(const ServerSettings& settings, Service& service, std::shared_ptr<ConnectionWatch> watch,
                    const drogon::HttpRequestPtr& request, SendResponse send) {
  std::make_shared<Exchange>(settings, service, std::move(watch), request, std::move(send))
      ->begin(drogon::internal::createRequestStream(request));
}

void settle_connection(drogon::HttpRequest& request, drogon::HttpResponse& response) {
  const auto& marks = request.attributes();
  if (marks->find(std::string(kCloseMark))) response.setCloseConnection(true);
  // Of a body that comes in pieces the library sends none when the connection is to close after it, so that
  // is said here and done when the body ends.
  if (marks->find(std::string(kStreamMark)) && response.ifCloseConnection()) {
    response.addHeader("Connection", "close");
    response.setCloseConnection(false);
    marks->insert(std::string(kCloseMark), true);
  }
}

int requests_in_flight() { return in_flight; }

}  // namespace alcove::api
