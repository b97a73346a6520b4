#include "papers/export.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "papers/readers.h"

namespace alcove::papers {
namespace {

const std::vector<Paper> kPapers{
    {.id = "v17",
     .title = "Attention Is All You Need",
     .abstract = "We, \"you\".",
     .authors = {"Ashish Vaswani", "Łukasz Kaiser"},
     .keywords = {"attention", "a, b"},
     .venue = "NeurIPS 2017",
     .venue_id = "v",
     .decision = "poster",
     .area = "nlp",
     .summary = "Short.",
     .kind = "inproceedings",
     .doi = "10.1/x_y",
     .url = "https://x.y/z",
     .pdf = "https://x.y/z.pdf",
     .year = 2017,
     .modified = 5},
    {.id = "l",
     .title = "LSTM & <b>more</b>",
     .authors = {"Jürgen Schmidhuber", "DeepMind"},
     .venue = "Neural Computation",
     .kind = "article",
     .year = 1997},
    {.id = "n", .title = "No facts"},
};

TEST(ExportPapers, IsReadBackAsItWas) {
  for (const auto* name : {"json", "jsonl"}) {
    const auto back = read_papers(export_papers(kPapers, *export_format(name)), "x.json");
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->papers, kPapers) << name;
  }
}

TEST(ExportPapers, KeepsTheFactsInTablesBibtexAndRis) {
  for (const auto* name : {"csv", "bib", "ris"}) {
    const auto back = read_papers(export_papers(kPapers, *export_format(name)), "x");
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(back->papers.size(), kPapers.size()) << name;
    for (std::size_t i = 0; i < kPapers.size(); ++i) {
      EXPECT_EQ(back->papers[i].title, kPapers[i].title) << name;
      EXPECT_EQ(back->papers[i].authors, kPapers[i].authors) << name;
      EXPECT_EQ(back->papers[i].venue, kPapers[i].venue) << name;
      EXPECT_EQ(back->papers[i].year, kPapers[i].year) << name;
      EXPECT_EQ(back->papers[i].doi, kPapers[i].doi) << name;
    }
  }
}

TEST(ExportPapers, WritesWhatReferenceManagersTake) {
  const auto ris = export_papers(std::span(kPapers).subspan(1, 1), ExportFormat::Ris);
  EXPECT_EQ(
      ris,
      "TY  - JOUR\r\nID  - l\r\nTI  - LSTM & <b>more</b>\r\nAU  - Schmidhuber, Jürgen\r\nAU  - DeepMind\r\n"
      "PY  - 1997\r\nJO  - Neural Computation\r\nER  - \r\n");
  const auto csl = Json::parse(export_papers(kPapers, ExportFormat::CslJson));
  EXPECT_EQ(csl[1]["author"][0]["family"], "Schmidhuber");
  EXPECT_EQ(csl[1]["author"][1]["literal"], "DeepMind");
  EXPECT_EQ(csl[1]["issued"]["date-parts"][0][0], 1997);
  EXPECT_EQ(csl[0]["type"], "paper-conference");
}

TEST(ExportPapers, EscapesMarkdown) {
  EXPECT_EQ(export_papers(std::span(kPapers).subspan(1, 1), ExportFormat::Markdown),
            "- **LSTM & \\<b\\>more\\</b\\>** — Jürgen Schmidhuber, DeepMind. *Neural Computation 1997*\n");
  EXPECT_EQ(export_papers(std::span(kPapers).subspan(0, 1), ExportFormat::Markdown),
            "- [Attention Is All You Need](https://x.y/z) — Ashish Vaswani, Łukasz Kaiser. *NeurIPS 2017, "
            "poster*\n");
  const Paper hostile{.id = "h", .title = "x", .url = "javascript:alert(1)"};
  EXPECT_EQ(export_papers(std::span(&hostile, 1), ExportFormat::Markdown), "- **x**\n");
}

TEST(ToBibtex, NeverRepeatsAKey) {
  std::vector<Paper> papers(60, {.id = "", .title = "Deep things", .authors = {"Ann A"}, .year = 2020});
  const auto text = to_bibtex(papers);
  std::set<std::string> keys;
  for (std::size_t at = 0; (at = text.find('@', at)) != std::string::npos; ++at)
    keys.insert(text.substr(at, text.find(',', at) - at));
  EXPECT_EQ(keys.size(), papers.size());
}

TEST(ToBibtex, KeepsTheVenuesEntryUnderOurKey) {
  Paper paper{.id = "x",
              .title = "T",
              .authors = {"Ann A"},
              .bibtex = "@inproceedings{\nanonymous2025,\ntitle={T},\nyear={2025}\n}",
              .year = 2025};
  EXPECT_EQ(to_bibtex(std::span(&paper, 1)), "@inproceedings{a2025t,\ntitle={T},\nyear={2025}\n}\n\n");
  paper.bibtex = "@inproceedings{broken";
  EXPECT_TRUE(to_bibtex(std::span(&paper, 1)).starts_with("@inproceedings{a2025t,\n  title     = {T},\n"));
}

TEST(ExportPapers, SaysNothingOfNoPapers) {
  EXPECT_EQ(export_papers({}, ExportFormat::Json), "[]\n");
  EXPECT_EQ(export_papers({}, ExportFormat::Bibtex), "");
}

}  // namespace
}  // namespace alcove::papers
