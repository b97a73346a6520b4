#include "net/testing.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace alcove::net {
namespace {

// More bytes into `text`; false when the other side is done or the server ends.
bool receive_more(int socket, std::string& text, const std::atomic<bool>& ending) {
  char buffer[65536];
  while (!ending) {
    pollfd ready{socket, POLLIN, 0};
    if (::poll(&ready, 1, 50) <= 0) continue;
    const auto count = ::recv(socket, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    text.append(buffer, static_cast<std::size_t>(count));
    return true;
  }
  return false;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool send_all(int socket, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const auto count = ::send(socket, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace

std::string http_reply(int status, const std::string& body, const std::string& headers) {
  return fmt::format("HTTP/1.1 {} Word\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers,
                     body);
}

LoopbackServer::LoopbackServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    std::abort();
  port_ = ntohs(address.sin_port);
  listening_ = std::jthread([this] { listen(); });
}

LoopbackServer::~LoopbackServer() {
  ending_ = true;
  listening_.join();
  threads_.clear();
  ::close(listener_);
}

std::string LoopbackServer::url(const std::string& target) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, target);
}

std::vector<Received> LoopbackServer::received() const {
  const std::scoped_lock lock(mutex_);
  return received_;
}

void LoopbackServer::listen() {
  for (int number = 1; !ending_;) {
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, 50) <= 0) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    threads_.emplace_back([this, socket, number] { serve(socket, number); });
    ++number;
  }
}

void LoopbackServer::serve(int socket, int number) {
  std::string text;
  while (!ending_) {
    std::size_t end = 0;
    while ((end = text.find("\r\n\r\n")) == std::string::npos)
      if (!receive_more(socket, text, ending_)) return void(::close(socket));
    Received request{.head = text.substr(0, end + 2), .connection = number};
    text.erase(0, end + 4);
    const auto blank = request.head.find(' ');
    request.method = request.head.substr(0, blank);
    request.target = request.head.substr(blank + 1, request.head.find(' ', blank + 1) - blank - 1);
    const auto head = lower(request.head);
    const auto length = head.find("content-length: ");
    const std::size_t wanted =
        length == std::string::npos ? 0 : std::strtoul(&head[length + 16], nullptr, 10);
    const bool chunked = head.find("transfer-encoding: chunked") != std::string::npos;
    const auto whole = [&] { return chunked ? text.ends_with("0\r\n\r\n") : text.size() >= wanted; };
    while (!whole())
      if (!receive_more(socket, text, ending_)) return void(::close(socket));
    request.body = chunked ? text : text.substr(0, wanted);
    text.erase(0, request.body.size());
    {
      const std::scoped_lock lock(mutex_);
      received_.push_back(request);
    }
    const auto reply = handler_(request);
    if (!send_all(socket, reply) || reply.empty() || reply.find("Connection: close") != std::string::npos)
      break;
  }
  ::close(socket);
}

}  // namespace alcove::net
