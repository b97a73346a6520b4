#pragma once
// Search over one index: by words (BM25), by meaning (vectors), or by both; filters first, ranks second.

#include <functional>
#include <memory>
#include <mutex>

#include "papers/catalogue.h"
#include "papers/embedder.h"
#include "papers/paper.h"
#include "papers/vector_mirror.h"

namespace alcove::papers {

enum class Mode { Both, Meaning, Words };
std::optional<Mode> mode_named(std::string_view name);  // both, meaning, words
std::string_view name_of(Mode mode);

struct SearchRequest {
  Query query;
  std::vector<std::string> like;    // ids: papers similar to these, instead of to a text
  std::vector<std::string> unlike;  // ids that push their kind away
  Mode mode = Mode::Both;
  double weight = 0.5;  // of meaning against words, 0 to 1; for Mode::Both
  std::size_t limit = 10;
  std::size_t offset = 0;
  bool explain = false;
  std::size_t facet_values = 0;  // of each field; 0: facets are not counted
};

struct TermShare {
  std::string term;
  double share;  // of the paper's score by words; all together 1
};
struct Explanation {
  std::vector<TermShare> terms;     // those that are in the paper, greatest share first
  std::string best_sentence;        // of the abstract, by meaning where there is a model
  std::vector<std::string> shared;  // keywords and authors in common with the papers it is similar to
};

struct Hit {
  Paper paper;
  double score = 0;                         // what hits are sorted by; comparable within one result
  std::optional<float> cosine;              // to the query
  std::optional<std::size_t> meaning_rank;  // from 1, among the papers the filters let through
  std::optional<std::size_t> words_rank;
  std::optional<Explanation> explanation;

  // 2cos - 1, as the original finder called it.
  std::optional<float> similarity() const { return cosine ? std::optional(2 * *cosine - 1) : std::nullopt; }
};

// What would be found without one of the conditions, or without all.
struct Relaxation {
  std::vector<Condition> without;
  std::size_t papers;
};

struct SearchResult {
  std::vector<Hit> hits;
  std::size_t total = 0;   // papers that match; `hits` is a page of them
  Mode mode = Mode::Both;  // that was used
  Facets facets;
  std::vector<Relaxation> relaxations;  // when nothing matched, the greatest first
  std::vector<std::string> notes;       // for people: "no paper has the word …", "read … as …"
};

// An index, loaded. Safe from any thread; calls by words take turns at the file.
class Finder {
 public:
  // Without an embedder, or with another model's than the index, there is no search by meaning. With a
  // mirror vectors are compared there, and not read here. NotFound, Unreadable, Unsupported as
  // PaperIndex::open.
  static Result<std::shared_ptr<Finder>> load(const std::filesystem::path& data,
                                              std::shared_ptr<Embedder> embedder,
                                              std::shared_ptr<VectorMirror> mirror = nullptr);

  // BadInput for a mode or a paper that is not there, naming it; Unavailable when a mirror is away and
  // meaning alone was asked for. An empty query lists what the filters let through, newest first.
  Result<SearchResult> search(const SearchRequest& request);

  Result<std::vector<Paper>> papers(std::span<const std::string> ids);  // those that are there
  std::size_t size() const { return catalogue_.rows(); }
  std::size_t vectors() const { return vectors_->rows(); }
  const store::IndexModel& model() const { return model_; }
  bool can_search_by_meaning() const { return why_no_meaning().empty(); }
  std::string why_no_meaning() const {  // a sentence, or empty
    return why_no_meaning_.empty() ? vectors_->why_not() : why_no_meaning_;
  }
  bool is_stale() const;  // another index has taken its place

 private:
  class Search;

  Finder(store::PaperIndex index, Catalogue catalogue)
      : index_(std::move(index)), catalogue_(std::move(catalogue)) {}
  Result<void> load_vectors(std::shared_ptr<VectorMirror> mirror);

  std::mutex index_mutex_;
  store::PaperIndex index_;
  Catalogue catalogue_;
  std::unique_ptr<PaperVectors> vectors_;
  std::vector<std::uint32_t> paper_rows_;   // catalogue's row of each vector
  std::vector<std::uint32_t> vector_rows_;  // vector's row of each paper, or kNoVector
  store::IndexModel model_;
  std::shared_ptr<Embedder> embedder_;
  std::string why_no_meaning_;
  std::filesystem::path file_;
  std::string stamp_;
  std::vector<std::pair<std::string, std::int64_t>>
      vocabulary_;  // for misspelt words; read when first needed
};

}  // namespace alcove::papers
