#include "store/connection.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <memory>

#include "store/testing.h"

namespace alcove::store {
namespace {

using namespace std::string_literals;

Connection opened(const std::string& address, const ConnectionOptions& options = {}) {
  auto connection = Connection::open(address, options);
  if (!connection) throw std::runtime_error(connection.error().message);
  return *std::move(connection);
}

// Every test of this kind runs on SQLite and on PostgreSQL.
class ConnectionOnBoth : public testing::TestWithParam<Dialect> {
 protected:
  std::string address() {
    if (GetParam() == Dialect::Sqlite) return folder_ / "test.sqlite";
    if (!server_) server_ = std::make_unique<TestPostgres>();
    return server_->url();
  }
  void sql(Connection& connection, const std::string& text) {
    const auto done = connection.script(text);
    ASSERT_TRUE(done) << done.error().message;
  }
  std::int64_t count(Connection& connection) {
    return (*connection.first("SELECT count(*) FROM t"))->integer(0);
  }

  TestFolder folder_;
  std::unique_ptr<TestPostgres> server_;
};

TEST_P(ConnectionOnBoth, ValuesComeBackAsTheyWentIn) {
  auto connection = opened(address());
  const auto blob = GetParam() == Dialect::Sqlite ? "BLOB"s : "BYTEA"s;
  sql(connection, "CREATE TABLE t (i BIGINT, r DOUBLE PRECISION, s TEXT, b " + blob + ", n TEXT)");
  const auto bytes = "\0\xff\x01 zero first"s;
  const std::optional<std::string> none;
  ASSERT_EQ(connection.execute("INSERT INTO t (i, r, s, b, n) VALUES ($1, $2, $3, $4, $5)",
                               std::int64_t{-9'007'199'254'740'993}, 0.1, "Größe'; DROP TABLE t; --",
                               as_bytes(bytes), none),
            1);
  const auto rows =
      connection.query("SELECT i, r, s, b, n FROM t WHERE s = $2 AND i < $1", 0, "Größe'; DROP TABLE t; --");
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 1U);
  const auto& row = rows->front();
  EXPECT_EQ(row.integer(0), -9'007'199'254'740'993);
  EXPECT_EQ(row.real(1), 0.1);
  EXPECT_EQ(row.text(2), "Größe'; DROP TABLE t; --");
  EXPECT_EQ(as_text(row.blob(3)), bytes);
  EXPECT_TRUE(row.is_null(4));
  EXPECT_EQ(row.text_or_none(4), std::nullopt);
  // Empty is not NULL.
  ASSERT_EQ(connection.execute("UPDATE t SET s = $1, b = $2", std::string_view(), Bytes()), 1);
  EXPECT_EQ((*connection.first("SELECT count(*) FROM t WHERE s = '' AND b IS NOT NULL"))->integer(0), 1);
  // One statement, several types in one place.
  EXPECT_EQ(connection.execute("UPDATE t SET i = $1", nullptr), 1);
  EXPECT_EQ(connection.execute("UPDATE t SET i = $1", 7), 1);
  EXPECT_EQ((*connection.first("INSERT INTO t (i) VALUES ($1) RETURNING i + 1", 8))->integer(0), 9);
}

TEST_P(ConnectionOnBoth, ATransactionIsAllOrNothing) {
  auto connection = opened(address());
  sql(connection, "CREATE TABLE t (i BIGINT PRIMARY KEY)");
  const auto failed = connection.transaction([&]() -> Result<void> {
    TRY(connection.execute("INSERT INTO t (i) VALUES ($1)", 1));
    TRY(connection.execute("INSERT INTO t (i) VALUES ($1)", 1));
    return {};
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, kConstraint);
  EXPECT_EQ(count(connection), 0);
  const auto done =
      connection.transaction([&] { return connection.execute("INSERT INTO t (i) VALUES ($1)", 1); });
  EXPECT_EQ(done, 1);
  EXPECT_EQ(count(connection), 1);
}

TEST_P(ConnectionOnBoth, AStatementThatFailsLeavesTheConnectionUsable) {
  auto connection = opened(address());
  sql(connection, "CREATE TABLE t (i BIGINT NOT NULL)");
  EXPECT_EQ(connection.execute("INSERT INTO t (i) VALUES ($1)", nullptr).error().code, kConstraint);
  EXPECT_FALSE(connection.query("SELECT nothing FROM nowhere"));
  EXPECT_EQ(connection.execute("INSERT INTO t (i) VALUES ($1)", 1), 1);
  EXPECT_EQ(connection.execute("DELETE FROM t WHERE i = $1", 2), 0);
}

TEST_P(ConnectionOnBoth, ALockOfOthersIsBusyAfterSomePatience) {
  const auto where = address();
  auto holder = opened(where);
  auto other = opened(where, {.patience = std::chrono::milliseconds(50)});
  sql(holder, "CREATE TABLE t (i BIGINT)");
  sql(holder, "BEGIN");
  sql(holder, GetParam() == Dialect::Sqlite ? "INSERT INTO t (i) VALUES (1)" : "LOCK TABLE t");
  const auto refused = other.transaction([&] { return other.execute("INSERT INTO t (i) VALUES ($1)", 2); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, kBusy);
  EXPECT_EQ(refused.error().kind, ErrorKind::Overloaded);
  sql(holder, "COMMIT");
  EXPECT_EQ(other.execute("INSERT INTO t (i) VALUES ($1)", 2), 1);
}

TEST_P(ConnectionOnBoth, ReadOnlyWritesNothing) {
  const auto where = address();
  auto writer = opened(where);
  sql(writer, "CREATE TABLE t (i BIGINT)");
  auto reader = opened(where, {.read_only = true});
  EXPECT_EQ(reader.execute("INSERT INTO t (i) VALUES ($1)", 1).error().code, kReadOnly);
  EXPECT_EQ(count(reader), 0);
}

TEST_P(ConnectionOnBoth, RowsComeOneByOne) {
  auto connection = opened(address());
  sql(connection, "CREATE TABLE t (i BIGINT)");
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(connection.execute("INSERT INTO t (i) VALUES ($1)", i));
  std::int64_t sum = 0;
  ASSERT_TRUE(connection.run("SELECT i FROM t", {}, [&](const Row& row) { sum += row.integer(0); }));
  EXPECT_EQ(sum, 499'500);
}

INSTANTIATE_TEST_SUITE_P(Store, ConnectionOnBoth, testing::Values(Dialect::Sqlite, Dialect::Postgres),
                         [](const auto& tested) {
                           return tested.param == Dialect::Sqlite ? "Sqlite" : "Postgres";
                         });

TEST(Sqlite, ASecondProcessIsRefusedByName) {
  TestFolder folder;
  const auto path = folder / "one.sqlite";
  auto first = std::make_unique<Connection>(opened(path, {.exclusive = true}));
  const auto second = Connection::open(path, {.exclusive = true});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "database_in_use");
  EXPECT_NE(second.error().message.find(path), std::string::npos);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos)
      << second.error().message;
  EXPECT_TRUE(Connection::open(path)) << "a backup reads beside it";
  first.reset();
  EXPECT_TRUE(Connection::open(path, {.exclusive = true}));
}

TEST(Sqlite, BelongsToItsOwnerAndKeepsItsWordsInAnIndex) {
  TestFolder folder;
  const auto path = folder / "one.sqlite";
  auto connection = opened(path);
  ASSERT_TRUE(connection.script("CREATE VIRTUAL TABLE words USING fts5(text)"));
  ASSERT_TRUE(connection.execute("INSERT INTO words (text) VALUES ($1)", "graph transformers"));
  EXPECT_EQ(connection.query("SELECT text FROM words WHERE words MATCH $1", "graph")->size(), 1U);
  for (const auto* file : {"one.sqlite", "one.sqlite-wal"}) {
    struct stat status{};
    ASSERT_EQ(::stat((folder / file).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << file;
  }
  EXPECT_EQ((*connection.first("PRAGMA synchronous"))->integer(0), 2);
}

TEST(Sqlite, WhatIsNoDatabaseIsSaidSo) {
  TestFolder folder;
  const auto path = folder / "page.sqlite";
  std::ofstream(path) << std::string(8192, '<');
  const auto connection = Connection::open(path);
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, kDamaged);
  EXPECT_EQ(Connection::open(folder / "none/x.sqlite").error().code, kReadOnly);
  EXPECT_FALSE(Connection::open(folder / "absent.sqlite", {.read_only = true}));
}

TEST(Sqlite, AFullDiskIsToldApartAndCostsNothingThatWasThere) {
  TestFolder folder;
  auto connection = opened(folder / "one.sqlite");
  ASSERT_TRUE(connection.script("CREATE TABLE t (b BLOB)"));
  ASSERT_TRUE(connection.execute("INSERT INTO t (b) VALUES ($1)", as_bytes("small")));
  // A limit on the size of files stands for the disk's.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{64 << 10, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto refused =
      connection.execute("INSERT INTO t (b) VALUES ($1)", as_bytes(std::string(1 << 20, 'x')));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, kDiskFull) << refused.error().message;
  EXPECT_EQ((*connection.first("SELECT count(*) FROM t"))->integer(0), 1);
  EXPECT_TRUE(connection.execute("INSERT INTO t (b) VALUES ($1)", as_bytes("again")));
}

TEST(Sqlite, ACopyIsTheWholeDatabase) {
  TestFolder folder;
  auto connection = opened(folder / "one.sqlite");
  ASSERT_TRUE(connection.script("CREATE TABLE t (i BIGINT); INSERT INTO t VALUES (1), (2)"));
  const auto copied = connection.copy_to(folder / "copy.sqlite");
  ASSERT_TRUE(copied) << copied.error().message;
  auto copy = opened(folder / "copy.sqlite");
  EXPECT_EQ((*copy.first("SELECT sum(i) FROM t"))->integer(0), 3);
}

TEST(Postgres, AServerThatGoesAwayIsReachedAgain) {
  TestPostgres server;
  auto connection = opened(server.url());
  ASSERT_TRUE(connection.script("CREATE TABLE t (i BIGINT)"));
  ASSERT_TRUE(connection.query("SELECT i FROM t"));
  server.stop();
  for (int time = 0; time < 2; ++time) {
    const auto refused = connection.query("SELECT i FROM t");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, kUnreachable) << refused.error().message;
  }
  server.run();
  // The first statement may still meet the old connection.
  (void)connection.query("SELECT i FROM t");
  const auto again = connection.query("SELECT i FROM t");
  EXPECT_TRUE(again) << again.error().message;
}

TEST(Postgres, AnAddressWithoutServerIsASentence) {
  const auto connection =
      Connection::open("postgres://nobody:secret@127.0.0.1:1/x", {.patience = std::chrono::seconds(2)});
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, kUnreachable);
  EXPECT_EQ(connection.error().message.find("secret"), std::string::npos);
}

TEST(Address, ThePasswordIsNotShown) {
  EXPECT_EQ(without_password("postgres://office:s3cret@db/exams?sslmode=require"),
            "postgres://office@db/exams");
  EXPECT_EQ(without_password("postgres://office@db:5432/exams"), "postgres://office@db:5432/exams");
  EXPECT_EQ(without_password("data/a:b@c.sqlite"), "data/a:b@c.sqlite");
}

}  // namespace
}  // namespace alcove::store
