#include "papers/finder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "papers/importer.h"
#include "papers/testing.h"

namespace alcove::papers {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::string>;

const std::vector<Paper> kPapers{
    {.id = "attention",
     .title = "Attention networks",
     .abstract = "Sequence models without recurrence. Heads attend to words.",
     .authors = {"Ashish Vaswani", "Noam Shazeer"},
     .keywords = {"transformers"},
     .venue = "NeurIPS 2017",
     .decision = "oral",
     .area = "language",
     .year = 2017},
    {.id = "graph",
     .title = "Graph attention networks",
     .abstract = "Attention over neighbours in graphs.",
     .authors = {"Petar Veličković"},
     .keywords = {"graphs"},
     .venue = "ICLR 2018",
     .decision = "poster",
     .area = "graphs",
     .year = 2018},
    {.id = "diffusion",
     .title = "Denoising diffusion models",
     .abstract = "Images from noise.",
     .authors = {"Jonathan Ho"},
     .keywords = {"generative models"},
     .venue = "NeurIPS 2020",
     .decision = "poster",
     .area = "generation",
     .year = 2020},
    {.id = "score",
     .title = "Score matching for images",
     .abstract = "Images from gradients of noise.",
     .authors = {"Yang Song"},
     .keywords = {"generative model", "graphs"},
     .venue = "ICLR 2021",
     .decision = "oral",
     .area = "generation",
     .year = 2021},
    {.id = "survey", .title = "A survey of attention", .authors = {"N. Shazeer"}, .year = 2021},
};

class FinderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("alcove-finder-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::shared_ptr<Finder> finder(bool with_vectors = true) {
    auto embedder = std::make_shared<WordEmbedder>();
    EXPECT_TRUE(import_papers({folder_, with_vectors ? embedder.get() : nullptr, "", {}}, kPapers));
    auto finder = Finder::load(folder_, with_vectors ? embedder : nullptr);
    EXPECT_TRUE(finder) << finder.error().message;
    return *finder;
  }

  static SearchResult search(Finder& finder, std::string_view typed, SearchRequest request = {}) {
    request.query = read_query(typed).value();
    auto result = finder.search(request);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *std::move(result) : SearchResult{};
  }
  static double score_of(const SearchResult& result, std::string_view id) {
    for (const auto& hit : result.hits)
      if (hit.paper.id == id) return hit.score;
    return 0;
  }
  static Ids ids(const SearchResult& result) {
    Ids ids;
    for (const auto& hit : result.hits) ids.push_back(hit.paper.id);
    return ids;
  }
  static Ids sorted_ids(const SearchResult& result) {
    auto all = ids(result);
    std::ranges::sort(all);
    return all;
  }

  fs::path folder_;
};

TEST_F(FinderTest, RanksByWordsByMeaningAndByBoth) {
  const auto found = finder();
  for (const auto mode : {Mode::Words, Mode::Meaning, Mode::Both}) {
    const auto result = search(*found, "graph attention", {.mode = mode});
    EXPECT_EQ(result.mode, mode);
    EXPECT_EQ(ids(result).front(), "graph") << name_of(mode);
  }
  EXPECT_EQ(search(*found, "graph attention", {.mode = Mode::Words}).total, 4u);
  const auto both = search(*found, "graph attention");
  EXPECT_EQ(both.total, 5u);
  EXPECT_EQ(both.hits[0].meaning_rank, 1u);
  EXPECT_EQ(both.hits[0].words_rank, 1u);
  EXPECT_FLOAT_EQ(*both.hits[0].similarity(), 2 * *both.hits[0].cosine - 1);
}

// A paper's score by both is the weighted sum of its scores by words and by meaning.
TEST_F(FinderTest, WordsDecideWhereOnePaperHasThemAll) {
  const auto all = finder();
  const auto share_of_words = [&](std::string_view typed, double weight = 0.5) {
    const auto words = search(*all, typed, {.mode = Mode::Words});
    const auto meaning = search(*all, typed, {.mode = Mode::Meaning});
    const auto both = search(*all, typed, {.mode = Mode::Both, .weight = weight});
    double product = 0, square = 0;
    for (const auto& paper : kPapers) {
      const auto apart = score_of(words, paper.id) - score_of(meaning, paper.id);
      product += apart * (score_of(both, paper.id) - score_of(meaning, paper.id));
      square += apart * apart;
    }
    return product / square;
  };
  EXPECT_NEAR(share_of_words("graph attention networks"), 0.9, 1e-6);
  EXPECT_NEAR(share_of_words("grpah atention networks"), 0.9, 1e-6) << "as they are read";
  EXPECT_NEAR(share_of_words("graph attention diffusion"), 0.5, 1e-6) << "no paper has the three";
  EXPECT_NEAR(share_of_words("graph attention zymurgical"), 0.5, 1e-6) << "no paper has the last";
  EXPECT_NEAR(share_of_words("diffusion"), 0.5, 1e-6) << "one word says nothing";
  EXPECT_NEAR(share_of_words("graph attention networks", 1), 0, 1e-6);
  EXPECT_NEAR(share_of_words("graph attention networks", 0), 1, 1e-6);
}

