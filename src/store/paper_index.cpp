#include "store/paper_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "store/migrations.h"
#include "store/paper_words.h"

namespace alcove::store {
namespace {

// docs/formats/paper-index.md describes the file.
constexpr std::array kSchema{
    Migration{"papers, words and vectors", R"(
      CREATE TABLE papers (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        text_hash TEXT NOT NULL,
        title TEXT NOT NULL, authors TEXT NOT NULL, author_ids TEXT NOT NULL, keywords TEXT NOT NULL,
        venue TEXT NOT NULL, venue_id TEXT NOT NULL, decision TEXT NOT NULL, area TEXT NOT NULL,
        summary TEXT NOT NULL, kind TEXT NOT NULL, doi TEXT NOT NULL, url TEXT NOT NULL, pdf TEXT NOT NULL,
        year BIGINT NOT NULL, modified BIGINT NOT NULL,
        abstract TEXT NOT NULL, bibtex TEXT NOT NULL
      );
      CREATE VIRTUAL TABLE words USING fts5(
        title, abstract, keywords, authors, content='', tokenize='porter unicode61 remove_diacritics 2'
      );
      CREATE VIRTUAL TABLE spelled USING fts5(
        text, content='', detail=none, tokenize='unicode61 remove_diacritics 2'
      );
      CREATE VIRTUAL TABLE vocabulary USING fts5vocab(spelled, 'row');
      CREATE TABLE vectors (number INTEGER PRIMARY KEY, vector_hash TEXT NOT NULL, vector BLOB NOT NULL);
      CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
    )"},
};

// A match in the title says most, one in an abstract least.
constexpr std::string_view kScore = "-bm25(words, 4.0, 1.0, 2.0, 2.0)";

constexpr std::string_view kFacts =
    "number, id, title, authors, author_ids, keywords, venue, venue_id, decision, area, summary, kind, doi, "
    "url, pdf, "
    "year, modified";

constexpr std::string_view kOtherWidth =
    "the index holds a vector of another width than its model's; import again";

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const auto& each : list) {
    if (&each != &list.front()) text += '\n';
    text += each;
  }
  return text;
}

std::vector<std::string> parted(std::string_view text) {
  std::vector<std::string> list;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    list.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return list;
}

std::string all_text(const Paper& paper) {
  return paper.title + '\n' + paper.abstract + '\n' + joined(paper.keywords) + '\n' + joined(paper.authors);
}

Paper facts_of(const Row& row) {
  return {.id = row.text(1),
          .title = row.text(2),
          .authors = parted(row.text(3)),
          .author_ids = parted(row.text(4)),
          .keywords = parted(row.text(5)),
          .venue = row.text(6),
          .venue_id = row.text(7),
          .decision = row.text(8),
          .area = row.text(9),
          .summary = row.text(10),
          .kind = row.text(11),
          .doi = row.text(12),
          .url = row.text(13),
          .pdf = row.text(14),
          .year = static_cast<int>(row.integer(15)),
          .modified = row.integer(16)};
}

std::int64_t raw(PaperNumber number) { return static_cast<std::int64_t>(number); }

Bytes bytes_of(std::span<const float> vector) {
  return {reinterpret_cast<const std::uint8_t*>(vector.data()), vector.size_bytes()};
}

// Nothing when this program can read the file as it is.
Result<void> check_schema(Connection& connection, const std::filesystem::path& file) {
  const auto row = TRY(connection.first("SELECT version FROM alcove_schema WHERE name = 'papers'"));
  const auto version = row ? row->integer(0) : 0;
  const auto ours = static_cast<std::int64_t>(kSchema.size());
  if (version > ours) return fail(ErrorKind::Unsupported, "", "newer_schema");
  if (version < ours)
    return fail(ErrorKind::Unsupported,
                fmt::format("{} was written by an older alcove; import or index once to bring it up to date",
                            file.string()));
  return {};
}

// The sentences of Connection with the way out that an index has: it can be made again.
Error explained(Error error, const std::filesystem::path& file) {
  if (error.code == "newer_schema")
    return {ErrorKind::Unsupported,
            fmt::format("{} was written by a newer alcove; use that one, or another --data folder",
                        file.string()),
            error.code};
  if (error.code == kDamaged)
    return {ErrorKind::Unreadable,
            fmt::format("{} is damaged; delete it and import the papers again", file.string()), error.code};
  return error;
}

}  // namespace

