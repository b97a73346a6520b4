#pragma once
// What was done, by whom and when: a table that is only ever added to, in which each row carries the hash of
// the one before. docs/formats/trail.md says how anybody can check it without this program.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/migrations.h"

namespace alcove::store {

inline constexpr std::array kTrailSchema{Migration{"trail", R"(
CREATE TABLE trail (
  number BIGINT PRIMARY KEY,           -- 1, 2, 3, … without gaps
  at BIGINT NOT NULL,                  -- milliseconds since 1970, UTC
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  about TEXT NOT NULL,
  detail TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL);
CREATE TABLE trail_head (
  id BIGINT PRIMARY KEY,               -- 1: there is one row
  rows BIGINT NOT NULL,
  hash TEXT NOT NULL);
INSERT INTO trail_head (id, rows, hash) VALUES (1, 0, '');
)"}};

struct TrailEvent {
  std::string who;     // an account, or the part of the program that acted
  std::string what;    // a stable word: "matched", "confirmed", "roster_imported", …
  std::string about;   // uuid of the record, or what else was acted upon
  std::string detail;  // JSON
};

struct TrailHead {
  std::int64_t rows = 0;
  std::string hash;  // of the last row; empty when there is none

  bool operator==(const TrailHead&) const = default;
};

// Adds a row and gives the new end. To be called within the transaction of what it tells of, so that both
// stay or neither; others who append wait for that transaction's end.
Result<TrailHead> append(Connection& connection, const TrailEvent& event, std::int64_t at_ms);

struct TrailCheck {
  TrailHead head;                   // as the rows have it
  std::vector<std::string> faults;  // a sentence each, at most kMaxTrailFaults; empty: sound
};
constexpr std::size_t kMaxTrailFaults = 100;

// Reads every row. A row that was changed, taken out or put in between is named. Whoever can write the whole
// database could write a new chain: `known`, an end that was noted elsewhere, finds that too.
Result<TrailCheck> verify_trail(Connection& connection, const std::optional<TrailHead>& known = {});

}  // namespace alcove::store
