#pragma once
// The office's lists and the answers its people gave, kept apart from the records so that they can be written
// while a gateway runs.

#include <filesystem>
#include <optional>
#include <string_view>

#include "sheets/roster_decisions.h"
#include "store/connection.h"

namespace alcove::gateway {

inline constexpr std::string_view kListsFile = "lists.sqlite";  // in the data folder

struct ListVersion {
  std::int64_t number = 0;
  std::string file_name, sha256;
  std::int64_t entries = 0;
  std::int64_t imported_at = 0;  // milliseconds since 1970, UTC
  bool known = false;            // the same file was the newest version already; nothing was written
};

// What a person may say about one sheet.
enum class Ruling {
  Belongs,    // to the number of the answer
  Unlisted,   // to nobody on the list
  Blank,      // nothing was written on it
  Duplicate,  // of another sheet
  Withdrawn,  // the answer before does not count any more: an undo
};
std::string_view name_of(Ruling ruling);  // "belongs", "unlisted", …
std::optional<Ruling> parse_ruling(std::string_view name);

// What a person said about one sheet.
struct GivenAnswer {
  std::string uuid, who;
  Ruling ruling = Ruling::Belongs;
  sheets::Answer answer;
  std::int64_t at = 0, number = 0;  // number: of all answers, growing
};

// One connection's worth of work; used by one thread at a time. Earlier versions of a list stay.
class ClassListBook {
 public:
  // In the data folder, which is made if it is not there, or in the database of `address` if that is not
  // empty.
  static Result<ClassListBook> open(const std::filesystem::path& data, const std::string& address);

  Result<ListVersion> keep(const sheets::Roster& roster, std::string_view file_name,
                           const std::string& sha256);
  Result<ListVersion> keep(const sheets::SubjectList& subjects, std::string_view file_name,
                           const std::string& sha256);
  // A later answer about the same sheet takes the place of the earlier one. Gives its number. `seen`: of the
  // newest answer that whoever answers knew of, 0 for none; BadInput ("answered_meanwhile") when there is
  // another one by now, and nothing is written.
  Result<std::int64_t> answer(const GivenAnswer& given, std::optional<std::int64_t> seen = {});
  Result<std::optional<GivenAnswer>> answer_about(const std::string& uuid);  // the newest

  // Grow with whatever was written.
  struct State {
    std::int64_t lists = -1, answers = -1;
  };
  Result<State> state();
  Result<sheets::ClassLists> lists();          // the newest of each; empty when there is none
  Result<std::vector<GivenAnswer>> answers();  // the newest of each sheet

 private:
  explicit ClassListBook(store::Connection connection) : connection_(std::move(connection)) {}
  Result<ListVersion> enter(std::string_view kind, std::string_view file_name, const std::string& sha256,
                            std::size_t entries);
  Result<std::int64_t> newest(std::string_view kind);

  store::Connection connection_;
};

}  // namespace alcove::gateway