Result<PaperIndex> PaperIndex::open(const std::filesystem::path& file) {
  std::error_code unreadable;
  if (!std::filesystem::exists(file, unreadable))
    return fail(ErrorKind::NotFound,
                fmt::format("there is no index {}; make one with: alcove papers import FILE --data {}",
                            file.string(), file.parent_path().string()));
  auto connection = Connection::open(file.string(), {.read_only = true});
  if (!connection) return std::unexpected(explained(std::move(connection).error(), file));
  if (auto fits = check_schema(*connection, file); !fits)
    return std::unexpected(explained(std::move(fits).error(), file));
  PaperIndex index(*std::move(connection));
  auto model = index.model();
  if (!model) return std::unexpected(explained(std::move(model).error(), file));
  index.width_ = model->width;
  return index;
}

Result<PaperIndex> PaperIndex::open_to_write(const std::filesystem::path& file) {
  auto connection = Connection::open(file.string(), {.exclusive = true});
  if (!connection) return std::unexpected(explained(std::move(connection).error(), file));
  if (auto migrated = migrate(*connection, "papers", kSchema); !migrated)
    return std::unexpected(explained(std::move(migrated).error(), file));
  PaperIndex index(*std::move(connection));
  index.width_ = TRY(index.model()).width;
  return index;
}

Result<std::string> PaperIndex::note(std::string_view name) {
  const auto row = TRY(connection_.first("SELECT text FROM notes WHERE name = $1", name));
  return row ? row->text(0) : "";
}

Result<void> PaperIndex::set_note(std::string_view name, std::string_view text) {
  TRY(connection_.execute("INSERT OR REPLACE INTO notes (name, text) VALUES ($1, $2)", name, text));
  return {};
}

Result<IndexModel> PaperIndex::model() {
  IndexModel model{.hash = TRY(note("model_hash")), .description = TRY(note("model"))};
  const auto width = TRY(note("width"));
  if (!width.empty()) model.width = std::strtoull(width.c_str(), nullptr, 10);
  return model;
}

Result<void> PaperIndex::set_model(const IndexModel& model) {
  if (TRY(note("model_hash")) != model.hash) TRY(connection_.execute("DELETE FROM vectors"));
  TRY(set_note("model_hash", model.hash));
  TRY(set_note("model", model.description));
  TRY(set_note("width", std::to_string(model.width)));
  width_ = model.width;
  return {};
}

Result<std::int64_t> PaperIndex::count() {
  return TRY(connection_.query("SELECT count(*) FROM papers")).front().integer(0);
}

Result<std::int64_t> PaperIndex::vector_count() {
  return TRY(connection_.query("SELECT count(*) FROM vectors")).front().integer(0);
}

Result<void> PaperIndex::each_facts(const std::function<void(PaperNumber, Paper)>& use) {
  TRY(connection_.run(fmt::format("SELECT {} FROM papers ORDER BY number", kFacts), {},
                      [&](const Row& row) { use(PaperNumber{row.integer(0)}, facts_of(row)); }));
  return {};
}

Result<void> PaperIndex::each_vector(const std::function<void(PaperNumber, std::span<const float>)>& use) {
  bool sound = true;
  std::vector<float> vector(width_);
  TRY(connection_.run("SELECT number, vector FROM vectors ORDER BY number", {}, [&](const Row& row) {
    const auto blob = row.blob(1);
    sound = sound && blob.size() == width_ * sizeof(float);
    if (!sound) return;
    std::memcpy(vector.data(), blob.data(), blob.size());
    use(PaperNumber{row.integer(0)}, vector);
  }));
  if (!sound) return fail(ErrorKind::Unreadable, std::string(kOtherWidth));
  return {};
}

Result<void> PaperIndex::each_vector_hash(
    const std::function<void(PaperNumber, std::string, std::string, std::string)>& use) {
  TRY(connection_.run(
      "SELECT number, id, title, vector_hash FROM vectors JOIN papers USING (number) ORDER BY number", {},
      [&](const Row& row) { use(PaperNumber{row.integer(0)}, row.text(1), row.text(2), row.text(3)); }));
  return {};
}

