#include "papers/chroma.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/mapped_file.h"
#include "base/zip.h"

namespace alcove::papers {
namespace {

namespace fs = std::filesystem;

// The folders of tests/golden/chroma.zip, unpacked.
class ChromaFolders : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("alcove-chroma-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    const auto file = MappedFile::open(ALCOVE_SOURCE_DIR "/tests/golden/chroma.zip").value();
    const auto archive = ZipArchive::open(file.bytes(), 1'000).value();
    for (const auto& entry : archive.entries()) {
      ASSERT_FALSE(ZipArchive::leads_astray(entry.name));
      fs::create_directories((folder_ / entry.name).parent_path());
      std::ofstream(folder_ / entry.name, std::ios::binary) << archive.read(entry, 64u << 20).value();
    }
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file_named(const std::string& folder, const std::string& name) const {
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / folder))
      if (entry.path().filename() == name) return entry.path();
    return {};
  }

  // Every record as Chroma's own client gives it; vectors by direction, which is all that cosines need.
  void expect_as_chroma_says(const std::string& name) const {
    const auto read = read_chroma_papers(folder_ / name, "");
    ASSERT_TRUE(read) << read.error().message;
    std::ifstream file(folder_ / (name + ".json"));
    const auto wanted = nlohmann::json::parse(file);
    ASSERT_EQ(read->papers.size(), wanted["ids"].size());
    ASSERT_EQ(read->vectors.size(), wanted["ids"].size());
    for (std::size_t i = 0; i < read->papers.size(); ++i) {
      const auto& paper = read->papers[i];
      EXPECT_EQ(paper.id, wanted["ids"][i]);
      EXPECT_EQ(paper.title, wanted["titles"][i]);
      const std::string document = wanted["documents"][i];
      EXPECT_TRUE(document == paper.abstract || document == paper.title + " " + paper.abstract) << document;
      EXPECT_EQ(read->vectors[i].paper, paper.id);
      const std::vector<float> vector = wanted["vectors"][i];
      double product = 0, ours = 0, theirs = 0;
      for (std::size_t k = 0; k < vector.size(); ++k) {
        product += vector[k] * read->vectors[i].values[k];
        ours += read->vectors[i].values[k] * read->vectors[i].values[k];
        theirs += vector[k] * vector[k];
      }
      EXPECT_NEAR(product / std::sqrt(ours * theirs), 1, 1e-5) << paper.id;
    }
  }

  fs::path folder_;
};

TEST_F(ChromaFolders, OfAFewPapersAreReadFromTheLog) {
  expect_as_chroma_says("small");
  const auto paper = read_chroma_papers(folder_ / "small", "papers")->papers.at(5);
  EXPECT_EQ(paper.authors, (std::vector<std::string>{"Ann A", "Bo B"}));
  EXPECT_EQ(paper.id, "p7");
  EXPECT_EQ(paper.year, 2007);
}

TEST_F(ChromaFolders, OfManyAreReadFromVectorFilesAndLog) {
  ASSERT_FALSE(file_named("large", "index_metadata.pickle").empty());
  expect_as_chroma_says("large");
}

TEST_F(ChromaFolders, SayWhatIsMissing) {
  EXPECT_EQ(read_chroma_papers(folder_, "").error().kind, ErrorKind::NotFound);
  const auto other = read_chroma_papers(folder_ / "small", "other");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("papers"), std::string::npos);
  EXPECT_TRUE(is_chroma_folder(folder_ / "small"));
  EXPECT_FALSE(is_chroma_folder(folder_));
}

// Files cut short and flipped at places all over them: an error or papers, never a crash.
TEST_F(ChromaFolders, SurviveDamage) {
  for (const auto* name : {"chroma.sqlite3", "index_metadata.pickle", "header.bin", "data_level0.bin"}) {
    const auto path = file_named("large", name);
    std::ifstream file(path, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(file), {}};
    const auto step = std::max<std::size_t>(1, whole.size() / 40);
    for (std::size_t at = 0; at < whole.size(); at += step) {
      auto flipped = whole;
      flipped[at] = static_cast<char>(~flipped[at]);
      std::ofstream(path, std::ios::binary) << flipped;
      (void)read_chroma_papers(folder_ / "large", "");
      std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, at);
      (void)read_chroma_papers(folder_ / "large", "");
    }
    std::ofstream(path, std::ios::binary) << whole;
  }
  expect_as_chroma_says("large");
}

}  // namespace
}  // namespace alcove::papers
