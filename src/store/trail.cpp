#include "store/trail.h"

#include <fmt/format.h>

#include "base/sha256.h"

namespace alcove::store {
namespace {

struct TrailRow {
  std::int64_t number = 0, at = 0;
  TrailEvent event;
  std::string previous, hash;
};

// Each part with its length in front, so that no two rows give the same text.
std::string hash_of(const TrailRow& row) {
  std::string text;
  const auto number = fmt::format("{}", row.number), at = fmt::format("{}", row.at);
  for (const auto* part :
       {&number, &at, &row.event.who, &row.event.what, &row.event.about, &row.event.detail, &row.previous})
    text += fmt::format("{}:{},", part->size(), *part);
  return sha256_hex(as_bytes(text));
}

TrailRow row_of(const Row& row) {
  return {.number = row.integer(0),
          .at = row.integer(1),
          .event = {row.text(2), row.text(3), row.text(4), row.text(5)},
          .previous = row.text(6),
          .hash = row.text(7)};
}

class Checker {
 public:
  explicit Checker(const std::optional<TrailHead>& known) : known_(known) {}

  void check(const TrailRow& row) {
    const auto expected = check_.head.rows + 1;
    if (row.number > expected) missing(expected, row.number - 1);
    if (row.number < expected) fault(fmt::format("row {} does not belong there", row.number));
    if (row.number == expected && row.previous != check_.head.hash)
      fault(fmt::format("row {} does not follow from the row before it", row.number));
    if (hash_of(row) != row.hash) fault(fmt::format("row {} was changed", row.number));
    if (known_ && known_->rows == row.number && known_->hash != row.hash)
      fault(fmt::format("row {} is not the one that was noted", row.number));
    check_.head = {row.number, row.hash};
  }

  TrailCheck finish(const TrailHead& noted) {
    if (noted.rows > check_.head.rows) missing(check_.head.rows + 1, noted.rows);
    if (noted.rows <= check_.head.rows && noted != check_.head)
      fault("the end of the trail is not the one on record");
    if (known_ && known_->rows > check_.head.rows)
      fault(fmt::format("there were {} rows when the end was noted; now there are {}", known_->rows,
                        check_.head.rows));
    return std::move(check_);
  }

 private:
  void missing(std::int64_t first, std::int64_t last) {
    fault(first == last ? fmt::format("row {} is missing", first)
                        : fmt::format("rows {} to {} are missing", first, last));
  }
  void fault(std::string sentence) {
    if (check_.faults.size() < kMaxTrailFaults) check_.faults.push_back(std::move(sentence));
  }

  const std::optional<TrailHead>& known_;
  TrailCheck check_;
};

}  // namespace

Result<TrailHead> append(Connection& connection, const TrailEvent& event, std::int64_t at_ms) {
  // The head's row is what those who append at the same moment wait for.
  const auto head =
      TRY(connection.first("UPDATE trail_head SET rows = rows + 1 WHERE id = 1 RETURNING rows, hash"));
  if (!head) return fail(ErrorKind::Internal, "the trail has lost its head; run alcove gateway verify-trail");
  TrailRow row{
      .number = head->integer(0), .at = at_ms, .event = event, .previous = head->text(1), .hash = {}};
  row.hash = hash_of(row);
  TRY(connection.execute(
      "INSERT INTO trail (number, at, who, what, about, detail, previous, hash) VALUES ($1, $2, $3, $4, $5, "
      "$6, $7, $8)",
      row.number, row.at, event.who, event.what, event.about, event.detail, row.previous, row.hash));
  TRY(connection.execute("UPDATE trail_head SET hash = $1 WHERE id = 1", row.hash));
  return TrailHead{row.number, row.hash};
}

Result<TrailCheck> verify_trail(Connection& connection, const std::optional<TrailHead>& known) {
  Checker checker(known);
  TRY(connection.run("SELECT number, at, who, what, about, detail, previous, hash FROM trail ORDER BY number",
                     {}, [&](const Row& row) { checker.check(row_of(row)); }));
  const auto head = TRY(connection.first("SELECT rows, hash FROM trail_head WHERE id = 1"));
  return checker.finish(head ? TrailHead{head->integer(0), head->text(1)} : TrailHead{-1, "none"});
}

}  // namespace alcove::store
