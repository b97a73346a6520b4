#include "net/lines.h"

#include <fmt/format.h>

namespace alcove::net {

Result<void> LineSplitter::hand_over(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return take_(line);
}

Result<void> LineSplitter::add(Bytes piece) {
  auto text = as_text(piece);
  while (true) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (rest_.size() + line.size() > most_bytes_)
      return fail(ErrorKind::TooLarge,
                  fmt::format("a line of the reply is longer than {} bytes", most_bytes_));
    if (end == std::string_view::npos) {
      rest_ += line;
      return {};
    }
    if (rest_.empty()) {
      TRY(hand_over(line));
    } else {
      rest_ += line;
      const auto whole = std::exchange(rest_, {});
      TRY(hand_over(whole));
    }
    text.remove_prefix(end + 1);
  }
}

Result<void> LineSplitter::end() {
  if (rest_.empty()) return {};
  const auto last = std::exchange(rest_, {});
  return hand_over(last);
}

Result<void> EventReader::line(std::string_view line) {
  if (line.empty()) {
    auto event = std::exchange(event_, {});
    event_.id = event.id;  // stays until another is given
    if (!std::exchange(has_data_, false)) return {};
    if (event.name.empty()) event.name = "message";
    return take_(event);
  }
  const auto colon = line.find(':');
  const auto field = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    if (std::exchange(has_data_, true)) event_.data += '\n';
    event_.data += value;
  } else if (field == "event") {
    event_.name = value;
  } else if (field == "id") {
    event_.id = value;
  }
  return {};
}

}  // namespace alcove::net
