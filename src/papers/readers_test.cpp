#include "papers/readers.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "papers/export.h"

namespace alcove::papers {
namespace {

using Strings = std::vector<std::string>;

ReadPapers read(std::string_view content, std::string_view name = "papers") {
  auto read = read_papers(content, name);
  EXPECT_TRUE(read) << read.error().message;
  return read ? *std::move(read) : ReadPapers{};
}

Paper only(std::string_view content, std::string_view name = "papers") {
  auto papers = read(content, name).papers;
  EXPECT_EQ(papers.size(), 1u);
  return papers.empty() ? Paper{} : papers.front();
}

constexpr std::string_view kNoteV2 = R"({"notes":[
 {"id":"Ab3dEf9hIj","forum":"Ab3dEf9hIj","invitations":["NeurIPS.cc/2025/Conference/-/Submission"],"tmdate":1760000000001,
  "content":{"title":{"value":"A  title\nin two lines"},"abstract":{"value":"Text with $\\TeX$"},
   "authors":{"value":["Ann A","Bo B"]},"authorids":{"value":["~Ann_A1","bo@x.org"]},"keywords":{"value":["k1","a, b"]},
   "TLDR":{"value":"Short."},"pdf":{"value":"/pdf/00.pdf"},"venue":{"value":"NeurIPS 2025 poster"},
   "venueid":{"value":"NeurIPS.cc/2025/Conference"},"primary_area":{"value":"theory"},"hidden":{"readers":["x"]}}},
 {"id":"r","replyto":"Ab3dEf9hIj","content":{"title":{"value":"A review"}}},
 {"id":"d","ddate":1,"content":{"title":{"value":"Deleted"}}},
 {"id":"u","content":{"title":{"value":"Unified"},"keywords":{"value":"one, two"},
   "authors":{"value":[{"fullname":"Cy C","username":"~Cy_C1","institutions":[{"name":"I"}]}]}},"pdate":1758000000000},
 {"id":"h","content":{"title":{"value":"Hidden authors"},"authors":{"readers":["x"]}}}],"count":5})";

TEST(ReadPapers, TakesNotesOfTheNewerApi) {
  const auto notes = read(kNoteV2).papers;
  ASSERT_EQ(notes.size(), 3u);
  EXPECT_EQ(notes[0], (Paper{.id = "Ab3dEf9hIj",
                             .title = "A title in two lines",
                             .abstract = "Text with $\\TeX$",
                             .authors = {"Ann A", "Bo B"},
                             .author_ids = {"~Ann_A1", "bo@x.org"},
                             .keywords = {"k1", "a, b"},
                             .venue = "NeurIPS 2025",
                             .venue_id = "NeurIPS.cc/2025/Conference",
                             .decision = "poster",
                             .area = "theory",
                             .summary = "Short.",
                             .url = "https://openreview.net/forum?id=Ab3dEf9hIj",
                             .pdf = "https://openreview.net/pdf/00.pdf",
                             .year = 2025,
                             .modified = 1760000000001}));
  EXPECT_EQ(notes[1].authors, Strings{"Cy C"});
  EXPECT_EQ(notes[1].author_ids, Strings{"~Cy_C1"});
  EXPECT_EQ(notes[1].keywords, (Strings{"one", "two"}));
  EXPECT_EQ(notes[1].year, 2025);
  EXPECT_TRUE(notes[2].authors.empty());
}

TEST(ReadPapers, TakesNotesOfTheOlderApi) {
  const auto note = only(R"([{"id":"x","forum":"x","invitation":"ICLR.cc/2018/Conference/-/Blind_Submission",
    "content":{"title":"Old","TL;DR":"Brief","authors":["A B"],"authorids":["a@b.c"],"abstract":"","keywords":[],"pdf":null}}])");
  EXPECT_EQ(note.venue, "ICLR 2018");
  EXPECT_EQ(note.venue_id, "ICLR.cc/2018/Conference");
  EXPECT_EQ(note.year, 2018);
  EXPECT_EQ(note.summary, "Brief");
  EXPECT_EQ(note.abstract, "");
}

