#pragma once
// A server on this machine for tests: it hands each request to a function and sends what that gives.

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace alcove::net {

struct Received {
  std::string method, target, head, body;  // head: the header lines as they came
  int connection = 0;                      // which of the server's connections, counted from one
};

class LoopbackServer {
 public:
  // The raw reply. A connection is kept open after it unless the reply says `Connection: close`, where it is
  // closed at once, whatever Content-Length promised; an empty reply closes it too.
  using Handler = std::function<std::string(const Received&)>;

  explicit LoopbackServer(Handler handler);
  ~LoopbackServer();

  std::string url(const std::string& target = "/") const;
  int port() const { return port_; }
  std::vector<Received> received() const;

 private:
  void listen();
  void serve(int socket, int number);

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ending_ = false;
  mutable std::mutex mutex_;
  std::vector<Received> received_;
  std::vector<std::jthread> threads_;
  std::jthread listening_;
};

std::string http_reply(int status, const std::string& body, const std::string& headers = {});

}  // namespace alcove::net
