#include "imaging/page_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace alcove::imaging {
namespace {

struct Shelf {
  std::shared_ptr<PageShelf> shelf = std::make_shared<PageShelf>(2);
  std::pair<Descriptor, Descriptor> ends = *socket_pair();  // the pool's and the worker's

  // A page of 100 x 100 was left, seen and forgotten.
  std::uint8_t* use() {
    auto memory = shelf->take();
    std::uint8_t* const bytes = memory->bytes().data();
    EXPECT_TRUE(shelf->image(100, 100, std::move(memory), std::move(ends.first)));
    return bytes;
  }
};

TEST(PageShelf, LendsAgainWhatADeadWorkerHad) {
  Shelf had;
  std::uint8_t* const bytes = had.use();
  send_message(had.ends.second, "it may have said anything");
  had.ends.second = Descriptor();
  const auto again = had.shelf->take();
  EXPECT_EQ(again->bytes().data(), bytes);
  EXPECT_EQ(again->written(), kLargePage) << "30,000 bytes of it";
}

TEST(PageShelf, NoWordMakesAWorkerDead) {
  for (const auto* word : {"", "words", "\0"}) {
    Shelf had;
    had.use();
    for (int i = 0; i < 20; ++i) send_message(had.ends.second, word);
    EXPECT_EQ(had.shelf->take()->written(), 0u) << "it is another one, that nobody has written to";
  }
}

TEST(PageShelf, WhoHasAnsweredIsToldToEnd) {
  Shelf had;
  had.use();
  pollfd worker{had.ends.second.number(), POLLRDHUP, 0};
  EXPECT_EQ(::poll(&worker, 1, 1000), 1);
  EXPECT_TRUE(worker.revents & POLLRDHUP);
}

TEST(PageShelf, AnImageOutlivesItAndEndsOnAnyThread) {
  Shelf had;
  auto memory = had.shelf->take();
  std::ranges::fill(memory->bytes().first(12), 7);
  auto image = had.shelf->image(2, 2, std::move(memory), std::move(had.ends.first));
  had.shelf.reset();
  const Image copy = *image;
  std::jthread([gone = *std::move(image)] {}).join();
  EXPECT_TRUE(std::ranges::all_of(copy.pixels, [](int value) { return value == 7; }));
}

TEST(PageMemory, CanNeitherShrinkNorGrow) {
  const auto memory = PageMemory::make();
  EXPECT_NE(::ftruncate(memory->descriptor().number(), 0), 0);
  EXPECT_NE(::ftruncate(memory->descriptor().number(), 1 << 30), 0);
}

TEST(PageMemory, HoldsPagesAndNothingBehindThem) {
  const auto memory = PageMemory::make();
  const auto bytes = memory->bytes();
  bytes[0] = bytes[9'999] = bytes[kLargePage] = bytes.back() = 1;
  ::madvise(bytes.data(), 4096, MADV_REMOVE);
  ASSERT_TRUE(memory->hold(10'000));
  EXPECT_EQ(memory->written(), kLargePage);
  EXPECT_EQ(bytes[9'999], 1);
  EXPECT_EQ(bytes[kLargePage], 0);
  EXPECT_EQ(bytes.back(), 0);
  ASSERT_TRUE(memory->hold(kLargePage + 1));
  ASSERT_TRUE(memory->hold(5));
  EXPECT_EQ(memory->written(), 2 * kLargePage);
}

TEST(LentPixels, GoToTheFirstThatFit) {
  alignas(64) std::uint8_t room[kPixelFront + 100] = {};
  const std::span<std::uint8_t> bytes(room + kPixelFront, 100);
  static int given_back;
  given_back = 0;
  const auto give_back = [](void* owner) { given_back += *static_cast<int*>(owner); };
  int owner = 1;
  {
    const LentPixels lent(bytes, &owner, give_back);
    const Pixels too_large(101), first(100), second(100);
    EXPECT_NE(too_large.data(), bytes.data());
    EXPECT_EQ(first.data(), bytes.data());
    EXPECT_NE(second.data(), bytes.data());
    const Pixels copy = first;
    EXPECT_NE(copy.data(), bytes.data());
    EXPECT_EQ(given_back, 0);
  }
  EXPECT_EQ(given_back, 1);
  { const LentPixels never_taken(bytes, &owner, give_back); }
  EXPECT_EQ(given_back, 2);
  EXPECT_NE(Pixels(100).data(), bytes.data());
}

}  // namespace
}  // namespace alcove::imaging
