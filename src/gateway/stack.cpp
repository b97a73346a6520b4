#include "gateway/stack.h"

#include <fmt/format.h>

namespace alcove::gateway {
namespace {

bool may_pass(const Error& error) {
  return error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Overloaded;
}

bool is_cover(const Outcome& page) {
  return !page.error && page.register_regions > 0 && page.subject_regions > 0;
}

class Apart {
 public:
  Apart(const Claim& stack, Bytes content, const StackTools& tools, const std::stop_token& stop)
      : stack_(stack), content_(content), tools_(tools), stop_(stop) {}

  Result<bool> run() {
    const auto first = cut(1, 1);
    if (!first && may_pass(first.error())) return std::unexpected(first.error());
    if (!first || first->pages == 1) return false;
    pages_ = first->pages;
    first_ = TRY(tools_.ledger.pages_cut(stack_.uuid)) + 1;
    for (int page = first_; page <= pages_; ++page) {
      if (!tools_.may_go_on())
        return fail(ErrorKind::Unavailable, "the gateway is shutting down", "shutting_down");
      auto reading = TRY(look_at(page));
      if (page > first_ && is_cover(reading)) {
        TRY(enter(page - 1));
        first_ = page;
      }
      if (page == first_) cover_ = std::move(reading);
    }
    TRY(enter(pages_));
    return true;
  }

 private:
  Result<imaging::Cut> cut(int first, int last) const {
    return tools_.cut(content_, {.first = first - 1, .last = last - 1, .password = stack_.password});
  }

  // A page that cannot be opened is nobody's cover: it stays with the sheet before it.
  Result<Outcome> look_at(int page) const {
    const auto alone = cut(page, page);
    if (!alone && may_pass(alone.error())) return std::unexpected(alone.error());
    if (!alone) return Outcome{.error = alone.error()};
    return tools_.readers.read({.uuid = fmt::format("{}-{}", stack_.uuid, page),
                                .file_name = stack_.file_name,
                                .exam_type = stack_.exam_type,
                                .password = {},
                                .content = as_bytes(alone->document)},
                               std::chrono::milliseconds(stack_.age_ms), stop_);
  }

  Result<void> enter(int last) const {
    const auto sheet = TRY(cut(first_, last));
    const auto claim = TRY(tools_.ledger.cut_out(stack_, tools_.owner,
                                                 {.first_page = first_,
                                                  .last_page = last,
                                                  .is_last = last == pages_,
                                                  .content = as_bytes(sheet.document)}));
    tools_.entered(claim, cover_);
    return {};
  }

  const Claim& stack_;
  const Bytes content_;
  const StackTools& tools_;
  const std::stop_token& stop_;
  int pages_ = 1;
  int first_ = 1;  // page of the sheet under way
  Outcome cover_;  // the reading of that page
};

}  // namespace

Result<bool> take_apart(const Claim& stack, Bytes content, const StackTools& tools,
                        const std::stop_token& stop) {
  return Apart(stack, content, tools, stop).run();
}

}  // namespace alcove::gateway