TEST(ReadPapers, TakesPaperlists) {
  const auto paper =
      only(R"([{"title":"T","status":"Spotlight","track":"main","abstract":"Ab","keywords":"k1;k2",
    "author":"Ann A;Bo B","authorids":"~Ann_A1;~Bo_B1","aff":"X;Y","primary_area":"rl","tldr":"","site":"https://x.y/f",
    "id":"q1","rating":"5;6","gender":"F;M"}])",
           "data/nips2024.json");
  EXPECT_EQ(paper.id, "q1");
  EXPECT_EQ(paper.authors, (Strings{"Ann A", "Bo B"}));
  EXPECT_EQ(paper.keywords, (Strings{"k1", "k2"}));
  EXPECT_EQ(paper.venue, "NeurIPS 2024");
  EXPECT_EQ(paper.year, 2024);
  EXPECT_EQ(paper.decision, "spotlight");
  EXPECT_EQ(paper.url, "https://x.y/f");
}

TEST(ReadPapers, TakesLinesOfJson) {
  const auto all = read(
      "{\"title\":\"One\",\"year\":2020}\n\n{\"title\":\"Two {\\\"\",\"authors\":[\"B, "
      "A\"]}\n{\"title\":7\n");
  ASSERT_EQ(all.papers.size(), 2u);
  EXPECT_EQ(all.papers[0].id, "2020one");
  EXPECT_EQ(all.papers[1].title, "Two {\"");
  EXPECT_EQ(all.papers[1].authors, Strings{"A B"});
  ASSERT_EQ(all.findings.size(), 1u);
  EXPECT_EQ(all.findings[0].where, "entry 3");
}

TEST(ReadPapers, TakesTables) {
  const auto all = read(
      "Title,Authors,Year,Keywords,Abstract\r\n\"A, b\",\"Ann A, Bo B\",2019,\"x; y\",Text\r\n,,2019,,\r\n");
  ASSERT_EQ(all.papers.size(), 1u);
  EXPECT_EQ(all.papers[0].title, "A, b");
  EXPECT_EQ(all.papers[0].authors, (Strings{"Ann A", "Bo B"}));
  EXPECT_EQ(all.papers[0].keywords, (Strings{"x", "y"}));
  EXPECT_EQ(all.findings.at(0).where, "line 3");
}

