#pragma once
// The HTTP server, without showing its library. The library keeps one server per process, so these are
// functions.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/http.h"

namespace alcove::api {

struct ServerSettings {
  std::string host = "0.0.0.0";  // an address of this machine, v4 or v6
  int port = 7860;               // 0: any free one
  int threads = 2;               // that read and write sockets; they never do the work
  std::uint64_t body_limit = 52'428'800;
  std::uint64_t upload_memory = 512 << 20;  // of all bodies held at once
  std::filesystem::path spool;  // folder for large bodies while they arrive; empty: all stay in memory
  std::chrono::seconds upload_time{300};  // for one body to arrive
  std::chrono::seconds idle_time{60};  // of a connection between requests, headers that come slowly included
  std::vector<std::string> allowed_origins{"*"};  // of pages elsewhere that may call; none: no page may
};

// A body that goes out piece by piece. Safe from any thread.
class Outflow {
 public:
  virtual ~Outflow() = default;
  // False: the caller has gone, or end() was called. An empty piece only asks.
  virtual bool send(std::string_view piece) = 0;
  virtual void end() = 0;  // a second call is ignored
  // For bodies that are not to lie in memory: waits until most of what was sent is on its way. False as
  // send(), and when the caller took nothing for a minute. Not on a thread that others wait for.
  virtual bool has_room() { return true; }
};

// The way back to whoever asked. Copies share one request; calling it is safe from any thread, a second call
// is ignored.
struct Answer {
  std::function<void(Reply)> send;
  std::function<bool()> gone;  // the caller hung up: the work may be dropped, but send() is still called
  std::function<std::shared_ptr<Outflow>(Reply head)> stream;  // in place of send(): the body comes later
};

// One request that was answered.
struct Finished {
  Method method = Method::Get;
  std::string_view path;
  std::string_view id;
  Trace trace;
  int status = 0;
  std::string_view reason;  // an error's code
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  double seconds = 0;  // from its headers to the end of its reply
};

// What the server serves. Called on socket threads, several at once: return at once.
class Service {
 public:
  virtual ~Service() = default;
  // The headers are in, the body is not: a reply given here ends the request before its body is read.
  virtual std::optional<Reply> refuse(const Request& head) = 0;
  virtual void handle(Request request, Answer answer) = 0;
  virtual void finished(const Finished& request) = 0;
  virtual int retry_after() const = 0;  // seconds after which whoever is turned away now may come back
};

// Serves until stop_server(). `listening` is called once with the port, when requests are about to be
// accepted. Refused by the server itself, each with `detail`: a body over the limit (413, from Content-Length
// before a byte of it is read, else once it passes the limit), over the upload memory (429), too slow (408),
// not whole or not sound HTTP (400). BadInput when host or port cannot be used. Once a process.
Result<void> run_server(const ServerSettings& settings, Service& service,
                        std::function<void(int port)> listening);

// Safe from any thread; replies already sent are let out first.
void stop_server();

// Requests whose headers came and whose reply was not sent yet.
int requests_in_flight();

}  // namespace alcove::api
