#include "api/job_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

namespace alcove::api {
namespace {

class Collected final : public Outflow {
 public:
  bool send(std::string_view piece) override {
    const std::lock_guard lock(mutex_);
    text_.append(piece);
    return !gone;
  }
  void end() override { ended = true; }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  std::atomic<bool> gone{false}, ended{false};

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

TEST(JobStore, TheSameFilesUnderTheSameIdAreTheSameJob) {
  JobStore store;
  const auto first = store.put("a-1", "digest", 2);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->is_new);
  const auto again = store.put("a-1", "digest", 2);
  EXPECT_FALSE(again->is_new);
  EXPECT_EQ(again->job, first->job);
  EXPECT_EQ(store.put("a-1", "other", 2).error().code, "other_content");
  for (const auto* id : {"", "a b", "a/b", "\xc3\xa9"})
    EXPECT_EQ(store.put(id, "digest", 1).error().kind, ErrorKind::BadInput) << id;
  EXPECT_EQ(store.put(std::string(129, 'a'), "digest", 1).error().kind, ErrorKind::BadInput);
}

TEST(JobStore, ForgetsTheOldestThatIsDoneAndRefusesWhenNoneIs) {
  JobStore store({.jobs = 2});
  const auto first = store.put("1", "d", 1)->job;
  ASSERT_TRUE(store.put("2", "d", 1));
  EXPECT_EQ(store.put("3", "d", 1).error().kind, ErrorKind::Overloaded);
  first->end();
  EXPECT_TRUE(store.put("3", "d", 1));
  EXPECT_EQ(store.find("1").error().kind, ErrorKind::NotFound);
  EXPECT_NE(store.find("1").error().message.find("send it again"), std::string::npos);
}

TEST(JobStore, KeepsResultsWithinBytesAndAge) {
  JobStore small({.result_bytes = 100});
  const auto large = small.put("1", "d", 1)->job;
  large->result({{"value", std::string(200, 'x')}});
  EXPECT_TRUE(small.find("1")) << "what is still being read stays";
  large->end();
  EXPECT_FALSE(small.find("1"));
  JobStore brief({.age = std::chrono::seconds(0)});
  brief.put("1", "d", 1)->job->end();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(brief.find("1"));
}

TEST(Job, GivesItsResults) {
  Job job("1", "d", 2);
  job.result({{"index", 1}});
  EXPECT_EQ(job.to_text(), R"({"id":"1","state":"reading","files":2,"read":1,"results":[{"index":1}]})");
  job.result({{"index", 0}});
  job.end();
  EXPECT_EQ(parse_json(job.to_text())->at("state"), "done");
}

TEST(Job, IsFollowedFromWhereOneLeftOff) {
  Job job("1", "d", 2);
  job.result({{"index", 0}});
  const auto early = std::make_shared<Collected>(), late = std::make_shared<Collected>();
  job.follow(early, 0);
  job.result({{"index", 1}});
  job.follow(late, 1);
  EXPECT_FALSE(early->ended);
  EXPECT_FALSE(job.nothing_after(3));
  job.end();
  EXPECT_TRUE(early->ended && late->ended);
  const std::string last =
      "id: 2\nevent: result\ndata: {\"index\":1}\n\nid: 3\nevent: done\ndata: "
      "{\"id\":\"1\",\"files\":2,\"read\":2}\n\n";
  EXPECT_EQ(late->text(), "retry: 2000\n\n" + last);
  EXPECT_EQ(early->text(), "retry: 2000\n\nid: 1\nevent: result\ndata: {\"index\":0}\n\n" + last);
  EXPECT_TRUE(job.nothing_after(3));
  EXPECT_FALSE(job.nothing_after(2));
  const auto after = std::make_shared<Collected>();
  job.follow(after, 2);
  EXPECT_TRUE(after->ended);
  EXPECT_TRUE(after->text().ends_with("event: done\ndata: {\"id\":\"1\",\"files\":2,\"read\":2}\n\n"));
}

TEST(Job, IsNotReadOnceItIsRemoved) {
  JobStore store;
  const auto job = store.put("1", "d", 2)->job;
  const auto follower = std::make_shared<Collected>();
  job->follow(follower, 0);
  EXPECT_TRUE(job->wanted());
  EXPECT_TRUE(store.remove("1"));
  EXPECT_FALSE(job->wanted());
  EXPECT_TRUE(follower->ended);
  EXPECT_FALSE(store.remove("1"));
  EXPECT_TRUE(store.put("1", "other", 1)->is_new);
}

TEST(JobStore, GivesSignsOfLife) {
  JobStore store({.heartbeat = std::chrono::milliseconds(5)});
  const auto follower = std::make_shared<Collected>();
  store.put("1", "d", 1)->job->follow(follower, 0);
  while (follower->text().find(": still reading\n\n") == std::string::npos) std::this_thread::yield();
}

}  // namespace
}  // namespace alcove::api
