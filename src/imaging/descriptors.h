#pragma once
// File descriptors that close themselves, and messages that carry them between processes.

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"

namespace alcove::imaging {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// Two ends of a socket that keeps messages apart. Unavailable when the process has no descriptors left.
Result<std::pair<Descriptor, Descriptor>> socket_pair();

// False: nobody is at the other end.
bool send_message(const Descriptor& socket, const std::string& message, const Descriptor* along = nullptr);
// The same without ever waiting: lost when whoever is at the other end has not read what lies there already.
void offer_message(const Descriptor& socket, const std::string& message);

struct Message {
  std::string text;  // cut to kLongestMessage
  Descriptor along;  // one at most, and none unless it was asked for
};
constexpr std::size_t kLongestMessage = 4096;
enum class Along { Refused, Accepted };
// Waits for it. None: nobody is at the other end any more.
std::optional<Message> receive_message(const Descriptor& socket, Along along = Along::Refused);

// Many bytes, in as many messages as it takes. False: nobody is at the other end, or it is silent for longer
// than `patience`.
bool send_bytes(const Descriptor& socket, Bytes bytes);
bool receive_bytes(const Descriptor& socket, std::span<std::uint8_t> out, std::chrono::milliseconds patience);

// Everybody at the other end has closed it. Nothing they sent can say so: an empty message looks like the end
// to who only reads.
bool is_abandoned(const Descriptor& socket);

// Whether something can be received, be it the end, until then.
bool hears(const Descriptor& socket, std::chrono::steady_clock::time_point until);

}  // namespace alcove::imaging