// "Attention networks" is a title, and a part of another one whose abstract has the words as well.
TEST_F(FinderTest, AWholeTitleComesBeforeWhatContainsIt) {
  const auto found = finder();
  EXPECT_EQ(ids(search(*found, "attention networks", {.mode = Mode::Words})).front(), "attention");
  EXPECT_EQ(ids(search(*found, "graph attention", {.mode = Mode::Words})).front(), "graph");
}

TEST_F(FinderTest, FiltersBeforeItRanks) {
  const auto found = finder();
  EXPECT_EQ(ids(search(*found, "graph attention venue:neurips year:2020", {.limit = 1})), Ids{"diffusion"});
  EXPECT_EQ(sorted_ids(search(*found, "images venue:nips")), (Ids{"attention", "diffusion"}));
  EXPECT_EQ(sorted_ids(search(*found, "author:shazeer")), (Ids{"attention", "survey"}));
  EXPECT_EQ(sorted_ids(search(*found, "author:\"Shazeer, Noam\"")), (Ids{"attention", "survey"}));
  EXPECT_EQ(sorted_ids(search(*found, "author:Velickovic")), Ids{"graph"});
  EXPECT_EQ(sorted_ids(search(*found, "keyword:\"generative model\"")), (Ids{"diffusion", "score"}));
  EXPECT_EQ(sorted_ids(search(*found, "venue:iclr venue:\"NeurIPS 2020\"")),
            (Ids{"diffusion", "graph", "score"}));
  EXPECT_EQ(sorted_ids(search(*found, "author:shazeer author:vaswani")), Ids{"attention"});
  EXPECT_EQ(sorted_ids(search(*found, "decision:oral -area:language")), Ids{"score"});
  EXPECT_EQ(sorted_ids(search(*found, "title:\"attention network\"")), (Ids{"attention", "graph"}));
  EXPECT_EQ(sorted_ids(search(*found, "\"attention networks\" -graph", {.mode = Mode::Words})),
            Ids{"attention"});
}

TEST_F(FinderTest, SaysWhichFilterLeftNothing) {
  const auto found = finder();
  const auto result = search(*found, "attention author:song venue:neurips");
  EXPECT_EQ(result.total, 0u);
  ASSERT_EQ(result.relaxations.size(), 2u);
  EXPECT_EQ(to_text(result.relaxations[0].without.front()), "author:song");
  EXPECT_EQ(result.relaxations[0].papers, 2u);
  EXPECT_EQ(to_text(result.relaxations[1].without.front()), "venue:neurips");
  EXPECT_EQ(result.relaxations[1].papers, 1u);
  // Only without both is there something.
  const auto nobody = search(*found, "author:nobody venue:nowhere");
  ASSERT_EQ(nobody.relaxations.size(), 1u);
  EXPECT_EQ(nobody.relaxations[0].without.size(), 2u);
  EXPECT_EQ(nobody.relaxations[0].papers, kPapers.size());
  // By words, what is left has to match them too.
  const auto words = search(*found, "recurrence author:song", {.mode = Mode::Words});
  ASSERT_EQ(words.relaxations.size(), 1u);
  EXPECT_EQ(words.relaxations[0].papers, 1u);
}

TEST_F(FinderTest, CountsFacetsOfWhatMatches) {
  const auto found = finder();
  const auto result = search(*found, "venue:neurips venue:iclr", {.facet_values = 2});
  EXPECT_EQ(result.facets.years,
            (std::vector<FacetValue>{{"2021", 1}, {"2020", 1}, {"2018", 1}, {"2017", 1}}));
  EXPECT_EQ(result.facets.decisions, (std::vector<FacetValue>{{"oral", 2}, {"poster", 2}}));
  EXPECT_EQ(result.facets.keywords, (std::vector<FacetValue>{{"graphs", 2}, {"generative model", 1}}));
}