TEST(ReadPapers, TakesBibtex) {
  const auto all = read(R"(% made by hand
@string{nips = "Advances in " # {Neural}}
@comment{ignored}
@InProceedings{v17,
  title     = {{Attention} Is All {Y}ou Need},
  author    = {Vaswani, Ashish and {\L}ukasz Kaiser and {Google Brain} and others},
  booktitle = nips # " Processing",
  year      = 2017, url = {https://x.y/~a_b},
  keywords  = {a, b},
}
@article{broken, title = {never ends
@article(m, title = "M {\"u} \& more", author = "M{\"u}ller, J{\"u}rgen", journal = {Neural Computation}, year = {1997})
)");
  ASSERT_EQ(all.papers.size(), 2u);
  EXPECT_EQ(all.papers[0].id, "v17");
  EXPECT_EQ(all.papers[0].title, "Attention Is All You Need");
  EXPECT_EQ(all.papers[0].authors, (Strings{"Ashish Vaswani", "Łukasz Kaiser", "Google Brain"}));
  EXPECT_EQ(all.papers[0].venue, "Advances in Neural Processing");
  EXPECT_EQ(all.papers[0].url, "https://x.y/~a_b");
  EXPECT_EQ(all.papers[0].kind, "inproceedings");
  EXPECT_EQ(all.papers[1].title, "M ü & more");
  EXPECT_EQ(all.papers[1].authors, Strings{"Jürgen Müller"});
  EXPECT_EQ(all.papers[1].kind, "article");
  ASSERT_EQ(all.findings.size(), 1u);
  EXPECT_EQ(all.findings[0].where, "line 11");
}

TEST(ReadPapers, TakesRis) {
  const auto all = read(
      "TY  - JOUR\r\nAU  - LeCun, Yann\r\nAU  - Bengio, Yoshua\r\nTI  - Deep\r\nlearning\r\nPY  - "
      "2015/05/28\r\nJO  - "
      "Nature\r\nKW  - a\r\nKW  - b\r\nDO  - 10.1/x\r\nER  - \r\nTY  - CONF\r\nER  - \r\nTY  - CONF\r\nT1  - "
      "Last");
  ASSERT_EQ(all.papers.size(), 2u);
  EXPECT_EQ(all.papers[0].title, "Deep learning");
  EXPECT_EQ(all.papers[0].authors, (Strings{"Yann LeCun", "Yoshua Bengio"}));
  EXPECT_EQ(all.papers[0].year, 2015);
  EXPECT_EQ(all.papers[0].venue, "Nature");
  EXPECT_EQ(all.papers[0].doi, "10.1/x");
  EXPECT_EQ(all.papers[1].title, "Last");
  EXPECT_EQ(all.findings.at(0).where, "line 12");
}

TEST(ReadPapers, KeepsTheLaterOfTwoWithOneId) {
  const auto all = read(R"([{"id":"a","title":"One"},{"id":"b","title":"B"},{"id":"a","title":"Newer"}])");
  ASSERT_EQ(all.papers.size(), 2u);
  EXPECT_EQ(all.papers[0].title, "Newer");
  EXPECT_EQ(all.findings.at(0).where, "a");
}

TEST(ReadPapers, NamesPapersWithoutIdApart) {
  const auto all = read(
      R"([{"title":"Deep one","year":2020},{"title":"Deep two","year":2020},{"title":"Deep one","year":2020}])");
  ASSERT_EQ(all.papers.size(), 2u);
  EXPECT_EQ(all.papers[0].id, "2020deep");
  EXPECT_EQ(all.papers[1].id, "2020deep-2");
}

TEST(ReadPapers, RefusesWhatHoldsNoPapers) {
  for (const auto* content :
       {"", "hello", "<html>", "\x89PNG\r\n", "[1,2]", "{\"a\":1}", "[", "{", "{\"title\":"}) {
    const auto got = read_papers(content, "x.txt");
    EXPECT_TRUE(!got || got->papers.empty()) << content;
  }
  EXPECT_EQ(read_papers("<html>", "x.html").error().kind, ErrorKind::Unreadable);
  EXPECT_EQ(read_papers("[1]", "x.json").error().message,
            "x.json holds no paper that can be read; entry 1: no title; left out");
  EXPECT_TRUE(read("[]", "x.json").papers.empty());
}

// Every format, cut short at each byte and with each byte flipped: whatever comes out, it comes out.
TEST(ReadPapers, SurvivesDamage) {
  const Paper paper{.id = "i",
                    .title = "T {x} \"q\"",
                    .abstract = "A, b",
                    .authors = {"Ann von A", "B"},
                    .keywords = {"k", "l"},
                    .venue = "V 2020",
                    .year = 2020};
  for (const auto format : {ExportFormat::Json, ExportFormat::JsonLines, ExportFormat::Csv,
                            ExportFormat::Bibtex, ExportFormat::Ris}) {
    const auto whole = export_papers(std::span(&paper, 1), format);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      (void)read_papers(whole.substr(0, i), "x");
      auto flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ 0x55);
      (void)read_papers(flipped, "x");
    }
  }
}

TEST(ReadPapers, TakesADeepBracketPileForOneBadEntry) {
  const std::string deep(1'000'000, '[');
  const auto got = read_papers(deep, "x.json");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::Unreadable);
}

}  // namespace
}  // namespace alcove::papers