Result<std::vector<float>> PaperIndex::vector(PaperNumber number) {
  const auto row = TRY(connection_.first("SELECT vector FROM vectors WHERE number = $1", raw(number)));
  if (!row) return fail(ErrorKind::NotFound, "the paper has no vector; import once more with --model");
  const auto blob = row->blob(0);
  if (blob.size() != width_ * sizeof(float)) return fail(ErrorKind::Unreadable, std::string(kOtherWidth));
  std::vector<float> vector(width_);
  std::memcpy(vector.data(), blob.data(), blob.size());
  return vector;
}

Result<std::optional<Paper>> PaperIndex::paper(PaperNumber number) {
  const auto row = TRY(connection_.first(
      fmt::format("SELECT {}, abstract, bibtex FROM papers WHERE number = $1", kFacts), raw(number)));
  if (!row) return std::nullopt;
  auto paper = facts_of(*row);
  paper.abstract = row->text(17);
  paper.bibtex = row->text(18);
  return paper;
}

Result<std::vector<Paper>> PaperIndex::papers(std::span<const PaperNumber> numbers) {
  std::vector<Paper> found;
  for (const auto number : numbers)
    if (auto one = TRY(paper(number))) found.push_back(*std::move(one));
  return found;
}

Result<std::vector<WordHit>> PaperIndex::match(const WordQuery& query) {
  const auto expression = match_expression(query);
  std::vector<WordHit> hits;
  if (expression.empty()) return hits;
  TRY(connection_.run(fmt::format("SELECT rowid, {} FROM words WHERE words MATCH $1", kScore),
                      std::array{Parameter(expression)},
                      [&](const Row& row) { hits.push_back({PaperNumber{row.integer(0)}, row.real(1)}); }));
  std::ranges::stable_sort(hits, std::greater{}, &WordHit::score);
  return hits;
}

Result<std::vector<double>> PaperIndex::shares(PaperNumber paper, std::span<const std::string> words) {
  std::vector<double> shares;
  for (const auto& word : words) {
    const auto row =
        TRY(connection_.first(fmt::format("SELECT {} FROM words WHERE words MATCH $1 AND rowid = $2", kScore),
                              quoted_phrase(word), raw(paper)));
    shares.push_back(row ? row->real(0) : 0);
  }
  return shares;
}

Result<std::int64_t> PaperIndex::papers_with(const std::string& word) {
  return TRY(connection_.query("SELECT count(*) FROM words WHERE words MATCH $1", quoted_phrase(word)))
      .front()
      .integer(0);
}

Result<void> PaperIndex::each_word(const std::function<void(std::string, std::int64_t)>& use) {
  TRY(connection_.run("SELECT term, doc FROM vocabulary", {},
                      [&](const Row& row) { use(row.text(0), row.integer(1)); }));
  return {};
}

Result<std::unordered_map<std::string, Known>> PaperIndex::known() {
  std::unordered_map<std::string, Known> known;
  TRY(connection_.run("SELECT id, number, text_hash, venue_id FROM papers", {}, [&](const Row& row) {
    known[row.text(0)] = {PaperNumber{row.integer(1)}, row.text(2), row.text(3)};
  }));
  return known;
}

Result<std::vector<PaperNumber>> PaperIndex::without_vector() {
  std::vector<PaperNumber> numbers;
  TRY(connection_.run(
      "SELECT number FROM papers WHERE number NOT IN (SELECT number FROM vectors) ORDER BY number", {},
      [&](const Row& row) { numbers.push_back(PaperNumber{row.integer(0)}); }));
  return numbers;
}