TEST_F(FinderTest, ListsTheNewestWithoutAQuery) {
  const auto found = finder();
  EXPECT_EQ(ids(search(*found, "")), (Ids{"score", "survey", "diffusion", "graph", "attention"}));
  EXPECT_EQ(ids(search(*found, " \t", {.limit = 2, .offset = 1})), (Ids{"survey", "diffusion"}));
  EXPECT_EQ(search(*found, "", {.limit = 2, .offset = 100}).total, 5u);
}

TEST_F(FinderTest, FindsPapersLikeOthers) {
  const auto found = finder();
  auto result = found->search({.like = {"diffusion"}, .explain = true});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(ids(*result).front(), "score");
  EXPECT_EQ(result->total, 4u) << "not itself";
  result = found->search({.like = {"attention", "score"}, .unlike = {"survey"}});
  ASSERT_TRUE(result);
  EXPECT_EQ(sorted_ids(*result), (Ids{"diffusion", "graph"}));
  EXPECT_EQ(found->search({.like = {"nobody"}}).error().message, "there is no paper nobody in the index");
  const auto by_words = finder(false)->search({.like = {"diffusion"}, .mode = Mode::Words});
  ASSERT_TRUE(by_words) << by_words.error().message;
  EXPECT_EQ(ids(*by_words).front(), "score");
}

TEST_F(FinderTest, Explains) {
  const auto found = finder();
  const auto result = search(*found, "attention over neighbours", {.explain = true});
  ASSERT_TRUE(result.hits.front().explanation);
  const auto& why = *result.hits.front().explanation;
  EXPECT_EQ(result.hits.front().paper.id, "graph");
  EXPECT_EQ(why.best_sentence, "Attention over neighbours in graphs.");
  double total = 0;
  for (const auto& term : why.terms) total += term.share;
  EXPECT_NEAR(total, 1, 1e-9);
  const auto alike = found->search({.like = {"graph"}, .explain = true});
  const auto score = std::ranges::find(alike->hits, "score", [](const Hit& hit) { return hit.paper.id; });
  EXPECT_EQ(score->explanation->shared, Ids{"graphs"});
}

TEST_F(FinderTest, ReadsMisspeltWords) {
  const auto found = finder();
  const auto result = search(*found, "difusion", {.mode = Mode::Words});
  EXPECT_EQ(ids(result), Ids{"diffusion"});
  EXPECT_EQ(result.notes, std::vector<std::string>{"read \"difusion\" as \"diffusion\""});
  const auto nothing = search(*found, "zzzzzz", {.mode = Mode::Words});
  EXPECT_EQ(nothing.total, 0u);
  EXPECT_EQ(nothing.notes, std::vector<std::string>{"no paper has any of the words of the query"});
}

TEST_F(FinderTest, NeverPretendsToSearchByMeaning) {
  const auto words = finder(false);
  const auto both = search(*words, "attention");
  EXPECT_EQ(both.mode, Mode::Words);
  EXPECT_EQ(both.notes, std::vector<std::string>{
                            "by words alone: the index has no vectors; import once more with --model"});
  EXPECT_EQ(words->search({.query = {.text = "x"}, .mode = Mode::Meaning}).error().kind, ErrorKind::BadInput);

  ASSERT_TRUE(import_papers({folder_, std::make_unique<WordEmbedder>().get(), "", {}}, kPapers));
  const auto other = Finder::load(folder_, std::make_shared<WordEmbedder>("other"));
  ASSERT_TRUE(other);
  EXPECT_NE((*other)->why_no_meaning().find("another model"), std::string::npos);
  EXPECT_TRUE(words->is_stale());
  EXPECT_FALSE((*other)->is_stale());
}

TEST_F(FinderTest, TakesAnyText) {
  const auto found = finder();
  for (const auto& typed :
       {std::string("😀"), std::string("\xFF\xFE"), std::string(1'000'000, 'a'), std::string("\" OR (NEAR"),
        std::string("a\0b", 3), std::string("-\"\""), std::string("* ^ : AND")})
    for (const auto mode : {Mode::Words, Mode::Meaning, Mode::Both}) {
      const auto query = read_query(typed);
      ASSERT_TRUE(query);
      EXPECT_TRUE(found->search({.query = *query, .mode = mode, .limit = SIZE_MAX, .explain = true}));
    }
}

}  // namespace
}  // namespace alcove::papers
