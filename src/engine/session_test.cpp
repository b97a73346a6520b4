#include "engine/session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <thread>

namespace alcove::engine {
namespace {

// A network that gives back its input, and tells what was asked of it.
struct Diary {
  std::mutex mutex;
  std::vector<Shape> compiled;
  std::function<void(const Shape&)> while_compiling = [](const Shape&) {};
};

class Echo : public Compiled {
 public:
  Result<std::vector<Array>> run(std::span<const Input> inputs) override {
    std::vector<Array> arrays;
    for (const auto& [shape, values] : inputs)
      std::visit(
          [&](const auto& numbers) {
            arrays.push_back({{shape.begin(), shape.end()}, {numbers.begin(), numbers.end()}});
          },
          values);
    return arrays;
  }
  Result<std::string> write_blob() override { return "blob"; }
};

class EchoNetwork : public Network {
 public:
  explicit EchoNetwork(Diary& diary) : diary_(diary) {}
  Result<std::shared_ptr<Compiled>> compile(std::span<const Shape> shapes) override {
    const auto& sizes = shapes.front();
    {
      std::lock_guard lock(diary_.mutex);
      diary_.compiled.push_back(sizes);
    }
    diary_.while_compiling(sizes);
    if (sizes.back() == 13) return fail(ErrorKind::BadInput, "thirteen is refused");
    return std::make_shared<Echo>();
  }
  Result<std::shared_ptr<Compiled>> import_blob(Bytes, std::shared_ptr<const void>) override {
    return fail(ErrorKind::Unreadable, "no blobs here");
  }

 private:
  Diary& diary_;
};

std::unique_ptr<Session> session_on(Diary& diary) {
  const graph::Port input{"images", graph::ElementType::F32, {{-1, "N"}, {3, ""}, {-1, "W"}}};
  return make_session(std::make_unique<EchoNetwork>(diary), {.inputs = {input}});
}

TEST(Session, CompilesAShapeOnce) {
  Diary diary;
  auto session = session_on(diary);
  ASSERT_TRUE(session->warm_up(Shape{1, 3, 4}));
  ASSERT_TRUE(session->warm_up(Shape{1, 3, 4}));
  ASSERT_TRUE(session->warm_up(Shape{1, 3, 5}));
  EXPECT_EQ(diary.compiled, (std::vector<Shape>{{1, 3, 4}, {1, 3, 5}}));
}

TEST(Session, OneCompilationServesEveryBatch) {
  Diary diary;
  auto session = session_on(diary);
  for (const std::int64_t count : {2, 3, 7, 1}) {
    const auto out =
        session->run(Shape{count, 3, 4}, std::vector<float>(static_cast<std::size_t>(count) * 12));
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(out->front().shape.front(), count);
  }
  EXPECT_EQ(diary.compiled, (std::vector<Shape>{{kAnySize, 3, 4}}));
}

TEST(Session, KeepsTheLastFewShapes) {
  Diary diary;
  auto session = session_on(diary);
  const auto kept = static_cast<std::int64_t>(kKeptShapes);
  for (std::int64_t width = 1; width <= kept; ++width)
    ASSERT_TRUE(session->warm_up(Shape{1, 3, 100 + width}));
  ASSERT_TRUE(session->warm_up(Shape{1, 3, 101}));  // used again, so that 102 is the oldest
  ASSERT_TRUE(session->warm_up(Shape{1, 3, 99}));
  const auto before = diary.compiled.size();
  ASSERT_TRUE(session->warm_up(Shape{1, 3, 101}));
  EXPECT_EQ(diary.compiled.size(), before);
  ASSERT_TRUE(session->warm_up(Shape{1, 3, 102}));
  EXPECT_EQ(diary.compiled.size(), before + 1);
}

TEST(Session, ThreadsThatWantOneShapeCompileItOnce) {
  Diary diary;
  std::latch all_there(8);
  auto session = session_on(diary);
  std::atomic<int> answered = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      all_there.arrive_and_wait();
      answered += session->warm_up(Shape{1, 3, 4}).has_value();
    });
  threads.clear();
  EXPECT_EQ(answered, 8);
  EXPECT_EQ(diary.compiled.size(), 1u);
}

