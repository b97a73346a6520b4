#include "store/migrations.h"

#include <gtest/gtest.h>

#include "store/testing.h"

namespace alcove::store {
namespace {

constexpr Migration kSteps[] = {
    {"people",
     "CREATE TABLE people (id {id}, photo {blob}, name TEXT NOT NULL); INSERT INTO people (name) VALUES "
     "('A')"},
    {"age", "ALTER TABLE people ADD COLUMN age BIGINT"},
};
constexpr Migration kBroken[] = {
    kSteps[0], kSteps[1], {"a typo", "CREATE TABLE more (i BIGINT); CREATE TALBE x"}};

class MigrationsOnBoth : public testing::TestWithParam<Dialect> {
 protected:
  Connection open() {
    if (GetParam() == Dialect::Postgres && !server_) server_ = std::make_unique<TestPostgres>();
    auto connection = Connection::open(server_ ? server_->url() : folder_ / "test.sqlite");
    if (!connection) throw std::runtime_error(connection.error().message);
    return *std::move(connection);
  }
  TestFolder folder_;
  std::unique_ptr<TestPostgres> server_;
};

TEST_P(MigrationsOnBoth, StepsRunOnceEachAndAllOrNone) {
  auto connection = open();
  const auto first = std::span(kSteps).first(1);
  for (int start = 0; start < 2; ++start) {
    const auto done = migrate(connection, "test", first);
    ASSERT_TRUE(done) << done.error().message;
  }
  EXPECT_EQ(connection.query("SELECT id FROM people")->size(), 1U);
  const auto broken = migrate(connection, "test", kBroken);
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find("a typo"), std::string::npos);
  EXPECT_FALSE(connection.query("SELECT age FROM people")) << "a step of a failed run was kept";
  ASSERT_TRUE(migrate(connection, "test", kSteps));
  EXPECT_TRUE(connection.query("SELECT age FROM people"));

  const auto older = migrate(connection, "test", first);
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, "newer_schema");
  EXPECT_NE(older.error().message.find("schema 2"), std::string::npos) << older.error().message;
  EXPECT_TRUE(migrate(connection, "other", std::span<const Migration>()))
      << "parts have versions of their own";
}

INSTANTIATE_TEST_SUITE_P(Migrations, MigrationsOnBoth, testing::Values(Dialect::Sqlite, Dialect::Postgres),
                         [](const auto& tested) {
                           return tested.param == Dialect::Sqlite ? "Sqlite" : "Postgres";
                         });

}  // namespace
}  // namespace alcove::store
