#include "gateway/backup.h"

#include <fmt/format.h>

#include "gateway/class_lists.h"
#include "gateway/file_store.h"
#include "gateway/ledger.h"
#include "gateway/schema.h"
#include "gateway/unneeded.h"

namespace alcove::gateway {
namespace {

namespace fs = std::filesystem;

Result<void> must_be_new(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) return {};
  return fail(ErrorKind::BadInput,
              fmt::format("{} is there already; name a folder that is not", folder.string()));
}

// Every file that is still needed by a sheet of `database` has, from one store to the other.
Result<BackupSize> copy_files(store::Connection& database, const FileStore& from, const FileStore& to) {
  BackupSize size;
  for (const auto& row :
       TRY(database.query(fmt::format("SELECT DISTINCT sha256 FROM ({}) AS needed", kNeededFiles)))) {
    const auto content = TRY(from.get(row.text(0)));
    TRY(to.put(row.text(0), as_bytes(content)));
    ++size.files;
  }
  return size;
}

// Everything under a name beside the folder's own, which it gets when it is whole.
template <class Fill>
Result<BackupSize> fill(const fs::path& folder, Fill fill_draft) {
  TRY(must_be_new(folder));
  auto draft = folder;
  draft += ".part";
  std::error_code failed;
  fs::remove_all(draft, failed);
  fs::create_directories(draft, failed);
  if (!failed) fs::permissions(draft, fs::perms::owner_all, failed);
  if (failed)
    return fail(ErrorKind::BadInput, fmt::format("{} cannot be made: {}", draft.string(), failed.message()));
  Result<BackupSize> size = fill_draft(draft);
  if (size) {
    fs::rename(draft, folder, failed);
    if (failed) size = fail(ErrorKind::Unavailable, fmt::format("{}: {}", folder.string(), failed.message()));
  }
  if (!size) fs::remove_all(draft, failed);
  return size;
}

// As it is at one moment; for its owner alone. One that is not there is not missed.
Result<void> copy_database(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  if (!fs::exists(from, failed)) return {};
  auto source = TRY(store::Connection::open(from.string(), {.read_only = true}));
  TRY(source.copy_to(to));
  fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, failed);
  return {};
}

Result<BackupSize> back_up_once(const fs::path& data, const fs::path& folder) {
  return fill(folder, [&](const fs::path& draft) -> Result<BackupSize> {
    TRY(copy_database(data / kLedgerFile, draft / kLedgerFile));
    TRY(copy_database(data / kListsFile, draft / kListsFile));
    // A file is on the disk before its sheet is in the database, so all that this copy speaks of are there.
    auto copy = TRY(store::Connection::open((draft / kLedgerFile).string(), {.read_only = true}));
    return copy_files(copy, FileStore(data / "files"), FileStore(draft / "files"));
  });
}

}  // namespace

// A purge, or a stack that is taken apart, may take a file that the copy of a moment ago still speaks of.
Result<BackupSize> back_up(const fs::path& data, const fs::path& folder) {
  auto size = back_up_once(data, folder);
  for (int again = 0; again < 5 && !size && size.error().kind == ErrorKind::NotFound; ++again)
    size = back_up_once(data, folder);
  return size;
}

Result<BackupSize> restore(const fs::path& folder, const fs::path& data) {
  return fill(data, [&](const fs::path& draft) -> Result<BackupSize> {
    // Before anything is copied: a folder that is no backup is told so.
    TRY(store::Connection::open((folder / kLedgerFile).string(), {.read_only = true}));
    TRY(copy_database(folder / kLedgerFile, draft / kLedgerFile));
    TRY(copy_database(folder / kListsFile, draft / kListsFile));
    // The schema is looked at now, and not when somebody needs the records.
    auto copy = TRY(store::Connection::open((draft / kLedgerFile).string()));
    TRY(store::migrate(copy, "gateway", kSchema));
    return copy_files(copy, FileStore(folder / "files"), FileStore(draft / "files"));
  });
}

}  // namespace alcove::gateway