Result<void> PaperIndex::put(const Paper& paper, std::string_view text_hash, std::string_view vector_hash) {
  const auto old = TRY(connection_.first("SELECT number FROM papers WHERE id = $1", paper.id));
  if (old) TRY(remove_words(PaperNumber{old->integer(0)}));
  TRY(connection_.execute(
      "INSERT INTO papers (id, text_hash, title, authors, author_ids, keywords, venue, venue_id, decision, "
      "area, summary,"
      " kind, doi, url, pdf, year, modified, abstract, bibtex)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
      " ON CONFLICT (id) DO UPDATE SET text_hash = excluded.text_hash, title = excluded.title, authors = "
      "excluded.authors,"
      " author_ids = excluded.author_ids, keywords = excluded.keywords, venue = excluded.venue, venue_id = "
      "excluded.venue_id,"
      " decision = excluded.decision, area = excluded.area, summary = excluded.summary, kind = excluded.kind,"
      " doi = excluded.doi, url = excluded.url, pdf = excluded.pdf, year = excluded.year, modified = "
      "excluded.modified,"
      " abstract = excluded.abstract, bibtex = excluded.bibtex",
      paper.id, text_hash, paper.title, joined(paper.authors), joined(paper.author_ids),
      joined(paper.keywords), paper.venue, paper.venue_id, paper.decision, paper.area, paper.summary,
      paper.kind, paper.doi, paper.url, paper.pdf, paper.year, paper.modified, paper.abstract, paper.bibtex));
  const auto row = TRY(connection_.first("SELECT number FROM papers WHERE id = $1", paper.id));
  TRY(connection_.execute("DELETE FROM vectors WHERE number = $1 AND vector_hash <> $2", row->integer(0),
                          vector_hash));
  return put_words(PaperNumber{row->integer(0)}, paper);
}

Result<void> PaperIndex::put_words(PaperNumber number, const Paper& paper) {
  TRY(connection_.execute(
      "INSERT INTO words (rowid, title, abstract, keywords, authors) VALUES ($1, $2, $3, $4, $5)",
      raw(number), with_joined_words(paper.title), with_joined_words(paper.abstract),
      with_joined_words(joined(paper.keywords)), joined(paper.authors)));
  TRY(connection_.execute("INSERT INTO spelled (rowid, text) VALUES ($1, $2)", raw(number), all_text(paper)));
  return {};
}

// FTS5 keeps no texts of its own here, so it has to be told what it indexed in order to forget it.
Result<void> PaperIndex::remove_words(PaperNumber number) {
  const auto old = TRY(paper(number));
  if (!old) return {};
  TRY(
      connection_.execute("INSERT INTO words (words, rowid, title, abstract, keywords, authors)"
                          " VALUES ('delete', $1, $2, $3, $4, $5)",
                          raw(number), with_joined_words(old->title), with_joined_words(old->abstract),
                          with_joined_words(joined(old->keywords)), joined(old->authors)));
  TRY(connection_.execute("INSERT INTO spelled (spelled, rowid, text) VALUES ('delete', $1, $2)", raw(number),
                          all_text(*old)));
  return {};
}

Result<void> PaperIndex::remove(PaperNumber number) {
  TRY(remove_words(number));
  TRY(connection_.execute("DELETE FROM vectors WHERE number = $1", raw(number)));
  TRY(connection_.execute("DELETE FROM papers WHERE number = $1", raw(number)));
  return {};
}

Result<void> PaperIndex::put_vector(PaperNumber number, std::string_view vector_hash,
                                    std::span<const float> vector) {
  if (vector.size() != width_)
    return fail(ErrorKind::BadInput,
                fmt::format("a vector of {} numbers does not fit an index of {}", vector.size(), width_));
  for (const float value : vector)
    if (!std::isfinite(value)) return fail(ErrorKind::BadInput, "a vector holds a number that is not finite");
  TRY(connection_.execute("INSERT OR REPLACE INTO vectors (number, vector_hash, vector) VALUES ($1, $2, $3)",
                          raw(number), vector_hash, bytes_of(vector)));
  return {};
}

Result<void> PaperIndex::seal() {
  // A page holds five vectors of 768 numbers instead of one; its size only changes by rewriting the file, and
  // not while there is a log.
  for (const auto* step :
       {"INSERT INTO words (words) VALUES ('optimize')", "INSERT INTO spelled (spelled) VALUES ('optimize')",
        "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE", "PRAGMA page_size = 16384",
        "VACUUM"})
    TRY(connection_.script(step));
  return {};
}

}  // namespace alcove::store
