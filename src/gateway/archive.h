#pragma once
// An exam's sheets as one ZIP archive, each as a PDF under the name its record gives it.

#include <functional>
#include <map>

#include "gateway/ledger.h"
#include "sheets/roster.h"

namespace alcove::gateway {

// By register number: who has a number of their own in Moodle's course.
using Participants = std::map<std::string, sheets::RosterEntry>;

struct ArchiveTools {
  Ledger& ledger;
  // What it cannot turn into one goes in as it came; what it cannot now (Unavailable) is left out.
  std::function<Result<std::string>(Bytes)> to_pdf;
  // Takes the archive piece by piece, and is false when nobody wants it any more.
  std::function<bool(std::string_view)> sink;
};

// Accepted sheets alone, `REG_SUBJECT_EXAM.pdf`; a name that is there already gets `_2`. With `moodle` each
// lies in the folder that Moodle's upload of feedback files wants, `Name_PARTICIPANT_assignsubmission_file/`.
// Whatever is not in it stands in `left-out.txt`, with the reason. One file is in memory at a time. Errors
// are base/zip_writer.h's. Gives the number of sheets.
Result<std::size_t> write_archive(const std::vector<Record>& records, const Participants* moodle,
                                  const ArchiveTools& tools);

}  // namespace alcove::gateway
