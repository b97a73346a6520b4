#include "papers/importer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "papers/testing.h"
#include "store/paper_folder.h"

namespace alcove::papers {
namespace {

namespace fs = std::filesystem;

class ImportPapers : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("alcove-import-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  ImportReport import(std::vector<Paper> papers, Embedder* embedder = nullptr, std::string whole_venue = {},
                      std::span<const GivenVector> vectors = {}) {
    auto report = import_papers({folder_, embedder, std::move(whole_venue), vectors}, papers);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : ImportReport{};
  }

  store::PaperIndex index() {
    auto index = store::PaperIndex::open(store::PaperFolder(folder_).current());
    if (!index) throw std::runtime_error(index.error().message);
    return *std::move(index);
  }

  fs::path folder_;
};

std::vector<Paper> some_papers(std::size_t count, std::string_view title = "title") {
  std::vector<Paper> papers;
  for (std::size_t i = 0; i < count; ++i)
    papers.push_back({.id = fmt::format("p{}", i), .title = fmt::format("{} {}", title, i), .venue_id = "v"});
  return papers;
}

TEST_F(ImportPapers, EmbedsOnlyWhatIsNewOrChanged) {
  WordEmbedder embedder;
  auto papers = some_papers(5);
  EXPECT_EQ(import(papers, &embedder).added, 5u);
  EXPECT_EQ(embedder.embedded, 5u);

  auto again = import(papers, &embedder);
  EXPECT_EQ(again.unchanged, 5u);
  EXPECT_FALSE(again.replaced);
  EXPECT_EQ(embedder.embedded, 5u);

  papers[1].title = "another title";
  papers[2].decision = "oral";  // no part of the vector
  papers.push_back({.id = "new", .title = "New"});
  const auto report = import(papers, &embedder);
  EXPECT_EQ(report.changed, 2u);
  EXPECT_EQ(report.added, 1u);
  EXPECT_EQ(embedder.embedded, 7u);
  EXPECT_EQ(index().count(), 6);
  EXPECT_EQ(index().vector_count(), 6);
}

TEST_F(ImportPapers, AddsToWhatIsThere) {
  import(some_papers(3));
  EXPECT_EQ(import({{.id = "other", .title = "Other"}}).papers, 4u);
}

TEST_F(ImportPapers, TakesOutWhatAVenueNoLongerLists) {
  import(some_papers(3));
  import({{.id = "other", .title = "Other", .venue_id = "w"}});
  const auto report = import(some_papers(2), nullptr, "v");
  EXPECT_EQ(report.removed, 1u);
  EXPECT_EQ(report.papers, 3u);
}

TEST_F(ImportPapers, EmbedsAllAgainForAnotherModel) {
  WordEmbedder one, other("other", 32);
  import(some_papers(4), &one);
  EXPECT_EQ(import(some_papers(4), &other).embedded, 4u);
  EXPECT_EQ(index().model()->width, 32u);
  EXPECT_EQ(import(some_papers(6)).without_vector, 2u);
}

TEST_F(ImportPapers, KeepsVectorsOfTheSameModelAlone) {
  WordEmbedder embedder;
  const auto papers = some_papers(30);
  std::vector<GivenVector> vectors;
  for (const auto& paper : papers) {
    const EmbedText text{paper.title, paper.abstract};
    vectors.push_back({paper.id, embedder.embed(std::span(&text, 1), Purpose::Paper)->values});
  }
  vectors[5].values.pop_back();
  auto report = import(papers, &embedder, "", vectors);
  EXPECT_EQ(report.taken_vectors, 29u);
  EXPECT_EQ(report.embedded, 1u);

  fs::remove_all(folder_);
  WordEmbedder other("other", 64);
  for (auto& vector : vectors) std::ranges::reverse(vector.values);
  report = import(papers, &other, "", vectors);
  EXPECT_EQ(report.taken_vectors, 0u);
  EXPECT_EQ(report.embedded, 30u);
}

TEST_F(ImportPapers, KeepsWhatWasDoneWhenItIsEnded) {
  WordEmbedder embedder;
  const auto papers = some_papers(600);
  import(some_papers(1), &embedder);
  const auto ended = import_papers({folder_, &embedder, "", {}}, papers,
                                   [](std::size_t done, std::size_t) { return done < 300; });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(index().count(), 1);
  const auto before = embedder.embedded;
  import(papers, &embedder);
  EXPECT_EQ(embedder.embedded - before, 600u - 1 - 256);
  EXPECT_EQ(index().vector_count(), 600);
}

// Killed at any moment, the index that serves is whole, and the next import goes on from there.
// ALCOVE_KILLS asks for more than 20.
TEST_F(ImportPapers, SurvivesKills) {
  const char* asked = std::getenv("ALCOVE_KILLS");
  const int kills = asked == nullptr ? 20 : std::atoi(asked);
  constexpr std::size_t kCount = 900;
  std::mt19937 random(1);
  int died_at_work = 0;
  for (int kill = 0, round = 0; kill < kills; ++kill) {
    const auto papers = some_papers(kCount, fmt::format("round {}", round));
    const auto child = ::fork();
    if (child == 0) {
      WordEmbedder embedder;
      embedder.before_next = [] { ::usleep(50); };
      const auto report = import_papers({folder_, &embedder, "", {}}, papers);
      ::_exit(report ? 0 : 1);
    }
    ::usleep(std::uniform_int_distribution<useconds_t>(500, 250'000)(random));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
      ASSERT_EQ(WEXITSTATUS(status), 0);
      ++round;  // it was done; the next one has other titles to write
    } else {
      ++died_at_work;
    }
    auto serving = store::PaperIndex::open(store::PaperFolder(folder_).current());
    if (!serving) {
      ASSERT_EQ(serving.error().kind, ErrorKind::NotFound) << serving.error().message;
      continue;
    }
    ASSERT_EQ(serving->count(), static_cast<std::int64_t>(kCount));
    ASSERT_EQ(serving->vector_count(), static_cast<std::int64_t>(kCount));
    ASSERT_TRUE(serving->match({.any = {"round"}}));
  }
  EXPECT_GT(died_at_work, kills / 4);
  WordEmbedder embedder;
  import(some_papers(kCount, "last"), &embedder);
  auto serving = index();
  EXPECT_EQ(serving.match({.any = {"last"}})->size(), kCount);
  EXPECT_EQ(serving.match({.any = {"round"}})->size(), 0u);
}

}  // namespace
}  // namespace alcove::papers
