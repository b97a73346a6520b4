// What stands between a device and those who ask: the fallback, the batches, the gate of f16.

#include <gtest/gtest.h>

#include <latch>
#include <limits>
#include <mutex>
#include <thread>

#include "engine/fallback.h"
#include "engine/gather.h"
#include "engine/half_gate.h"
#include "engine/plugin.h"

namespace alcove::engine {
namespace {

using Numbers = std::vector<float>;
using Answer = std::function<Result<std::vector<Array>>(std::span<const Input>)>;

class FakeSession : public Session {
 public:
  explicit FakeSession(Answer answer) : answer_(std::move(answer)) {}
  Result<std::vector<Array>> run(std::span<const Input> inputs) override { return answer_(inputs); }
  Result<void> warm_up(std::span<const std::int64_t> shape) override {
    const Numbers zeros(64);
    TRY(Session::run(shape, zeros));
    return {};
  }
  using Session::run;
  Precision precision() const override { return Precision::F32; }
  bool loaded_from_cache() const override { return false; }

 private:
  Answer answer_;
};

std::unique_ptr<Session> answering(Answer answer) { return std::make_unique<FakeSession>(std::move(answer)); }
std::unique_ptr<Session> giving(Numbers numbers) {
  return answering(
      [=](auto) { return std::vector<Array>{{{1, static_cast<std::int64_t>(numbers.size())}, numbers}}; });
}
std::unique_ptr<Session> failing(ErrorKind kind, const char* code) {
  return answering([=](auto) -> Result<std::vector<Array>> { return fail(kind, "CUDA failure", code); });
}

const Shape kOne{1, 1};
const Numbers kZero{0};

class Fallback : public testing::Test {
 protected:
  std::unique_ptr<Session> over(std::unique_ptr<Session> device) {
    return with_fallback(
        std::move(device),
        [this]() -> Result<std::unique_ptr<Session>> {
          ++made;
          return giving({7});
        },
        lost);
  }
  int made = 0;
  std::atomic<bool> lost = false;
};

TEST_F(Fallback, IsNotMadeWhileTheDeviceAnswers) {
  EXPECT_EQ(over(giving({5}))->run(kOne, kZero)->front().values, Numbers{5});
  EXPECT_EQ(made, 0);
}

TEST_F(Fallback, ARunWithoutRoomIsDoneByTheCpuAndTheDeviceStays) {
  auto session = over(failing(ErrorKind::Unavailable, kDeviceFull));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(session->run(kOne, kZero)->front().values, Numbers{7});
  EXPECT_EQ(made, 1);
  EXPECT_FALSE(lost);
}

TEST_F(Fallback, ALostDeviceIsLeftByAllOfItsSessions) {
  auto other = over(giving({5}));
  EXPECT_EQ(over(failing(ErrorKind::Unavailable, kDeviceLost))->run(kOne, kZero)->front().values, Numbers{7});
  EXPECT_TRUE(lost);
  EXPECT_EQ(other->run(kOne, kZero)->front().values, Numbers{7});
  EXPECT_TRUE(other->warm_up(kOne));
}

TEST_F(Fallback, ANumberThatIsNoneIsNoAnswer) {
  EXPECT_EQ(over(giving({1, std::numeric_limits<float>::infinity()}))->run(kOne, kZero)->front().values,
            Numbers{7});
  EXPECT_FALSE(lost);
}

TEST_F(Fallback, TheModelsOwnErrorsAreHandedOn) {
  const auto refused = over(failing(ErrorKind::BadInput, ""))->run(kOne, kZero);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::BadInput);
  EXPECT_EQ(made, 0);
}

// Doubles [N,2] into rows [N,2] and columns [2,N], and notes each batch; a latch holds the first one.
struct Doubler {
  std::mutex mutex;
  std::vector<std::int64_t> batches;
  std::latch* hold = nullptr;

