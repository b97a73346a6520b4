// Any order of joining, working, listening, hanging up and cancelling; no call may be told twice to one
// listener.

#include <cstdlib>
#include <string>
#include <vector>

#include "api/gradio_queue.h"

namespace {

struct Listener final : alcove::api::Outflow {
  bool send(std::string_view piece) override {
    if (ended) std::abort();
    bytes += piece.size();
    return !gone;
  }
  void end() override { ended = true; }

  bool gone = false, ended = false;
  std::size_t bytes = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  api::GradioQueue queue({.sessions = 4, .calls = 3});
  std::vector<std::string> events{"unknown"};
  std::vector<std::shared_ptr<Listener>> listeners;
  for (std::size_t i = 0; i + 1 < size && i < 400; i += 2) {
    const auto session = "s" + std::to_string(data[i + 1] % 6);
    const auto event = events[data[i + 1] % events.size()];
    switch (data[i] % 8) {
      case 0:
        if (auto joined = queue.join(session)) events.push_back(*joined);
        break;
      case 1: queue.begin(event); break;
      case 2: queue.finish(event, std::string("[1]")); break;
      case 3: queue.finish(event, fail(ErrorKind::Unreadable, "no")); break;
      case 4: queue.cancel(event); break;
      case 5: queue.listen(session, listeners.emplace_back(std::make_shared<Listener>())); break;
      case 6: queue.listen_to_call(event, listeners.emplace_back(std::make_shared<Listener>())); break;
      default:
        if (!listeners.empty()) listeners[data[i + 1] % listeners.size()]->gone = true;
    }
    (void)queue.wanted(event);
  }
  return 0;
}
