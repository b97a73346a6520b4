#include "store/paper_index.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <limits>

#include "store/paper_folder.h"
#include "store/paper_words.h"

namespace alcove::store {
namespace {

namespace fs = std::filesystem;

class PaperIndexTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("alcove-papers-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  template <class T>
  T good(Result<T> result) {
    EXPECT_TRUE(result) << result.error().message;
    if (!result) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<T>) return *std::move(result);
  }

  // An index that serves these papers, each with the vector {1, 0}.
  void serve(const std::vector<Paper>& papers) {
    const PaperFolder folder(folder_);
    auto index = good(folder.begin());
    good(index.set_model({"m1", "a model", 2}));
    for (const auto& paper : papers) good(index.put(paper, paper.title, "v"));
    for (const auto& [id, known] : good(index.known())) good(index.put_vector(known.number, "v", kVector));
    good(folder.finish(std::move(index)));
  }

  PaperIndex current() { return good(PaperIndex::open(PaperFolder(folder_).current())); }

  std::vector<std::string> found(PaperIndex& index, const WordQuery& query) {
    std::vector<std::string> ids;
    for (const auto& hit : good(index.match(query)))
      ids.push_back(good(index.papers(std::array{hit.paper})).front().id);
    return ids;
  }

  static constexpr std::array<float, 2> kVector{1, 0};
  fs::path folder_;
};

using Ids = std::vector<std::string>;

const Paper kFull{.id = "a",
                  .title = "Self-supervised graphs",
                  .abstract = "Long text.",
                  .authors = {"Ann A", "Bo B"},
                  .author_ids = {"~Ann_A1", "~Bo_B1"},
                  .keywords = {"k 1", "k, 2"},
                  .venue = "V 2020",
                  .venue_id = "v",
                  .decision = "oral",
                  .area = "theory",
                  .summary = "Short.",
                  .kind = "article",
                  .doi = "10.1/x",
                  .url = "u",
                  .pdf = "p",
                  .bibtex = "@x{}",
                  .year = 2020,
                  .modified = 1234567890123};

TEST_F(PaperIndexTest, GivesPapersBackAsTheyWere) {
  serve({kFull, {.id = "b", .title = "Müller's transformers"}});
  auto index = current();
  EXPECT_EQ(good(index.count()), 2);
  std::vector<PaperNumber> numbers;
  good(index.each_facts([&](PaperNumber number, const Paper& facts) {
    numbers.push_back(number);
    if (facts.id != "a") return;
    auto wanted = kFull;
    wanted.abstract = wanted.bibtex = "";
    EXPECT_EQ(facts, wanted);
  }));
  EXPECT_EQ(good(index.papers(numbers)).front(), kFull);
  int vectors = 0;
  good(index.each_vector([&](PaperNumber, std::span<const float> vector) {
    ++vectors;
    EXPECT_EQ(vector[0], 1);
  }));
  EXPECT_EQ(vectors, 2);
  EXPECT_EQ(good(index.model()).description, "a model");
}

TEST_F(PaperIndexTest, FindsWordsWhateverTheirForm) {
  serve({kFull,
         {.id = "b", .title = "Müller's transformers"},
         {.id = "c", .title = "Disentangled graph networks"}});
  auto index = current();
  EXPECT_EQ(found(index, {.any = {"SELFSUPERVISED"}}), Ids{"a"});
  EXPECT_EQ(found(index, {.any = {"supervised"}}), Ids{"a"});
  EXPECT_EQ(found(index, {.any = {"muller"}}), Ids{"b"});
  EXPECT_EQ(found(index, {.any = {"transformer"}}), Ids{"b"});
  EXPECT_EQ(found(index, {.any = {"disentangling"}}), Ids{"c"});
  EXPECT_EQ(found(index, {.any = {"graph"}, .all = {"graph networks"}}), Ids{"c"});
  EXPECT_EQ(found(index, {.any = {"graph"}, .without = {"networks"}}), Ids{"a"});
  EXPECT_EQ(found(index, {.any = {"nothing"}}), Ids{});
}

TEST_F(PaperIndexTest, TakesOperatorsForText) {
  serve({kFull});
  auto index = current();
  for (const auto* typed : {"\"", "AND", "OR NOT", "NEAR(a b)", "title:graphs", "a*", "^self", "(", "{a}",
                            "-", "+", "'", ";", "\\", "😀", "\x01", "\xFF\xFE", ""}) {
    EXPECT_TRUE(index.match({.any = {typed}})) << typed;
    EXPECT_TRUE(index.match({.any = {"x"}, .all = {typed}, .without = {typed}})) << typed;
  }
  EXPECT_TRUE(index.match({.any = {std::string("a\0b", 3)}}));
}

TEST_F(PaperIndexTest, SharesAddUpToTheScore) {
  serve({kFull, {.id = "b", .title = "Other text"}, {.id = "c", .title = "graphs again"}});
  auto index = current();
  const auto hits = good(index.match({.any = {"self", "graphs", "absent"}}));
  const auto shares =
      good(index.shares(hits.front().paper, std::vector<std::string>{"self", "graphs", "absent"}));
  EXPECT_NEAR(shares[0] + shares[1], hits.front().score, 1e-9);
  EXPECT_EQ(shares[2], 0);
  EXPECT_EQ(good(index.papers_with("graph")), 2);
}

TEST_F(PaperIndexTest, ForgetsWhatWasReplaced) {
  serve({kFull});
  const PaperFolder folder(folder_);
  auto index = good(folder.begin());
  auto changed = kFull;
  changed.title = "Something else";
  good(index.put(changed, "h2", "v"));
  good(folder.finish(std::move(index)));
  auto serving = current();
  EXPECT_EQ(found(serving, {.any = {"graphs"}}), Ids{});
  EXPECT_EQ(found(serving, {.any = {"something"}}), Ids{"a"});
  EXPECT_EQ(good(serving.vector_count()), 1);
}

TEST_F(PaperIndexTest, DropsAVectorOfAnotherText) {
  serve({kFull});
  auto index = good(PaperFolder(folder_).begin());
  good(index.put(kFull, "h2", "v2"));
  EXPECT_EQ(good(index.without_vector()).size(), 1u);
}

TEST_F(PaperIndexTest, DropsVectorsOfAnotherModel) {
  serve({kFull});
  auto index = good(PaperFolder(folder_).begin());
  good(index.set_model({"m1", "the same", 2}));
  EXPECT_EQ(good(index.vector_count()), 1);
  good(index.set_model({"m2", "another", 3}));
  EXPECT_EQ(good(index.vector_count()), 0);
  const auto number = good(index.known()).at("a").number;
  EXPECT_EQ(index.put_vector(number, "v", kVector).error().kind, ErrorKind::BadInput);
  EXPECT_FALSE(
      index.put_vector(number, "v", std::array<float, 3>{0, std::numeric_limits<float>::quiet_NaN(), 0}));
}

TEST_F(PaperIndexTest, ServesTheOldUntilTheNewIsIn) {
  serve({kFull});
  const PaperFolder folder(folder_);
  auto old = current();
  const auto stamp = file_stamp(folder.current());
  {
    auto next = good(folder.begin());
    good(next.put({.id = "n", .title = "New"}, "h", "v"));
    EXPECT_EQ(good(current().count()), 1);
    EXPECT_EQ(file_stamp(folder.current()), stamp);
  }
  // What an interrupted import wrote is there again.
  auto next = good(folder.begin());
  EXPECT_EQ(good(next.count()), 2);
  good(folder.finish(std::move(next)));
  EXPECT_EQ(good(old.count()), 1);
  EXPECT_EQ(good(current().count()), 2);
  EXPECT_NE(file_stamp(folder.current()), stamp);
  EXPECT_FALSE(folder.has_next());
}

TEST_F(PaperIndexTest, StartsAfreshWhenAnotherIndexServesMeanwhile) {
  serve({kFull});
  const PaperFolder folder(folder_);
  good(good(folder.begin()).put({.id = "stale", .title = "Stale"}, "h", "v"));
  fs::rename(folder.next(), folder_ / "aside");
  serve({kFull, {.id = "b", .title = "B"}});
  fs::rename(folder_ / "aside", folder.next());
  auto next = good(folder.begin());
  EXPECT_EQ(good(next.known()).count("stale"), 0u);
  EXPECT_EQ(good(next.count()), 2);
}

TEST_F(PaperIndexTest, LetsOneProcessWrite) {
  const PaperFolder folder(folder_);
  auto first = good(folder.begin());
  const auto second = folder.begin();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos)
      << second.error().message;
}

