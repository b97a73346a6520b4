#pragma once
// How long an exam's sheets are kept, what is kept longer because somebody said so, and letting go of the
// rest.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gateway/class_lists.h"
#include "gateway/file_store.h"

namespace alcove::gateway {

constexpr std::int64_t kUsualDays = 365;

struct KeptFor {
  std::string exam_type;  // empty: every other one
  std::int64_t days = kUsualDays;
};

// A legal hold: nothing that fits is let go of. An empty part fits everything.
struct LegalHold {
  std::int64_t number = 0;
  std::string exam_type, register_number, reason;
};

// One sheet whose time is over.
struct Due {
  std::string uuid, sha256, exam_type, original_filename, register_number;
  std::int64_t accepted_at = 0;
  bool held = false;  // by a legal hold: it stays
};

// Used by one thread; works beside a gateway that runs.
class Retention {
 public:
  // Where the records are (ledger.h), whose tables have to be there.
  static Result<Retention> open(const std::filesystem::path& data, const std::string& address);

  Result<void> keep_for(const KeptFor& kept);  // BadInput for less than a day
  Result<std::vector<KeptFor>> periods();      // the general one first
  Result<std::int64_t> hold(const LegalHold& hold);
  Result<bool> release(std::int64_t number);
  Result<std::vector<LegalHold>> holds();

  Result<std::vector<Due>> due(std::int64_t now_ms);
  // Lets go of what is due and not held: pictures, file names, numbers, candidates, the reader's answer, and
  // the answers people gave. The record's times, exam, hash and its rows of the trail stay, and a row says
  // what was done. Bytes that no sheet needs go too (unneeded.h), and class lists that were replaced before
  // the general period are emptied. Gives how many sheets; another purge beside this one takes none twice.
  Result<std::size_t> purge(std::int64_t now_ms, const std::string& who);

 private:
  Retention(std::filesystem::path data, store::Connection records, store::Connection lists)
      : files_(data / "files"), records_(std::move(records)), lists_(std::move(lists)) {}
  Result<bool> let_go(const Due& sheet, const std::string& who, std::int64_t now_ms);

  FileStore files_;
  store::Connection records_, lists_;
};

}  // namespace alcove::gateway
