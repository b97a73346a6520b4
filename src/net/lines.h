#pragma once
// Bodies that come as lines while they are made: NDJSON, and events as text/event-stream.

#include <functional>
#include <string>

#include "base/bytes.h"

namespace alcove::net {

// Puts pieces together to lines, without their LF or CR LF. A line over the limit is TooLarge.
class LineSplitter {
 public:
  using Take = std::function<Result<void>(std::string_view line)>;
  explicit LineSplitter(Take take, std::size_t most_bytes = 1u << 20)
      : take_(std::move(take)), most_bytes_(most_bytes) {}

  Result<void> add(Bytes piece);
  Result<void> end();  // hands over a last line that has no line break

 private:
  Result<void> hand_over(std::string_view line);

  Take take_;
  std::size_t most_bytes_;
  std::string rest_;
};

struct Event {
  std::string name;  // "message" where the stream names none
  std::string data;  // lines joined by LF
  std::string id;
};

// Reads lines of an event stream; an empty line ends an event. Comments and events without data are skipped,
// as the HTML standard says (9.2.6, interpreting an event stream).
class EventReader {
 public:
  using Take = std::function<Result<void>(const Event& event)>;
  explicit EventReader(Take take) : take_(std::move(take)) {}

  Result<void> line(std::string_view line);

 private:
  Take take_;
  Event event_;
  bool has_data_ = false;
};

}  // namespace alcove::net
