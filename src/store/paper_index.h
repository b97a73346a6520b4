#pragma once
// The paper finder's index: papers, their words and their vectors in one SQLite file.
// A file that serves is only read; who imports works on a copy (paper_folder.h).

#include <functional>
#include <optional>
#include <span>
#include <unordered_map>

#include "store/connection.h"
#include "store/paper.h"

namespace alcove::store {

// A paper's number within one index file.
enum class PaperNumber : std::int64_t {};

// Which papers' words match, ranked by BM25 over title, abstract, keywords and authors. Case, accents,
// plurals and word endings do not matter, and "self-supervised" matches "self supervised" and
// "selfsupervised". All texts are plain: whatever FTS5 would take for an operator is a letter like others.
struct WordQuery {
  std::vector<std::string> any;      // words, one of which has to be there
  std::vector<std::string> all;      // phrases, each of which has to be there
  std::vector<std::string> without;  // phrases, none of which may be there
  bool in_title = false;             // all of that in the title alone
};
struct WordHit {
  PaperNumber paper;
  double score;  // the more the better; above 0
};

// What the index knows of a paper that is in it already.
struct Known {
  PaperNumber number;
  std::string text_hash;  // of the paper, as its importer computed it
  std::string venue_id;
};

struct IndexModel {
  std::string hash;  // empty: the index has no vectors
  std::string description;
  std::size_t width = 0;
};

// Used by one thread at a time.
class PaperIndex {
 public:
  // NotFound when there is none, Unreadable when it is damaged, Unsupported when a newer program wrote it.
  static Result<PaperIndex> open(const std::filesystem::path& file);
  // New, or as it was left; Unavailable when another process is writing it, naming which.
  static Result<PaperIndex> open_to_write(const std::filesystem::path& file);

  Result<IndexModel> model();
  Result<std::string> note(std::string_view name);  // empty when nothing was noted
  Result<std::int64_t> count();
  Result<std::int64_t> vector_count();

  // Every paper by number, without abstract and BibTeX: what filters and facets need.
  Result<void> each_facts(const std::function<void(PaperNumber, Paper)>& use);
  // Every vector of model().width numbers, by number.
  Result<void> each_vector(const std::function<void(PaperNumber, std::span<const float>)>& use);
  // Of every paper that has a vector, by number: its id, its title, and what the vector was made of.
  Result<void> each_vector_hash(const std::function<void(PaperNumber, std::string id, std::string title,
                                                         std::string vector_hash)>& use);
  Result<std::vector<float>> vector(PaperNumber number);  // NotFound when the paper has none
  // In the order asked for; numbers that are not there are left out.
  Result<std::vector<Paper>> papers(std::span<const PaperNumber> numbers);
  Result<std::vector<WordHit>> match(const WordQuery& query);  // best first
  // What each word adds to the score of one paper; 0 when it is not in it.
  Result<std::vector<double>> shares(PaperNumber paper, std::span<const std::string> words);
  // In how many papers the word is.
  Result<std::int64_t> papers_with(const std::string& word);
  // The words there are, folded and with their endings, and in how many papers each is.
  Result<void> each_word(const std::function<void(std::string, std::int64_t)>& use);

  Result<std::unordered_map<std::string, Known>> known();  // by the papers' ids
  Result<std::vector<PaperNumber>> without_vector();

  // Writing; many calls belong into one transaction.
  template <class Work>
  auto transaction(Work&& work) {
    return connection_.transaction(std::forward<Work>(work));
  }
  // Another model's vectors are dropped: they lie in another space.
  Result<void> set_model(const IndexModel& model);
  Result<void> set_note(std::string_view name, std::string_view text);
  // New, or in place of the one with its id. `vector_hash` says what its vector has to be made of: one made
  // of something else is dropped.
  Result<void> put(const Paper& paper, std::string_view text_hash, std::string_view vector_hash);
  Result<void> remove(PaperNumber number);
  // BadInput when the vector is not model().width wide or holds a number that is not finite.
  Result<void> put_vector(PaperNumber number, std::string_view vector_hash, std::span<const float> vector);
  // Makes the file small and whole, with no log beside it, ready to be renamed; the index is to be closed
  // next.
  Result<void> seal();

 private:
  explicit PaperIndex(Connection connection) : connection_(std::move(connection)) {}
  Result<std::optional<Paper>> paper(PaperNumber number);
  Result<void> put_words(PaperNumber number, const Paper& paper);
  Result<void> remove_words(PaperNumber number);

  Connection connection_;
  std::size_t width_ = 0;
};

}  // namespace alcove::store
