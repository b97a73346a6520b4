#include "imaging/descriptors.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace alcove::imaging {

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Result<std::pair<Descriptor, Descriptor>> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(ErrorKind::Unavailable,
                "this process has no file descriptors left; raise its limit of open files");
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

namespace {

using std::chrono::steady_clock;

constexpr std::size_t kPart = 1 << 16;  // fits a socket's buffer as systems have it

bool send(const Descriptor& socket, iovec part, const Descriptor* along, int flags = 0) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (along) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = along->number();
    std::memcpy(CMSG_DATA(rights), &number, sizeof number);
  }
  ssize_t sent = 0;
  do sent = ::sendmsg(socket.number(), &header, MSG_NOSIGNAL | flags);
  while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(part.iov_len);
}

// Nothing more will come.
bool has_ended(const Descriptor& socket) {
  pollfd watched{socket.number(), POLLRDHUP, 0};
  return ::poll(&watched, 1, 0) > 0 && (watched.revents & (POLLHUP | POLLRDHUP)) != 0;
}

}  // namespace

bool send_message(const Descriptor& socket, const std::string& message, const Descriptor* along) {
  return send(socket, {const_cast<char*>(message.data()), message.size()}, along);
}

void offer_message(const Descriptor& socket, const std::string& message) {
  send(socket, {const_cast<char*>(message.data()), message.size()}, nullptr, MSG_DONTWAIT);
}

std::optional<Message> receive_message(const Descriptor& socket, Along along) {
  Message message{.text = std::string(kLongestMessage, '\0'), .along = {}};
  iovec part{message.text.data(), message.text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  // Without room for them the system itself drops what descriptors come along.
  if (along == Along::Accepted) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
  ssize_t received = 0;
  do received = ::recvmsg(socket.number(), &header, MSG_CMSG_CLOEXEC);
  while (received < 0 && errno == EINTR);
  if (received < 0 || (received == 0 && has_ended(socket))) return std::nullopt;
  message.text.resize(static_cast<std::size_t>(received));
  const cmsghdr* rights = header.msg_controllen > 0 ? CMSG_FIRSTHDR(&header) : nullptr;
  if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(rights), sizeof number);
    message.along = Descriptor(number);
  }
  return message;
}

bool send_bytes(const Descriptor& socket, Bytes bytes) {
  while (!bytes.empty()) {
    const Bytes part = bytes.first(std::min(bytes.size(), kPart));
    iovec where{const_cast<std::uint8_t*>(part.data()), part.size()};
    if (!send(socket, where, nullptr)) return false;
    bytes = bytes.subspan(part.size());
  }
  return true;
}

bool receive_bytes(const Descriptor& socket, std::span<std::uint8_t> out,
                   std::chrono::milliseconds patience) {
  while (!out.empty()) {
    if (!hears(socket, steady_clock::now() + patience)) return false;
    const auto count = ::recv(socket.number(), out.data(), std::min(out.size(), kPart), 0);
    if (count <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool is_abandoned(const Descriptor& socket) {
  pollfd watched{socket.number(), 0, 0};
  return ::poll(&watched, 1, 0) > 0 && (watched.revents & POLLHUP) != 0;
}

bool hears(const Descriptor& socket, steady_clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    pollfd watched{socket.number(), POLLIN, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready > 0) return true;
    if (left <= 0) return false;
  }
}

}  // namespace alcove::imaging
