#include "imaging/decode_messages.h"

#include <gtest/gtest.h>

#include <csignal>
#include <random>

#include "imaging/testing.h"

namespace alcove::imaging {
namespace {

PageRequest request_of() {
  PageRequest request{.file_bytes = 77, .options = {}};
  request.options = {
      .limits = {.pixels = 1000, .side = 100, .pages = 5}, .password = "sheet", .page = 3, .dpi = 99.5};
  return request;
}

Result<WorkerReply> heard(const WorkerReply& reply) {
  return parse_reply(as_bytes(to_message(reply)), request_of().options.limits);
}

TEST(DecodeMessages, ARequestArrivesAsItWas) {
  const auto request = parse_request(as_bytes(to_message(request_of())));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->file_bytes, 77u);
  EXPECT_EQ(request->options.limits.pixels, 1000u);
  EXPECT_EQ(request->options.limits.side, 100);
  EXPECT_EQ(request->options.limits.pages, 5);
  EXPECT_EQ(request->options.password, "sheet");
  EXPECT_EQ(request->options.page, 3);
  EXPECT_EQ(request->options.dpi, 99.5);
}

TEST(DecodeMessages, ARepliedPageIsWithinItsLimits) {
  const auto page = heard(PageAt{.address = 1000, .width = 100, .height = 10, .pages = 5});
  ASSERT_TRUE(page);
  EXPECT_EQ(std::get<PageAt>(*page).address, 1000u);
  EXPECT_EQ(std::get<PageAt>(*page).width, 100);
  const auto cut = heard(CutAt{.address = 1000, .bytes = 10, .pages = 5});
  ASSERT_TRUE(cut);
  EXPECT_EQ(std::get<CutAt>(*cut).bytes, 10u);
  for (const CutAt& lie : {CutAt{0, 0, 1}, CutAt{0, 1, 0}, CutAt{0, 1, 6}}) EXPECT_FALSE(heard(lie));
  for (const PageAt& lie :
       {PageAt{0, 101, 1, 1}, PageAt{0, 1, 101, 1}, PageAt{0, 0, 10, 1}, PageAt{0, 10, -1, 1},
        PageAt{0, 10, 10, 0}, PageAt{0, 10, 10, 6}, PageAt{0, 100, 11, 1}})
    EXPECT_FALSE(heard(lie)) << lie.width << " " << lie.height << " " << lie.pages;
}

TEST(DecodeMessages, ARepliedErrorIsOneThatAFileCanCause) {
  const auto error = heard(Error{ErrorKind::TooLarge, "too large; scan it smaller", "too_many_pixels"});
  ASSERT_TRUE(error);
  EXPECT_EQ(std::get<Error>(*error).kind, ErrorKind::TooLarge);
  EXPECT_EQ(std::get<Error>(*error).message, "too large; scan it smaller");
  EXPECT_EQ(std::get<Error>(*error).code, "too_many_pixels");
  for (const Error& lie :
       {Error{ErrorKind::Internal, "broken", "x"}, Error{static_cast<ErrorKind>(99), "x", "x"},
        Error{ErrorKind::Unreadable, "line\nbreak", "x"}, Error{ErrorKind::Unreadable, "caf\xC3\xA9", "x"},
        Error{ErrorKind::Unreadable, "x", "Not A Code"},
        Error{ErrorKind::Unreadable, "x", std::string(60, 'x')}})
    EXPECT_FALSE(heard(lie)) << lie.message;
}

TEST(DecodeMessages, AnyOtherBytesAreNoReply) {
  std::mt19937 random(5);
  for (const WorkerReply& reply :
       {WorkerReply(PageAt{0, 100, 10, 5}), WorkerReply(Error{ErrorKind::Unreadable, "x", "y"}),
        WorkerReply(WorkerEnded{9, 5, 1})}) {
    const auto whole = buffer(to_message(reply));
    const auto limits = request_of().options.limits;
    for (std::size_t size = 0; size < 3; ++size) EXPECT_FALSE(parse_reply(Bytes(whole).first(size), limits));
    for (int round = 0; round < 200; ++round) {
      const auto changed = parse_reply(with_flips(whole, random), limits);
      if (!changed || !std::holds_alternative<PageAt>(*changed)) continue;
      const auto& page = std::get<PageAt>(*changed);
      EXPECT_LE(1LL * page.width * page.height, 1000);
    }
  }
}

TEST(DecodeMessages, TheEndOfAWorkerHasAReason) {
  constexpr std::uint64_t kMemory = 1000, kCpu = 10;
  const auto code = [](WorkerEnded ended) { return reason_of(ended, kMemory, kCpu).code; };
  EXPECT_EQ(code({SIGSEGV, 10, 0}), "damaged");
  EXPECT_EQ(code({SIGABRT, 499, 9}), "damaged");
  EXPECT_EQ(code({0, 10, 0}), "damaged");
  EXPECT_EQ(code({SIGABRT, 900, 1}), "too_much_memory");
  EXPECT_EQ(code({SIGKILL, 10, 1}), "too_much_memory");
  EXPECT_EQ(code({SIGXCPU, 900, 9}), "too_slow");
  EXPECT_EQ(code({SIGKILL, 10, 11}), "too_slow");
}

}  // namespace
}  // namespace alcove::imaging
