#include "gateway/class_lists.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "store/migrations.h"

namespace alcove::gateway {
namespace {

constexpr std::string_view kRoster = "roster", kSubjects = "subjects";

constexpr std::array kListSchema{store::Migration{"class lists", R"(
CREATE TABLE list_versions (
  id {id},
  kind TEXT NOT NULL,                  -- roster, subjects
  file_name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  entries BIGINT NOT NULL,
  imported_at BIGINT NOT NULL);
CREATE TABLE roster_entries (
  version BIGINT NOT NULL,
  line BIGINT NOT NULL,
  register_number TEXT NOT NULL,
  name TEXT NOT NULL,
  subject_code TEXT NOT NULL,
  email TEXT NOT NULL,
  participant TEXT NOT NULL);
CREATE INDEX roster_entries_version ON roster_entries (version, line);
CREATE TABLE subject_entries (
  version BIGINT NOT NULL,
  line BIGINT NOT NULL,
  code TEXT NOT NULL,
  title TEXT NOT NULL);
CREATE INDEX subject_entries_version ON subject_entries (version, line);
CREATE TABLE answers (
  id {id},
  uuid TEXT NOT NULL,
  who TEXT NOT NULL,
  register_number TEXT NOT NULL,       -- empty: on no list
  subject_code TEXT NOT NULL,
  given_at BIGINT NOT NULL);
CREATE INDEX answers_uuid ON answers (uuid, id);
)"},
                                 store::Migration{"verdicts", R"(
ALTER TABLE answers ADD COLUMN ruling TEXT NOT NULL DEFAULT '';  -- empty: of before there were others
)"}};

constexpr std::array<std::pair<Ruling, std::string_view>, 5> kRulings{{{Ruling::Belongs, "belongs"},
                                                                       {Ruling::Unlisted, "unlisted"},
                                                                       {Ruling::Blank, "blank"},
                                                                       {Ruling::Duplicate, "duplicate"},
                                                                       {Ruling::Withdrawn, "withdrawn"}}};

constexpr std::string_view kAnswerColumns =
    "SELECT uuid, who, register_number, subject_code, given_at, id, ruling FROM answers WHERE id ";

GivenAnswer answer_of(const store::Row& row) {
  const auto usual = row.text(2).empty() ? Ruling::Unlisted : Ruling::Belongs;
  return {.uuid = row.text(0),
          .who = row.text(1),
          .ruling = parse_ruling(row.text(6)).value_or(usual),
          .answer = {row.text(2), row.text(3)},
          .at = row.integer(4),
          .number = row.integer(5)};
}

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::string_view name_of(Ruling ruling) {
  return std::ranges::find(kRulings, ruling, &std::pair<Ruling, std::string_view>::first)->second;
}

std::optional<Ruling> parse_ruling(std::string_view name) {
  for (const auto& [ruling, word] : kRulings)
    if (word == name) return ruling;
  return std::nullopt;
}

Result<ClassListBook> ClassListBook::open(const std::filesystem::path& data, const std::string& address) {
  if (address.empty() && ::mkdir(data.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(ErrorKind::BadInput,
                fmt::format("the data folder {} cannot be made: {}; name another with --data", data.string(),
                            std::strerror(errno)));
  auto connection = TRY(store::Connection::open(address.empty() ? (data / kListsFile).string() : address));
  TRY(store::migrate(connection, "class_lists", kListSchema));
  return ClassListBook(std::move(connection));
}

Result<std::int64_t> ClassListBook::newest(std::string_view kind) {
  return TRY(connection_.first("SELECT COALESCE(MAX(id), 0) FROM list_versions WHERE kind = $1", kind))
      ->integer(0);
}

Result<ListVersion> ClassListBook::enter(std::string_view kind, std::string_view file_name,
                                         const std::string& sha256, std::size_t entries) {
  const auto before = TRY(newest(kind));
  const auto last = TRY(connection_.first(
      "SELECT id, file_name, sha256, entries, imported_at FROM list_versions WHERE id = $1", before));
  if (last && last->text(2) == sha256)
    return ListVersion{last->integer(0), last->text(1), sha256, last->integer(3), last->integer(4), true};
  const auto at = now();
  const auto made = TRY(connection_.first(
      "INSERT INTO list_versions (kind, file_name, sha256, entries, imported_at) VALUES ($1, $2, $3, $4, $5) "
      "RETURNING id",
      kind, file_name, sha256, entries, at));
  return ListVersion{
      made->integer(0), std::string(file_name), sha256, static_cast<std::int64_t>(entries), at, false};
}

Result<ListVersion> ClassListBook::keep(const sheets::Roster& roster, std::string_view file_name,
                                        const std::string& sha256) {
  return connection_.transaction([&]() -> Result<ListVersion> {
    auto version = TRY(enter(kRoster, file_name, sha256, roster.entries.size()));
    if (version.known) return version;
    for (const auto& entry : roster.entries)
      TRY(
          connection_.execute("INSERT INTO roster_entries (version, line, register_number, name, "
                              "subject_code, email, participant) "
                              "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                              version.number, entry.line, entry.register_number, entry.name,
                              entry.subject_code, entry.email, entry.participant));
    return version;
  });
}

Result<ListVersion> ClassListBook::keep(const sheets::SubjectList& subjects, std::string_view file_name,
                                        const std::string& sha256) {
  return connection_.transaction([&]() -> Result<ListVersion> {
    auto version = TRY(enter(kSubjects, file_name, sha256, subjects.subjects.size()));
    if (version.known) return version;
    for (const auto& subject : subjects.subjects)
      TRY(connection_.execute(
          "INSERT INTO subject_entries (version, line, code, title) VALUES ($1, $2, $3, $4)", version.number,
          subject.line, subject.code, subject.title));
    return version;
  });
}

Result<std::int64_t> ClassListBook::answer(const GivenAnswer& given, std::optional<std::int64_t> seen) {
  return connection_.transaction([&]() -> Result<std::int64_t> {
    const auto before = TRY(answer_about(given.uuid));
    if (seen && *seen != (before ? before->number : 0))
      return fail(ErrorKind::BadInput,
                  fmt::format("{} answered this sheet meanwhile; look at it again before you change it",
                              before ? before->who : "somebody"),
                  "answered_meanwhile");
    const auto made =
        TRY(connection_.first("INSERT INTO answers (uuid, who, register_number, subject_code, given_at, "
                              "ruling) VALUES ($1, $2, $3, "
                              "$4, $5, $6) RETURNING id",
                              given.uuid, given.who, given.answer.register_number, given.answer.subject_code,
                              now(), name_of(given.ruling)));
    return made->integer(0);
  });
}

Result<std::optional<GivenAnswer>> ClassListBook::answer_about(const std::string& uuid) {
  static const auto kSql = fmt::format("{} = (SELECT MAX(id) FROM answers WHERE uuid = $1)", kAnswerColumns);
  const auto row = TRY(connection_.first(kSql, uuid));
  if (!row) return std::nullopt;
  return answer_of(*row);
}

Result<ClassListBook::State> ClassListBook::state() {
  const auto row =
      TRY(connection_.first("SELECT (SELECT COALESCE(MAX(id), 0) FROM list_versions), "
                            "(SELECT COALESCE(MAX(id), 0) FROM answers)"));
  return State{row->integer(0), row->integer(1)};
}

Result<sheets::ClassLists> ClassListBook::lists() {
  sheets::ClassLists lists;
  const auto roster = TRY(newest(kRoster)), subjects = TRY(newest(kSubjects));
  for (const auto& row : TRY(connection_.query(
           "SELECT register_number, name, subject_code, email, participant, line FROM roster_entries "
           "WHERE version = $1 ORDER BY line",
           roster)))
    lists.roster.push_back({.register_number = row.text(0),
                            .name = row.text(1),
                            .subject_code = row.text(2),
                            .email = row.text(3),
                            .participant = row.text(4),
                            .line = static_cast<int>(row.integer(5))});
  for (const auto& row : TRY(connection_.query(
           "SELECT code, title, line FROM subject_entries WHERE version = $1 ORDER BY line", subjects)))
    lists.subjects.push_back({row.text(0), row.text(1), static_cast<int>(row.integer(2))});
  return lists;
}

Result<std::vector<GivenAnswer>> ClassListBook::answers() {
  static const auto kSql =
      fmt::format("{} IN (SELECT MAX(id) FROM answers GROUP BY uuid) ORDER BY id", kAnswerColumns);
  std::vector<GivenAnswer> answers;
  for (const auto& row : TRY(connection_.query(kSql))) answers.push_back(answer_of(row));
  return answers;
}

}  // namespace alcove::gateway
