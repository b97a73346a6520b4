#include "gateway/readers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <mutex>

#include "net/testing.h"

namespace alcove::gateway {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kHealthy = R"({"status":"ok","service":"Answer Sheet ML Inference"})";

std::string reading_of(std::string_view number) {
  return fmt::format(R"({{"success":true,"register_number":"{0}","subject_code":"CS1",
    "register_candidates":[{{"value":"{0}","confidence":0.9,"detection_confidence":0.9}}],
    "subject_candidates":[{{"value":"CS1","confidence":0.9,"detection_confidence":0.9}}]}})",
                     number);
}

std::string json(int status, std::string_view body) {
  return net::http_reply(status, std::string(body), "Content-Type: application/json\r\n");
}
std::string html(int status, std::string_view body) {
  return net::http_reply(status, std::string(body), "Content-Type: text/html\r\n");
}

// A Space that does what the test says.
class FakeSpace {
 public:
  FakeSpace()
      : server_([this](const net::Received& received) {
          const std::lock_guard lock(mutex_);
          if (received.target == "/extract") ++asked_;
          const auto found = replies_.find(received.target);
          return found == replies_.end() ? json(404, R"({"detail":"Not Found"})") : found->second;
        }) {
    set("/health", json(200, kHealthy));
    set("/extract", json(200, reading_of("111")));
  }
  void set(const std::string& target, std::string reply) {
    const std::lock_guard lock(mutex_);
    replies_[target] = std::move(reply);
  }
  int asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  std::vector<net::Received> received(std::string_view target) const {
    auto all = server_.received();
    std::erase_if(all, [&](const net::Received& each) { return each.target != target; });
    return all;
  }
  SpaceSettings settings() const {
    auto url = server_.url("");
    return {.address = {url, url + "/logs"},
            .reading = milliseconds(3'000),
            .probe = milliseconds(3'000),
            .first_look = milliseconds(10),
            .open_circuit = milliseconds(60'000)};
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> replies_;
  int asked_ = 0;
  net::LoopbackServer server_;  // last: its threads use the rest
};

Result<std::string> here(const SheetToRead&) { return reading_of("222"); }
const SheetToRead kSheet{
    .uuid = "u", .file_name = "a.pdf", .exam_type = "CIA1", .password = {}, .content = as_bytes("%PDF")};

Result<Outcome> read(Readers& readers) { return readers.read(kSheet, milliseconds(0), {}); }

TEST(Readers, TheSpaceComesFirstAndThisProgramSecond) {
  FakeSpace fake;
  Space space(fake.settings());
  Figures figures;
  Readers readers({.hold = milliseconds(10'000)}, &space, here, figures);
  const auto first = read(readers);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->served_by, Server::Remote);
  EXPECT_EQ(first->register_number, "111");
  fake.set("/extract", json(500, R"({"detail":"boom"})"));
  const auto second = read(readers);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->served_by, Server::Local);
  EXPECT_EQ(second->register_number, "222");
  EXPECT_EQ(second->fallback, "http_500");
  EXPECT_NE(figures.text().find("alcove_gateway_fallbacks_total{reason=\"http_500\"} 1"), std::string::npos);
}

TEST(Readers, WhateverMisbehavesEndsInTheLocalReader) {
  const auto whole = json(200, reading_of("111"));
  const std::string scripts[] = {
      html(200, "<html>sign in</html>"),
      html(503, "<html>building</html>"),
      net::http_reply(302, "", "Location: https://huggingface.co/login\r\n"),
      json(200, reading_of("111").substr(0, 60)),
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2000000000\r\n\r\n{",
      whole.substr(0, whole.size() - 20),  // closed in the middle of the body
      json(200, R"({"success":true,"register_number":"1","subject_code":null,"subject_candidates":[],
                "register_candidates":[{"value":"1","confidence":7,"detection_confidence":1}]})"),
      json(401, R"({"detail":"no"})"),
      std::string(),  // hangs up without a word
  };
  for (const auto& script : scripts) {
    FakeSpace fake;
    fake.set("/extract", script);
    Space space(fake.settings());
    Figures figures;
    Readers readers({.hold = milliseconds(10'000)}, &space, here, figures);
    const auto outcome = read(readers);
    ASSERT_TRUE(outcome) << script << outcome.error().message;
    EXPECT_EQ(outcome->served_by, Server::Local) << script;
    // libcurl asks once more when a connection that it had kept open turns out to be closed.
    EXPECT_LE(fake.asked(), script.empty() ? 2 : 1) << script;
    EXPECT_FALSE(outcome->fallback.empty());
  }
}

TEST(Readers, ADeadSpaceCostsThreeSheetsAndThenNone) {
  FakeSpace fake;
  fake.set("/extract", json(500, R"({"detail":"boom"})"));
  Space space(fake.settings());
  Figures figures;
  Readers readers({.hold = milliseconds(10'000)}, &space, here, figures);
  for (int sheet = 0; sheet < 12; ++sheet) {
    ASSERT_TRUE(read(readers));
    // Health says that all is well, so only the failures in a row can open the circuit.
    for (int look = 0; look < 500 && !space.may_read() && !space.view().circuit_open; ++look)
      std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(fake.asked(), 3);
  EXPECT_TRUE(space.view().circuit_open);
}

TEST(Readers, ASpaceThatWakesIsWaitedFor) {
  FakeSpace fake;
  fake.set("/health", html(503, "<html>starting</html>"));
  Space space(fake.settings());
  Figures figures;
  Readers readers({.hold = milliseconds(60'000)}, &space, here, figures);
  std::thread waker([&] {
    while (space.view().state != SpaceState::Waking) std::this_thread::sleep_for(milliseconds(5));
    fake.set("/health", json(200, kHealthy));
  });
  const auto outcome = read(readers);
  waker.join();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->served_by, Server::Remote);
  EXPECT_EQ(space.view().cold_starts, 1);
}

TEST(Readers, ASpaceThatWakesForTooLongIsNot) {
  FakeSpace fake;
  fake.set("/health", html(503, "<html>starting</html>"));
  Space space(fake.settings());
  Figures figures;
  Readers readers({.hold = milliseconds(200)}, &space, here, figures);
  const auto outcome = read(readers);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->served_by, Server::Local);
  EXPECT_EQ(outcome->fallback, "waking");
}

TEST(Readers, AnOldSpaceWithExtractAloneIsEnough) {
  FakeSpace fake;
  fake.set("/health", html(404, "nothing here"));
  Space space(fake.settings());
  Figures figures;
  Readers readers({.policy = Policy::RemoteOnly, .hold = milliseconds(10'000)}, &space, here, figures);
  const auto outcome = read(readers);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->served_by, Server::Remote);
}

TEST(Readers, TokensGoWhereTheyBelong) {
  FakeSpace fake;
  auto settings = fake.settings();
  settings.token = "of-the-space";
  settings.hub_token = "hf_of-the-hub";
  Space space(settings);
  Figures figures;
  Readers readers({.policy = Policy::RemoteOnly, .hold = milliseconds(10'000)}, &space, here, figures);
  ASSERT_TRUE(read(readers));
  for (const auto* target : {"/health", "/extract"}) {
    const auto asked = fake.received(target);
    ASSERT_FALSE(asked.empty());
    EXPECT_NE(asked.front().head.find("\r\nAuthorization: Bearer of-the-space\r\n"), std::string::npos)
        << target;
    EXPECT_NE(asked.front().head.find("\r\nX-HF-Authorization: Bearer hf_of-the-hub\r\n"), std::string::npos);
  }
}

TEST(Readers, ASheetThatAProxyCutsGoesByTheJobUnderOneId) {
  FakeSpace fake;
  fake.set("/extract", html(504, "<html>time is over</html>"));
  fake.set("/jobs/u", json(202, R"({"id":"u","state":"reading","results":[]})"));
  Space space(fake.settings());
  Figures figures;
  Readers readers({.policy = Policy::RemoteOnly, .hold = milliseconds(10'000)}, &space, here, figures);
  std::thread done([&] {
    while (fake.received("/jobs/u").size() < 3) std::this_thread::sleep_for(milliseconds(5));
    fake.set("/jobs/u", json(200, R"({"id":"u","state":"done","results":[{"index":0,"status":200,)" +
                                      reading_of("333").substr(1) + "]}"));
  });
  const auto outcome = read(readers);
  done.join();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->register_number, "333");
  EXPECT_EQ(outcome->served_by, Server::Remote);
  EXPECT_EQ(fake.asked(), 1) << "it is sent for reading once";
  EXPECT_NE(fake.received("/extract").front().head.find("Idempotency-Key: u\r\n"), std::string::npos);
  EXPECT_EQ(fake.received("/jobs/u").front().method, "PUT");
}

TEST(Readers, TheFastestOfThoseThatAreThere) {
  FakeSpace fake;
  fake.set("/health", html(503, "<html>starting</html>"));
  Space space(fake.settings());
  Figures figures;
  Readers readers({.policy = Policy::Fastest, .hold = milliseconds(600'000)}, &space, here, figures);
  const auto asleep = read(readers);
  ASSERT_TRUE(asleep) << "nobody waits for a Space that sleeps while somebody else can read";
  EXPECT_EQ(asleep->served_by, Server::Local);
  fake.set("/health", json(200, kHealthy));
  for (int looks = 0; !space.may_read() && looks < 2'000; ++looks) {
    space.wake();
    std::this_thread::sleep_for(milliseconds(5));
  }
  ASSERT_TRUE(space.may_read());
  // Until reading here was seen to be quicker, a Space that answers within a millisecond is.
  EXPECT_EQ(read(readers)->served_by, Server::Remote);
}

TEST(Readers, RemoteOnlyNeverReadsHereAndSaysWhereTheLogsAre) {
  FakeSpace fake;
  fake.set("/extract", json(401, R"({"detail":"no"})"));
  Space space(fake.settings());
  Figures figures;
  Readers readers({.policy = Policy::RemoteOnly, .hold = milliseconds(10'000)}, &space, here, figures);
  const auto outcome = read(readers);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(outcome.error().message.find("HF_SPACE_TOKEN"), std::string::npos) << outcome.error().message;
  EXPECT_NE(outcome.error().message.find("/logs"), std::string::npos);
}

TEST(Readers, LocalFirstAsksTheSpaceOnlyWhenItHasTo) {
  FakeSpace fake;
  Space space(fake.settings());
  Figures figures;
  Readers readers({.policy = Policy::LocalFirst, .hold = milliseconds(10'000)}, &space, here, figures);
  EXPECT_EQ(read(readers)->served_by, Server::Local);
  EXPECT_EQ(fake.asked(), 0);
  const auto broken = [](const SheetToRead&) -> Result<std::string> {
    return fail(ErrorKind::Unavailable, "no models", "models_failed");
  };
  Readers without({.policy = Policy::LocalFirst, .hold = milliseconds(10'000)}, &space, broken, figures);
  const auto outcome = read(without);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->served_by, Server::Remote);
  EXPECT_EQ(outcome->fallback, "models_failed");
}

TEST(Readers, WithNeitherTheySayWhatToDo) {
  Figures figures;
  Readers readers({}, nullptr, {}, figures);
  EXPECT_FALSE(readers.any());
  EXPECT_NE(readers.advice().find("HF_SPACE_URL"), std::string::npos);
  EXPECT_FALSE(read(readers));
}

}  // namespace
}  // namespace alcove::gateway
