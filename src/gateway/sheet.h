#pragma once
// A sheet on its way through the gateway: handed in, waiting, read, recorded.

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace alcove::gateway {

// What somebody hands in, checked (intake.h).
struct Upload {
  std::string file_name;  // as the caller called it: no folders, no control characters; may be empty
  std::string exam_type;
  std::string password;  // of an encrypted PDF; kept until the sheet is recorded
  std::string mime_type;
  std::string batch;  // the job it belongs to; empty: none
  std::int64_t batch_index = 0;
  // It is no sheet, for this reason; it is to have its record all the same.
  std::optional<Error> refusal;
  bool is_stack = false;  // a PDF of many sheets, to be cut at its cover pages (stack.h)
  Bytes content;
};

// That it is safe: on the disk, and in the queue.
struct Receipt {
  std::string uuid;
  std::string sha256;
  bool known = false;  // the same file under the same name had been handed in before; this is that sheet
};

// A sheet somebody has taken out of the queue for reading.
struct Claim {
  std::int64_t id = 0;
  std::string uuid, sha256, file_name, exam_type, password;
  int attempts = 0;         // readings begun before this one
  int crashes = 0;          // of these, how many ended without a word
  std::int64_t age_ms = 0;  // since it was handed in
  bool is_stack = false;
  std::optional<Error> refusal;
};

// Pages of a stack that are one sheet, as a file of their own.
struct Part {
  int first_page = 1, last_page = 1;
  bool is_last = false;  // with it the stack is done
  Bytes content;
};

enum class Server { Nobody, Remote, Local };
std::string_view name_of(Server server);  // "nobody", "remote", "local"

// What became of a reading.
struct Outcome {
  Server served_by = Server::Nobody;
  double milliseconds = 0;
  std::string fallback;        // why the first choice did not read it; empty: it did
  std::string reply;           // the Space's answer, or the local reader's, as JSON; empty: there is none
  std::optional<Error> error;  // the sheet cannot be read, by anybody
  // Taken from the reply.
  std::string register_number, subject_code;                      // empty: not read
  std::optional<double> register_confidence, subject_confidence;  // 0..1
  int register_regions = 0, subject_regions = 0;
  std::string models;   // JSON: [{role, file, sha256}], as the reply says
  std::string reasons;  // JSON: codes
};

// One row of the records, which is what is kept of a sheet.
struct Record {
  std::int64_t id = 0;
  std::string uuid, sha256;
  std::string original_filename, renamed_filename;  // renamed: empty when a field is missing
  std::int64_t size = 0;
  std::string mime_type;
  std::string register_number, subject_code;
  std::optional<double> register_confidence, subject_confidence;
  int register_regions = 0, subject_regions = 0;
  std::string exam_type;
  int attempt_number = 1;
  // pending: read, to be confirmed; needs_review: a field is missing; duplicate: of `duplicate_of`, an
  // attempt that is not allowed or the same content; unreadable: `error` says why; set_aside: reading it
  // ended the program.
  std::string workflow_status;
  std::string duplicate_of;                         // uuid
  std::string decision, margin, roster_candidates;  // of the class list's scoring; empty without one
  std::string reasons, models, reply;               // JSON
  std::string served_by, fallback;
  double milliseconds = 0;
  int attempts = 1;
  std::string error, error_code;
  std::string batch;
  std::int64_t batch_index = 0,
               batch_sequence = 0;    // place in its job, and order in which the job was recorded
  int first_page = 0, last_page = 0;  // of the stack it was cut out of, from 1; 0: all of the file
  std::int64_t accepted_at = 0, recorded_at = 0;  // milliseconds since 1970, UTC
};

}  // namespace alcove::gateway