  Result<std::vector<Array>> run(std::span<const Input> inputs) {
    const auto values = std::get<std::span<const float>>(inputs[0].values);
    const auto count = inputs[0].shape[0];
    bool first = false;
    {
      std::lock_guard lock(mutex);
      first = batches.empty();
      batches.push_back(count);
    }
    if (first && hold) hold->wait();
    Array rows{{count, 2}, {}}, columns{{2, count}, Numbers(values.size())};
    for (std::size_t i = 0; i < values.size(); ++i) {
      rows.values.push_back(2 * values[i]);
      columns.values[i % 2 * static_cast<std::size_t>(count) + i / 2] = 2 * values[i];
    }
    return std::vector<Array>{rows, columns};
  }
};

const std::vector<graph::Port> kImages{{"images", graph::ElementType::F32, {{-1, "N"}, {2, ""}}}};
const std::vector<graph::Port> kRowsAndColumns{{"rows", graph::ElementType::F32, {{-1, "N"}, {2, ""}}},
                                               {"columns", graph::ElementType::F32, {{2, ""}, {-1, "N"}}}};

std::unique_ptr<Session> gathered(Doubler& doubler) {
  return gathering(answering([&](auto inputs) { return doubler.run(inputs); }), kImages, kRowsAndColumns, 8);
}

TEST(Gathering, FillsUpToFewSizesAndGivesEachItsOwn) {
  Doubler doubler;
  auto session = gathered(doubler);
  for (const std::int64_t count : {1, 3, 8, 5, 9}) {
    Numbers values;
    for (std::int64_t i = 0; i < 2 * count; ++i) values.push_back(static_cast<float>(i));
    const auto out = session->run(Shape{count, 2}, values);
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ((*out)[0].shape, (Shape{count, 2}));
    EXPECT_EQ((*out)[1].shape, (Shape{2, count}));
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ((*out)[0].values[i], 2 * values[i]);
      EXPECT_EQ((*out)[1].values[i % 2 * static_cast<std::size_t>(count) + i / 2], 2 * values[i]);
    }
  }
  EXPECT_EQ(doubler.batches, (std::vector<std::int64_t>{1, 4, 8, 8, 9}));
}

TEST(Gathering, WhoComesWhileABatchRunsGoesWithTheNext) {
  Doubler doubler;
  std::latch hold(1);
  doubler.hold = &hold;
  auto session = gathered(doubler);
  std::latch asked(12);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 12; ++i)
      threads.emplace_back([&, i] {
        const Numbers values{static_cast<float>(i), static_cast<float>(-i)};
        asked.count_down();
        const auto out = session->run(Shape{1, 2}, values);
        ASSERT_TRUE(out) << out.error().message;
        EXPECT_EQ((*out)[0].values, (Numbers{2.0F * static_cast<float>(i), -2.0F * static_cast<float>(i)}));
        EXPECT_EQ((*out)[1].values, (*out)[0].values);
      });
    asked.wait();
    std::this_thread::sleep_for(
        std::chrono::milliseconds(100));  // until they wait; if not, batches are smaller
    hold.count_down();
  }
  // One alone, and eleven in fewer runs than eleven.
  EXPECT_LT(doubler.batches.size(), 12U);
  for (const auto batch : doubler.batches) EXPECT_LE(batch, 8);
}

TEST(Gathering, AnErrorReachesEveryoneInTheBatch) {
  auto session = gathering(failing(ErrorKind::BadInput, ""), kImages, kRowsAndColumns, 8);
  EXPECT_EQ(session->run(Shape{3, 2}, Numbers(6)).error().kind, ErrorKind::BadInput);
  EXPECT_EQ(session->run(Shape{3, 2}, Numbers(5)).error().kind, ErrorKind::BadInput);
}

TEST(Gathering, AModelWhoseBatchCannotBeToldIsLeftAlone) {
  auto session = giving({1});
  const auto* as_it_was = session.get();
  auto outputs = kRowsAndColumns;
  outputs[1].shape[1].name = "other";
  session = gathering(std::move(session), kImages, outputs, 8);
  EXPECT_EQ(session.get(), as_it_was);
}

TEST(HalfGate, TakesHalfWhereTheNumbersStay) {
  auto session = half_if_alike(giving({10, 600, -3}), giving({10.01F, 600.5F, -3}), kImages, false);
  EXPECT_EQ(session->precision(), Precision::F32);
  ASSERT_TRUE(session->warm_up(Shape{1, 2}));
  EXPECT_EQ(session->precision(), Precision::F16);
  EXPECT_EQ(session->run(Shape{1, 2}, Numbers(2))->front().values[0], 10.01F);
}

TEST(HalfGate, StaysInF32WhereTheyDoNot) {
  for (const auto& half :
       {Numbers{10.5F, 600, -3}, Numbers{10, 600, std::numeric_limits<float>::quiet_NaN()}, Numbers{1}}) {
    auto session = half_if_alike(giving({10, 600, -3}), giving(half), kImages, false);
    EXPECT_EQ(session->run(Shape{1, 2}, Numbers(2))->front().values, (Numbers{10, 600, -3}));
    EXPECT_EQ(session->precision(), Precision::F32);
    const auto insisted = half_if_alike(giving({10, 600, -3}), giving(half), kImages, true);
    EXPECT_EQ(insisted->warm_up(Shape{1, 2}).error().kind, ErrorKind::Unsupported);
  }
}

TEST(HalfGate, ADeviceInTroubleIsNoVerdict) {
  auto session = half_if_alike(giving({1}), failing(ErrorKind::Unavailable, kDeviceFull), kImages, false);
  EXPECT_EQ(session->warm_up(Shape{1, 2}).error().code, kDeviceFull);
}

}  // namespace
}  // namespace alcove::engine