TEST_F(PaperIndexTest, SaysWhatIsWrongWithAFile) {
  const PaperFolder folder(folder_);
  EXPECT_EQ(PaperIndex::open(folder.current()).error().kind, ErrorKind::NotFound);
  serve({kFull});

  // A newer program's.
  {
    auto connection = good(Connection::open(folder.current().string()));
    good(connection.execute("UPDATE alcove_schema SET version = 99"));
    good(connection.script("PRAGMA journal_mode = DELETE"));
  }
  auto newer = PaperIndex::open(folder.current());
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().kind, ErrorKind::Unsupported);
  EXPECT_NE(newer.error().message.find("newer alcove"), std::string::npos);

  std::ofstream(folder.current(), std::ios::trunc)
      << "no database at all, but a text that is long enough to be one";
  auto damaged = PaperIndex::open(folder.current());
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().kind, ErrorKind::Unreadable);
  EXPECT_NE(damaged.error().message.find("import the papers again"), std::string::npos)
      << damaged.error().message;
}

TEST_F(PaperIndexTest, IsReadWhereNothingMayBeWritten) {
  serve({kFull});
  const PaperFolder folder(folder_);
  ::chmod(folder.current().c_str(), 0400);
  ::chmod(folder_.c_str(), 0500);
  EXPECT_EQ(good(current().count()), 1);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2) << "papers.db and the writers' lock";
  ::chmod(folder_.c_str(), 0700);
}

// Flipped bytes anywhere: an error or an answer, never a crash.
TEST_F(PaperIndexTest, SurvivesDamage) {
  serve({kFull, {.id = "b", .title = "B", .abstract = std::string(5'000, 'x')}});
  const PaperFolder folder(folder_);
  std::ifstream file(folder.current(), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  for (std::size_t at = 0; at < whole.size(); at += 509) {
    auto damaged = whole;
    for (std::size_t i = at; i < std::min(at + 7, whole.size()); ++i)
      damaged[i] = static_cast<char>(~damaged[i]);
    std::ofstream(folder.current(), std::ios::binary) << damaged;
    auto index = PaperIndex::open(folder.current());
    if (!index) continue;
    (void)index->each_facts([](PaperNumber, const Paper&) {});
    (void)index->each_vector([](PaperNumber, std::span<const float>) {});
    (void)index->match({.any = {"graph", "x"}});
    (void)index->each_word([](const std::string&, std::int64_t) {});
  }
}

TEST(WithJoinedWords, AddsCompoundsWithoutTheirHyphens) {
  EXPECT_EQ(with_joined_words("A state-of-the-art U-Net - yes, x- -y"),
            "A state-of-the-art U-Net - yes, x- -y stateoftheart UNet");
  EXPECT_EQ(with_joined_words(""), "");
}

}  // namespace
}  // namespace alcove::store
