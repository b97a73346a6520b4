// Any request to the answer-sheet Space, without sockets: a line `METHOD path?query`, headers, an empty line,
// a body. Every one is answered, none with a fault of ours.

#include <cstdlib>
#include <future>

#include "api/sheet_service.h"
#include "base/log.h"

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
    request.headers.emplace_back(name, header);
  }
  request.body = text;
  return request;
}

// A Space whose sheets are all unreadable.
class Space {
 public:
  Space()
      : space_({.models = "/nowhere", .workers = 1, .queue = 4},
               [] { return fail(ErrorKind::NotFound, "Model weights not found"); }),
        service_({}, space_, [](sheets::SheetReader&, Bytes, const PageOptions&) -> Result<PageReading> {
          return fail(ErrorKind::Unreadable, "no page", "damaged");
        }) {
    set_log_level(LogLevel::Error);
  }

  int ask(Request request) {
    if (const auto refused = service_.refuse(request)) return refused->status;
    std::promise<int> status;
    service_.handle(std::move(request),
                    {[&](Reply reply) { status.set_value(reply.status); }, [] { return false; }});
    return status.get_future().get();
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
  // 503: it never has its models.
  if (status < 200 || (status >= 500 && status != 503)) std::abort();
  return 0;
}
