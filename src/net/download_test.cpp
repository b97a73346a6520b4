#include "net/download.h"

#include <gtest/gtest.h>

#include <fstream>

#include "net/testing.h"

namespace alcove::net {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::string kContent = [] {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>('a' + i * 7 % 26);
  return text;
}();

class DownloadTest : public testing::Test {
 protected:
  void SetUp() override {
    part_ = fs::path(testing::TempDir()) /
            (std::string("download_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove(part_);
  }
  void TearDown() override { fs::remove(part_); }

  std::string stored() const {
    std::ifstream in(part_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void store(const std::string& text) const { std::ofstream(part_, std::ios::binary) << text; }

  Result<Downloaded> fetch(const LoopbackServer& server,
                           std::optional<std::uint64_t> size = kContent.size()) {
    return download(client_,
                    {.request = {.url = server.url()}, .part = part_, .size = size, .rule = {.first = 1ms}});
  }

  Client client_;
  fs::path part_;
};

std::size_t range_of(const Received& request) {
  const auto at = request.head.find("Range: bytes=");
  return at == std::string::npos ? 0 : std::stoul(request.head.substr(at + 13));
}

// The rest of the content from where Range asks for it, at most `most` bytes of it and then a hang-up.
std::string ranged(const Received& request, std::size_t most = kContent.size()) {
  const auto start = range_of(request);
  const auto rest = kContent.size() - start;
  std::string head = start ? "HTTP/1.1 206 Part\r\nContent-Range: bytes " + std::to_string(start) + "-" +
                                 std::to_string(kContent.size() - 1) + "/" + std::to_string(kContent.size()) +
                                 "\r\n"
                           : std::string("HTTP/1.1 200 OK\r\n");
  head += "Content-Length: " + std::to_string(rest) + "\r\nConnection: close\r\n\r\n";
  return head + kContent.substr(start, most);
}

TEST_F(DownloadTest, FetchesAWhole) {
  LoopbackServer server([](const Received& request) { return ranged(request); });
  const auto done = fetch(server);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(stored(), kContent);
}

TEST_F(DownloadTest, GoesOnAfterEachCut) {
  LoopbackServer server([](const Received& request) { return ranged(request, 11'000); });
  const auto done = fetch(server);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(stored(), kContent);
  EXPECT_EQ(server.received().size(), 10U);
}

TEST_F(DownloadTest, GoesOnWhereAnEarlierRunEnded) {
  store(kContent.substr(0, 60'000));
  LoopbackServer server([](const Received& request) { return ranged(request); });
  ASSERT_TRUE(fetch(server));
  EXPECT_EQ(stored(), kContent);
  EXPECT_EQ(range_of(server.received().front()), 60'000U);
}

TEST_F(DownloadTest, AsksForNothingWhenAllIsThere) {
  store(kContent);
  LoopbackServer server([](const Received& request) { return ranged(request); });
  ASSERT_TRUE(fetch(server));
  EXPECT_TRUE(server.received().empty());
}

TEST_F(DownloadTest, BeginsAnewWhereRangeIsIgnored) {
  store(std::string(60'000, '!'));
  LoopbackServer server([](const Received&) { return http_reply(200, kContent); });
  ASSERT_TRUE(fetch(server));
  EXPECT_EQ(stored(), kContent);
}

TEST_F(DownloadTest, EndsWhenEveryTryStartsOver) {
  LoopbackServer server([](const Received&) { return ranged({}, 5'000); });
  const auto done = fetch(server);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "cut");
  EXPECT_LE(server.received().size(), 6U);
}

TEST_F(DownloadTest, BeginsAnewAfter416) {
  store(std::string(60'000, '!'));
  LoopbackServer server([](const Received& request) {
    return range_of(request) ? http_reply(416, "") : http_reply(200, kContent);
  });
  ASSERT_TRUE(fetch(server));
  EXPECT_EQ(stored(), kContent);
}

TEST_F(DownloadTest, RefusesAnotherPartAndMoreThanAnnounced) {
  store(kContent.substr(0, 100));
  LoopbackServer liar([](const Received&) {
    return http_reply(206, kContent.substr(0, 50), "Content-Range: bytes 0-49/100000\r\n");
  });
  EXPECT_EQ(fetch(liar).error().code, "range");
  fs::remove(part_);
  LoopbackServer flood([](const Received&) { return http_reply(200, kContent); });
  EXPECT_EQ(fetch(flood, 1'000).error().kind, ErrorKind::TooLarge);
}

TEST_F(DownloadTest, GivesRefusalsBackWithoutTouchingTheFile) {
  store("abc");
  LoopbackServer server([](const Received&) { return http_reply(404, "no such file"); });
  const auto done = fetch(server);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->reply.status, 404);
  EXPECT_EQ(done->reply.body, "no such file");
  EXPECT_EQ(stored(), "abc");
}

TEST_F(DownloadTest, TakesAnEmptyBody) {
  LoopbackServer server([](const Received&) { return http_reply(200, ""); });
  const auto done = fetch(server, std::nullopt);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->size, 0U);
}

TEST_F(DownloadTest, SaysWhenItCannotWrite) {
  LoopbackServer server([](const Received& request) { return ranged(request); });
  const auto full =
      download(client_, {.request = {.url = server.url()}, .part = "/dev/full", .rule = {.first = 1ms}});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, "disk_full");
  const auto missing = download(client_, {.request = {.url = server.url()}, .part = "/nowhere/file"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "not_writable");
}

}  // namespace
}  // namespace alcove::net
