#pragma once
// The gateway's tables. Times are milliseconds since 1970, UTC.

#include <array>

#include "store/migrations.h"

namespace alcove::gateway {

inline constexpr std::array kSchema{store::Migration{"sheets and records", R"(
CREATE TABLE files (
  sha256 TEXT PRIMARY KEY,
  content {blob} NOT NULL);            -- where disks vanish; else the bytes are files

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL,                -- of what it was made from
  files BIGINT NOT NULL,
  recorded BIGINT NOT NULL,
  created_at BIGINT NOT NULL);

CREATE TABLE sheets (
  id {id},
  uuid TEXT NOT NULL UNIQUE,
  handed_in TEXT NOT NULL UNIQUE,      -- content, exam, name, job: what makes two uploads the same one
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  mime_type TEXT NOT NULL,
  original_filename TEXT NOT NULL,
  exam_type TEXT NOT NULL,
  password TEXT NOT NULL,              -- of the PDF; empty once it is recorded
  batch TEXT NOT NULL,
  batch_index BIGINT NOT NULL,
  duplicate_of TEXT NOT NULL,          -- uuid of the first sheet with this content
  state TEXT NOT NULL,                 -- waiting, reading, done
  priority BIGINT NOT NULL,            -- 0: single, 1: of a job; and 2 for each reading that has not ended
  owner TEXT NOT NULL,                 -- who reads it
  lease_until BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  crashes BIGINT NOT NULL,
  accepted_at BIGINT NOT NULL);
CREATE INDEX sheets_open ON sheets (priority, id) WHERE state <> 'done';
CREATE INDEX sheets_content ON sheets (sha256, id);

CREATE TABLE records (
  id {id},
  uuid TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL,
  original_filename TEXT NOT NULL,
  renamed_filename TEXT NOT NULL,
  size BIGINT NOT NULL,
  mime_type TEXT NOT NULL,
  register_number TEXT NOT NULL,
  subject_code TEXT NOT NULL,
  register_confidence DOUBLE PRECISION,
  subject_confidence DOUBLE PRECISION,
  register_regions BIGINT NOT NULL,
  subject_regions BIGINT NOT NULL,
  exam_type TEXT NOT NULL,
  attempt_number BIGINT NOT NULL,
  holds_attempt BIGINT NOT NULL,       -- 1: no other record may be this attempt of this student
  workflow_status TEXT NOT NULL,
  duplicate_of TEXT NOT NULL,
  decision TEXT NOT NULL,
  margin TEXT NOT NULL,
  roster_candidates TEXT NOT NULL,
  reasons TEXT NOT NULL,
  models TEXT NOT NULL,
  reply TEXT NOT NULL,
  served_by TEXT NOT NULL,
  fallback TEXT NOT NULL,
  milliseconds DOUBLE PRECISION NOT NULL,
  attempts BIGINT NOT NULL,
  error TEXT NOT NULL,
  error_code TEXT NOT NULL,
  batch TEXT NOT NULL,
  batch_index BIGINT NOT NULL,
  batch_sequence BIGINT NOT NULL,
  accepted_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL);
CREATE UNIQUE INDEX records_attempt ON records (register_number, subject_code, exam_type, attempt_number)
  WHERE holds_attempt = 1;
CREATE INDEX records_batch ON records (batch, batch_sequence);
)"},
                                    store::Migration{"what people look at", R"(
CREATE INDEX records_review ON records (id) WHERE decision IN ('review', 'rejected');
CREATE INDEX records_exam ON records (exam_type, subject_code, attempt_number);
)"},
                                    store::Migration{"stacks, and files of a job that are no sheets", R"(
ALTER TABLE sheets ADD COLUMN is_stack BIGINT NOT NULL DEFAULT 0;    -- 1: to be cut at its cover pages
ALTER TABLE sheets ADD COLUMN stack TEXT NOT NULL DEFAULT '';        -- uuid of the one it was cut out of
ALTER TABLE sheets ADD COLUMN first_page BIGINT NOT NULL DEFAULT 0;  -- of that one, from 1; 0: all of the file
ALTER TABLE sheets ADD COLUMN last_page BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sheets ADD COLUMN refusal TEXT NOT NULL DEFAULT '';       -- why it is no sheet, known when it came
ALTER TABLE sheets ADD COLUMN refusal_code TEXT NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN first_page BIGINT NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN last_page BIGINT NOT NULL DEFAULT 0;
CREATE INDEX sheets_stack ON sheets (stack, last_page) WHERE stack <> '';
)"},
                                    // From here on is_stack is 2 for a stack that was taken apart: its sheets
                                    // have all its pages, and its own bytes are kept no longer.
                                    store::Migration{"stacks that were taken apart", R"(
UPDATE sheets SET is_stack = 2 WHERE is_stack = 1 AND state = 'done' AND uuid NOT IN (SELECT uuid FROM records);
)"}};

}  // namespace alcove::gateway
