#include "store/trail.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/testing.h"

namespace alcove::store {
namespace {

using Faults = std::vector<std::string>;

class Trail : public testing::TestWithParam<Dialect> {
 protected:
  void SetUp() override {
    if (GetParam() == Dialect::Postgres) server_ = std::make_unique<TestPostgres>();
    auto opened = Connection::open(server_ ? server_->url() : folder_ / "test.sqlite");
    ASSERT_TRUE(opened) << opened.error().message;
    connection_ = std::make_unique<Connection>(*std::move(opened));
    ASSERT_TRUE(migrate(*connection_, "trail", kTrailSchema));
  }

  TrailHead add(const std::string& what) {
    auto head = connection_->transaction([&] {
      return append(*connection_, {"anna", what, "uuid-1", R"({"margin":4.5})"}, 1'700'000'000'000);
    });
    EXPECT_TRUE(head) << head.error().message;
    return head.value_or(TrailHead{});
  }
  void add_ten() {
    for (int i = 1; i <= 10; ++i) last_ = add(fmt::format("step {}", i));
  }
  Faults faults(const std::optional<TrailHead>& known = {}) {
    auto check = verify_trail(*connection_, known);
    EXPECT_TRUE(check) << check.error().message;
    return check ? check->faults : Faults{"not read"};
  }
  void run(const std::string& sql) { ASSERT_TRUE(connection_->script(sql)) << sql; }

  TestFolder folder_;
  std::unique_ptr<TestPostgres> server_;
  std::unique_ptr<Connection> connection_;
  TrailHead last_;
};

TEST_P(Trail, IsSoundAsItWasWritten) {
  EXPECT_EQ(faults(), Faults{});
  add_ten();
  EXPECT_EQ(last_.rows, 10);
  EXPECT_EQ(verify_trail(*connection_)->head, last_);
  EXPECT_EQ(faults(last_), Faults{});
}

TEST_P(Trail, NamesEveryRowThatWasChanged) {
  add_ten();
  for (const auto* column : {"who", "what", "about", "detail"}) {
    const auto before = connection_->first(fmt::format("SELECT {} FROM trail WHERE number = 4", column));
    run(fmt::format("UPDATE trail SET {} = 'x' WHERE number = 4", column));
    EXPECT_EQ(faults(), Faults{"row 4 was changed"}) << column;
    run(fmt::format("UPDATE trail SET {} = '{}' WHERE number = 4", column, (*before)->text(0)));
  }
  run("UPDATE trail SET at = at + 1 WHERE number = 9");
  EXPECT_EQ(faults(), Faults{"row 9 was changed"});
}

TEST_P(Trail, NamesWhatIsMissing) {
  add_ten();
  run("DELETE FROM trail WHERE number = 3");
  EXPECT_EQ(faults(), Faults{"row 3 is missing"});
  run("DELETE FROM trail WHERE number IN (1, 4, 5)");
  EXPECT_EQ(faults(), (Faults{"row 1 is missing", "rows 3 to 5 are missing"}));
  run("DELETE FROM trail WHERE number > 8");
  EXPECT_EQ(faults(), (Faults{"row 1 is missing", "rows 3 to 5 are missing", "rows 9 to 10 are missing"}));
  run("DELETE FROM trail");
  EXPECT_EQ(faults(), Faults{"rows 1 to 10 are missing"});
}

TEST_P(Trail, NamesWhatWasPutInOrMovedUp) {
  add_ten();
  run("DELETE FROM trail WHERE number = 6; UPDATE trail SET number = number - 1 WHERE number > 6");
  EXPECT_FALSE(faults().empty()) << "closing the gap breaks what follows";
  EXPECT_EQ(faults().front(), "row 6 does not follow from the row before it");
}

// With the whole database in hand one can write a chain anew; an end noted on paper finds that.
TEST_P(Trail, AnEndNotedElsewhereFindsANewChain) {
  add_ten();
  const auto noted = last_;
  run("DELETE FROM trail; UPDATE trail_head SET rows = 0, hash = ''");
  for (int i = 1; i <= 12; ++i) add("forged");
  EXPECT_EQ(faults(), Faults{});
  EXPECT_EQ(faults(noted), Faults{"row 10 is not the one that was noted"});
  EXPECT_EQ(faults(TrailHead{20, "abc"}),
            Faults{"there were 20 rows when the end was noted; now there are 12"});
}

TEST_P(Trail, AnEventOfAnUndoneTransactionNeverWas) {
  add_ten();
  const auto undone = connection_->transaction([&]() -> Result<TrailHead> {
    TRY(append(*connection_, {"anna", "undone", "", ""}, 0));
    return fail(ErrorKind::Internal, "on purpose");
  });
  EXPECT_FALSE(undone);
  EXPECT_EQ(faults(last_), Faults{});
  EXPECT_EQ(add("after").rows, 11);
}

INSTANTIATE_TEST_SUITE_P(Both, Trail, testing::Values(Dialect::Sqlite, Dialect::Postgres),
                         [](const auto& tested) {
                           return tested.param == Dialect::Sqlite ? "Sqlite" : "Postgres";
                         });

}  // namespace
}  // namespace alcove::store