TEST(Session, ACompilationHoldsUpNoOtherShape) {
  Diary diary;
  std::latch started(1);
  std::latch let_go(1);
  diary.while_compiling = [&](const Shape& shape) {
    if (shape.back() != 4) return;
    started.count_down();
    let_go.wait();
  };
  auto session = session_on(diary);
  std::jthread slow([&] { EXPECT_TRUE(session->warm_up(Shape{1, 3, 4})); });
  started.wait();
  EXPECT_TRUE(session->warm_up(Shape{1, 3, 5}));  // would never return behind the other
  let_go.count_down();
}

TEST(Session, WhatFailedToCompileIsTriedAgain) {
  Diary diary;
  auto session = session_on(diary);
  for (int i = 0; i < 2; ++i) {
    const auto out = session->warm_up(Shape{1, 3, 13});
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().kind, ErrorKind::BadInput);
  }
  EXPECT_EQ(diary.compiled.size(), 2u);
}

TEST(Session, AShapeOfAnotherModelIsRefusedBeforeAnythingIsCompiled) {
  Diary diary;
  auto session = session_on(diary);
  const std::int64_t huge = std::int64_t{1} << 40;
  for (const auto& shape : {Shape{}, Shape{1, 3}, Shape{1, 4, 4}, Shape{0, 3, 4}, Shape{-1, 3, 4},
                            Shape{1, 3, 4, 1}, Shape{huge, 3, huge}}) {
    const auto out = session->run(shape, std::vector<float>(12));
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().kind, ErrorKind::BadInput);
    EXPECT_NE(out.error().message.find("images [N,3,W]"), std::string::npos) << out.error().message;
  }
  const auto out = session->run(Shape{1, 3, 4}, std::vector<float>(11));
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().message, "an input of shape 1x3x4 has 12 numbers, not 11");
  EXPECT_TRUE(diary.compiled.empty());
}

std::unique_ptr<Session> text_session_on(Diary& diary) {
  const auto port = [](const char* name) {
    return graph::Port{name, graph::ElementType::I64, {{-1, "batch"}, {-1, "tokens"}}};
  };
  return make_session(std::make_unique<EchoNetwork>(diary), {.inputs = {port("ids"), port("mask")}});
}

TEST(Session, TextsOfAnyNumberAndLengthAreCompiledOnce) {
  Diary diary;
  auto session = text_session_on(diary);
  ASSERT_TRUE(session->warm_up(Shape{1, 8}));
  const std::vector<std::int64_t> ids{1, 2, 3, 4, 5, 6}, mask(6, 1);
  for (const auto& shape : {Shape{2, 3}, Shape{3, 2}, Shape{1, 6}}) {
    const auto out = session->run(std::vector<Input>{{shape, ids}, {shape, mask}});
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(out->at(0).values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(out->at(1).shape, shape);
  }
  EXPECT_EQ(diary.compiled, (std::vector<Shape>{{kAnySize, kAnySize}}));
}

TEST(Session, InputsThatDoNotFitAreRefused) {
  Diary diary;
  auto session = text_session_on(diary);
  const Shape shape{1, 2};
  const std::vector<std::int64_t> ids(2);
  const std::vector<float> floats(2);
  EXPECT_FALSE(session->run(std::vector<Input>{{shape, ids}}));
  EXPECT_FALSE(session->run(std::vector<Input>{{shape, ids}, {shape, floats}}));
  EXPECT_FALSE(session->run(shape, floats));
  EXPECT_TRUE(diary.compiled.empty());
}

}  // namespace
}  // namespace alcove::engine
