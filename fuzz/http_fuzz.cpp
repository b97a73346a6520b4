// Any request to the answer-sheet Space, without sockets: a line `METHOD path?query`, headers, an empty line,
// a body. Every one is answered, none with a fault of ours.

#include <array>
#include <cstdlib>
#include <future>

#include "api/sheet_service.h"
#include "base/log.h"
#include "sheets/testing.h"

namespace {

using namespace alcove;
using namespace alcove::api;

std::string_view cut(std::string_view& text, char end) {
  const auto at = std::min(text.find(end), text.size());
  const auto part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

Request request_of(std::string_view text) {
  constexpr std::array kMethods{Method::Get,   Method::Post,    Method::Put,  Method::Delete,
                                Method::Patch, Method::Options, Method::Other};
  Request request{.query = {}, .headers = {}, .body = {}, .id = {}, .declared_length = {}, .memory = {}};
  auto line = cut(text, '\n');
  const auto method = cut(line, ' ');
  request.method = Method::Other;
  for (const auto known : kMethods)
    if (name_of(known) == method) request.method = known;
  request.path = percent_decoded(cut(line, '?'));
  request.query = line;
  for (auto header = cut(text, '\n'); !header.empty(); header = cut(text, '\n')) {
    const auto name = cut(header, ':');
    request.headers.emplace_back(name, trimmed(header));
  }
  request.body = text;
  return request;
}

// A body in pieces; the status is told when it ends.
class Pieces final : public Outflow {
 public:
  Pieces(std::shared_ptr<std::promise<int>> status, int head) : status_(std::move(status)), head_(head) {}
  bool send(std::string_view) override { return true; }
  void end() override { status_->set_value(head_); }

 private:
  const std::shared_ptr<std::promise<int>> status_;
  const int head_;
};

// A Space whose sheets are all unreadable.
class Space {
 public:
  Space()
      : space_({.models = "/nowhere", .workers = 1, .queue = 4},
               [] {
                 return Result<std::shared_ptr<sheets::SheetReader>>(std::make_shared<sheets::FakeReader>(
                     [](const imaging::Image&) { return sheets::SheetReading(); }));
               }),
        service_({}, space_, [](sheets::SheetReader&, Bytes, const PageOptions&) -> Result<PageReading> {
          return fail(ErrorKind::Unreadable, "no page", "damaged");
        }) {
    set_log_level(LogLevel::Error);
    space_.start();
    while (!space_.state().reader) std::this_thread::yield();
  }

  int ask(Request request) {
    if (const auto refused = service_.refuse(request)) return refused->status;
    const auto status = std::make_shared<std::promise<int>>();
    service_.handle(std::move(request),
                    {.send = [status](const Reply& reply) { status->set_value(reply.status); },
                     .gone = [] { return false; },
                     .stream = [status](const Reply& head) -> std::shared_ptr<Outflow> {
                       return std::make_shared<Pieces>(status, head.status);
                     }});
    return status->get_future().get();
  }

 private:
  SheetSpace space_;
  SheetService service_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Space space;
  auto request = request_of({reinterpret_cast<const char*>(data), size});
  (void)form_value(request.query, "preview");
  (void)header_parameter(request.header("content-type"), "boundary");
  (void)prefers_html(request.header("accept"));
  const int status = space.ask(std::move(request));
  if (status < 200 || status >= 500) std::abort();
  return 0;
}
