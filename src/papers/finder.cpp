#include "papers/finder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "papers/explain.h"
#include "papers/search_words.h"
#include "store/paper_folder.h"

namespace alcove::papers {
namespace {

constexpr std::uint32_t kNoVector = UINT32_MAX;
// Reciprocal rank fusion: a paper's score is the sum of 1 / (60 + its rank), the constant of the original
// work by Cormack, Clarke and Büttcher (2009).
constexpr double kFusion = 60;
constexpr std::size_t kLeastRanked = 300;  // papers ranked by meaning before they are fused
constexpr std::size_t kMostWords = 24;     // of a pasted abstract, the rarest
constexpr std::size_t kFewPapers =
    1'000;  // among so few, common words cost nothing and still tell papers apart
constexpr std::size_t kMostCounted = 256;   // words of a pasted book that are counted to find those
constexpr std::size_t kMostCorrected = 32;  // words of a query up to which somebody typed it
// Where one paper has every word of a query, whoever typed it most likely means that paper's words: the odds
// of meaning against words are then a ninth, so that a weight of a half becomes a tenth (docs/decisions.md).
constexpr double kOddsWhereWordsFit = 1.0 / 9;
constexpr float kDislike = 0.5F;  // how far disliked papers push, against how far liked ones pull

struct Name {
  std::string_view name;
  Mode mode;
};
constexpr std::array kModes{Name{"both", Mode::Both}, Name{"meaning", Mode::Meaning},
                            Name{"words", Mode::Words}};

std::size_t count(const RowFilter& rows) { return static_cast<std::size_t>(std::ranges::count(rows, 1)); }

void intersect(RowFilter& rows, const RowFilter& others, bool excluded) {
  for (std::size_t row = 0; row < rows.size(); ++row) rows[row] &= excluded ? 1 - others[row] : others[row];
}

// Several venues are alternatives, as are decisions, areas and years; several authors wrote together.
bool is_alternative(Field field) {
  return field == Field::Venue || field == Field::Decision || field == Field::Area || field == Field::Year;
}

void add_scaled(std::vector<float>& sum, std::span<const float> vector, float by) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += by * vector[i];
}

}  // namespace

std::optional<Mode> mode_named(std::string_view name) {
  for (const auto& known : kModes)
    if (known.name == name) return known.mode;
  return std::nullopt;
}

std::string_view name_of(Mode mode) { return kModes[static_cast<std::size_t>(mode)].name; }

// One request on its way: filters, two rankings, their fusion, a page.
class Finder::Search {
 public:
  Search(Finder& finder, const SearchRequest& request) : finder_(finder), request_(request) {}

  Result<SearchResult> run() {
    TRY(choose_mode());
    TRY(find_rows());
    if (result_.mode != Mode::Words && has_query()) TRY(rank_by_meaning_or_go_without());
    if (result_.mode != Mode::Meaning && has_query()) TRY(rank_by_words());
    fuse();
    result_.total = ranking_.size() + unranked_;
    if (request_.facet_values > 0)
      result_.facets = finder_.catalogue_.facets(matching_, request_.facet_values);
    if (result_.total == 0) TRY(relax());
    TRY(take_page());
    return std::move(result_);
  }

 private:
  struct Scored {
    std::uint32_t row;
    double score = 0;
    std::optional<float> cosine;
    std::optional<std::size_t> meaning_rank, words_rank;
    double words_score = 0;
  };

  const Catalogue& catalogue() const { return finder_.catalogue_; }
  bool is_similar() const { return !request_.like.empty(); }
  bool has_query() const { return is_similar() || !request_.query.text.empty(); }

  Result<void> choose_mode() {
    result_.mode = request_.mode;
    const auto why_not = finder_.why_no_meaning();
    if (why_not.empty() || (is_similar() && finder_.vectors() > 0)) {
      if (is_similar() && request_.mode == Mode::Both) result_.mode = Mode::Meaning;
      return {};
    }
    if (request_.mode == Mode::Meaning)
      return fail(finder_.vectors_->why_not().empty() ? ErrorKind::BadInput : ErrorKind::Unavailable,
                  why_not);
    go_without_meaning(why_not);
    return {};
  }

  void go_without_meaning(const std::string& why) {
    if (request_.mode == Mode::Both && has_query()) result_.notes.push_back("by words alone: " + why);
    result_.mode = Mode::Words;
  }

  // ---- filters

  Result<RowFilter> rows_with(const Condition& condition) {
    if (condition.field != Field::Phrase) return catalogue().rows_with(condition);
    RowFilter rows(catalogue().rows());
    const std::lock_guard lock(finder_.index_mutex_);
    for (const auto& hit : TRY(finder_.index_.match({.all = {condition.value}})))
      if (const auto row = catalogue().row_of(hit.paper)) rows[*row] = 1;
    return rows;
  }

  Result<void> find_rows() {
    for (const auto& condition : request_.query.conditions)
      rows_of_conditions_.push_back(TRY(rows_with(condition)));
    matching_ = rows_without({});
    return {};
  }

  // The rows that meet all conditions but those at the places given.
  RowFilter rows_without(std::span<const std::size_t> left_out) const {
    const auto& conditions = request_.query.conditions;
    RowFilter rows(catalogue().rows(), 1);
    std::vector<RowFilter> alternatives(static_cast<std::size_t>(Field::Phrase) + 1);
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      if (std::ranges::find(left_out, i) != left_out.end()) continue;
      const auto& condition = conditions[i];
      if (!is_alternative(condition.field) || condition.excluded) {
        intersect(rows, rows_of_conditions_[i], condition.excluded);
        continue;
      }
      auto& any = alternatives[static_cast<std::size_t>(condition.field)];
      any.resize(rows.size());
      for (std::size_t row = 0; row < rows.size(); ++row) any[row] |= rows_of_conditions_[i][row];
    }
    for (const auto& any : alternatives)
      if (!any.empty()) intersect(rows, any, false);
    for (const auto& seed : {request_.like, request_.unlike})
      for (const auto& id : seed)
        if (const auto row = catalogue().row_of(id)) rows[*row] = 0;
    return rows;
  }

  // ---- rankings

  Result<std::vector<float>> query_vector() {
    if (!is_similar()) {
      const EmbedText text{request_.query.text};
      return TRY(finder_.embedder_->embed(std::span(&text, 1), Purpose::Query)).values;
    }
    std::vector<float> sum(finder_.model_.width);
    TRY(add_vectors(sum, request_.like, 1));
    TRY(add_vectors(sum, request_.unlike, -kDislike));
    return sum;
  }

  // The mean of the papers' vectors, which have length 1.
  Result<void> add_vectors(std::vector<float>& sum, const std::vector<std::string>& ids, float by) {
    std::vector<std::uint32_t> rows;
    for (const auto& id : ids) {
      const auto row = catalogue().row_of(id);
      if (!row) return fail(ErrorKind::NotFound, fmt::format("there is no paper {} in the index", id));
      const auto vector = finder_.vector_rows_[*row];
      if (vector == kNoVector)
        return fail(ErrorKind::BadInput,
                    fmt::format("paper {} has no vector; import once more with --model", id));
      rows.push_back(vector);
    }
    const auto values = TRY(finder_.vectors_->values(rows));
    for (std::size_t i = 0; i < rows.size(); ++i)
      add_scaled(sum, std::span(values).subspan(i * sum.size(), sum.size()),
                 by / static_cast<float>(ids.size()));
    return {};
  }

  // A store that went away a moment ago leaves the words.
  Result<void> rank_by_meaning_or_go_without() {
    auto ranked = rank_by_meaning();
    if (ranked || ranked.error().code != kNoStore || request_.mode != Mode::Both) return ranked;
    query_vector_.clear();
    go_without_meaning(ranked.error().message);
    return {};
  }

  Result<void> rank_by_meaning() {
    query_vector_ = TRY(query_vector());
    RowFilter filter(finder_.paper_rows_.size());
    for (std::size_t i = 0; i < filter.size(); ++i) filter[i] = matching_[finder_.paper_rows_[i]];
    const auto size = finder_.size();
    const auto wanted =
        std::max(kLeastRanked, std::min(request_.offset, size) + std::min(request_.limit, size));
    const auto found = TRY(finder_.vectors_->nearest(query_vector_, wanted, filter));
    for (const auto& near : found) {
      auto& scored = entry(finder_.paper_rows_[near.row]);
      scored.cosine = near.cosine;
      scored.meaning_rank = ++ranked_by_meaning_;
    }
    return {};
  }

  Result<void> rank_by_words() {
    TRY(choose_words());
    const std::lock_guard lock(finder_.index_mutex_);
    auto hits = TRY(finder_.index_.match({.any = words_}));
    if (!is_similar()) TRY(favour_titles(hits));
    std::optional<PaperNumber> best;
    RowFilter found(catalogue().rows());
    std::size_t rank = 0;
    for (const auto& hit : hits) {
      const auto row = catalogue().row_of(hit.paper);
      if (!row) continue;
      found[*row] = 1;
      if (matching_[*row] == 0) continue;
      if (!best) best = hit.paper;
      auto& scored = entry(*row);
      scored.words_score = hit.score;
      scored.words_rank = ++rank;
    }
    if (result_.mode == Mode::Both) TRY(see_whether_words_fit(best));
    if (result_.mode == Mode::Words) {
      if (hits.empty()) result_.notes.push_back("no paper has any of the words of the query");
      found_by_words_ = found;
      intersect(matching_, found, false);
    }
    return {};
  }

  // Who types words that are all in one title means that paper, and the more so the less else is in it: "deep
  // learning" is a title, and a part of a hundred others.
  Result<void> favour_titles(std::vector<store::WordHit>& hits) {
    std::unordered_map<PaperNumber, double> share_of_title;
    for (const auto& hit : TRY(finder_.index_.match({.all = words_, .in_title = true})))
      if (const auto row = catalogue().row_of(hit.paper))
        share_of_title[hit.paper] = std::min(
            1.0, static_cast<double>(words_.size()) / static_cast<double>(catalogue().title_words(*row)));
    if (share_of_title.empty()) return {};
    for (auto& hit : hits)
      if (const auto share = share_of_title.find(hit.paper); share != share_of_title.end())
        hit.score *= 1 + share->second;
    std::ranges::stable_sort(hits, std::greater{}, &store::WordHit::score);
    return {};
  }

  // A single word fits whatever paper is found by it, which says nothing.
  Result<void> see_whether_words_fit(std::optional<PaperNumber> best) {
    words_fit_ = words_fit_ && best && words_.size() > 1;
    if (!words_fit_) return {};
    const auto with_all = TRY(finder_.index_.match({.all = words_}));
    words_fit_ = std::ranges::find(with_all, *best, &store::WordHit::paper) != with_all.end();
    return {};
  }

  // The query's words, misspelt ones replaced, without those that say nothing because most papers have them.
  Result<void> choose_words() {
    const std::lock_guard lock(finder_.index_mutex_);
    std::vector<std::pair<std::int64_t, std::string>> counted;
    auto words = search_words(TRY(text_for_words()));
    const bool is_typed = words.size() <= kMostCorrected;
    words.resize(std::min(words.size(), kMostCounted));
    for (auto& word : words) {
      auto papers = TRY(finder_.index_.papers_with(word));
      if (papers == 0 && is_typed) papers = TRY(correct(word));
      words_fit_ = is_typed && words_fit_ && papers != 0;
      if (papers != 0) counted.emplace_back(papers, std::move(word));
    }
    const auto half = static_cast<std::int64_t>(catalogue().rows() / 2);
    if (catalogue().rows() > kFewPapers &&
        std::ranges::any_of(counted, [&](const auto& each) { return each.first <= half; }))
      std::erase_if(counted, [&](const auto& each) { return each.first > half; });
    std::ranges::stable_sort(counted, {}, &std::pair<std::int64_t, std::string>::first);
    for (auto& [papers, word] : counted)
      if (words_.size() < kMostWords && std::ranges::find(words_, word) == words_.end())
        words_.push_back(std::move(word));
    return {};
  }

  // The word that was meant instead of one that no paper has, and how many have that.
  Result<std::int64_t> correct(std::string& word) {
    TRY(read_vocabulary());
    auto meant = nearest_word(word, finder_.vocabulary_);
    if (meant.empty()) return 0;
    const auto papers = TRY(finder_.index_.papers_with(meant));
    if (papers == 0) return 0;
    result_.notes.push_back(fmt::format("read \"{}\" as \"{}\"", word, meant));
    word = std::move(meant);
    return papers;
  }

  // Papers alike are looked for by the titles and keywords of those they should be like.
  Result<std::string> text_for_words() {
    if (!is_similar()) return request_.query.text;
    std::string text;
    for (const auto& id : request_.like) {
      const auto row = catalogue().row_of(id);
      if (!row) return fail(ErrorKind::NotFound, fmt::format("there is no paper {} in the index", id));
      for (const auto& paper : TRY(finder_.index_.papers(std::array{catalogue().number(*row)})))
        text += fmt::format("{} {} ", paper.title, fmt::join(paper.keywords, " "));
    }
    return text;
  }

  Result<void> read_vocabulary() {
    if (!finder_.vocabulary_.empty()) return {};
    return finder_.index_.each_word([&](std::string word, std::int64_t papers) {
      finder_.vocabulary_.emplace_back(std::move(word), papers);
    });
  }

  Scored& entry(std::uint32_t row) {
    if (places_.empty()) places_.assign(catalogue().rows(), UINT32_MAX);
    if (places_[row] == UINT32_MAX) {
      places_[row] = static_cast<std::uint32_t>(ranking_.size());
      ranking_.push_back({.row = row});
    }
    return ranking_[places_[row]];
  }

  // What scores are measured by: the best one by words, the best and the last one that is ranked by meaning.
  struct Scale {
    double best_words = 0;
    double best_cosine = -1, last_cosine = 1;
    double meaning(double cosine) const {
      return best_cosine > last_cosine ? (cosine - last_cosine) / (best_cosine - last_cosine) : 1;
    }
  };

  Scale greatest_scores() const {
    Scale scale;
    for (const auto& scored : ranking_) {
      scale.best_words = std::max(scale.best_words, scored.words_score);
      if (!scored.meaning_rank) continue;
      scale.best_cosine = std::max<double>(scale.best_cosine, *scored.cosine);
      scale.last_cosine = std::min<double>(scale.last_cosine, *scored.cosine);
    }
    return scale;
  }

  // Half by reciprocal rank, half by how near the score comes to the best one: ranks alone forget that the
  // first paper by words may be the only one that has them all. `relative` is from 0 to 1.
  static double fused(std::size_t rank, double relative) {
    return (relative + (kFusion + 1) / (kFusion + static_cast<double>(rank))) / 2;
  }

  double weight_of_meaning() const {
    const double meaning = request_.weight * (words_fit_ ? kOddsWhereWordsFit : 1);
    return meaning / (meaning + 1 - request_.weight);
  }

  void fuse() {
    if (!has_query()) return list_all();
    const double by_meaning = result_.mode == Mode::Words     ? 0
                              : result_.mode == Mode::Meaning ? 1
                                                              : weight_of_meaning();
    const auto scale = greatest_scores();
    for (auto& scored : ranking_) {
      if (scored.meaning_rank)
        scored.score += by_meaning * fused(*scored.meaning_rank, scale.meaning(*scored.cosine));
      if (scored.words_rank)
        scored.score += (1 - by_meaning) * fused(*scored.words_rank, scored.words_score / scale.best_words);
    }
    std::ranges::sort(ranking_, [](const Scored& a, const Scored& b) {
      return a.score != b.score ? a.score > b.score : a.row < b.row;
    });
    // Those past the ones ranked by meaning match as well; nobody pages that far.
    if (result_.mode != Mode::Words)
      unranked_ = count(matching_) - std::min(count(matching_), ranking_.size());
  }

  void list_all() {
    for (std::uint32_t row = 0; row < matching_.size(); ++row)
      if (matching_[row] != 0) ranking_.push_back({.row = row});
    std::ranges::stable_sort(ranking_, std::greater{},
                             [&](const Scored& scored) { return catalogue().year(scored.row); });
  }

  // ---- what to say

  Result<void> relax() {
    const auto& conditions = request_.query.conditions;
    const auto matches = [&](std::span<const std::size_t> left_out) {
      auto rows = rows_without(left_out);
      if (!found_by_words_.empty()) intersect(rows, found_by_words_, false);
      return count(rows);
    };
    std::vector<std::size_t> all(conditions.size());
    std::iota(all.begin(), all.end(), 0);
    for (const auto i : all)
      if (const auto papers = matches(std::array{i}); papers > 0)
        result_.relaxations.push_back({{conditions[i]}, papers});
    std::ranges::stable_sort(result_.relaxations, std::greater{}, &Relaxation::papers);
    if (result_.relaxations.empty() && conditions.size() > 1)
      if (const auto papers = matches(all); papers > 0) result_.relaxations.push_back({conditions, papers});
    return {};
  }

  Result<void> take_page() {
    const auto first = std::min(request_.offset, ranking_.size());
    const auto page = std::span(ranking_).subspan(first, std::min(request_.limit, ranking_.size() - first));
    const auto cosines = cosines_of(page);
    const std::lock_guard lock(finder_.index_mutex_);
    for (std::size_t i = 0; i < page.size(); ++i) {
      const auto& scored = page[i];
      auto papers = TRY(finder_.index_.papers(std::array{catalogue().number(scored.row)}));
      if (papers.empty()) return fail(ErrorKind::Unreadable, "the index lost a paper; import again");
      result_.hits.push_back(
          {std::move(papers.front()), scored.score, cosines[i], scored.meaning_rank, scored.words_rank, {}});
    }
    return request_.explain ? explain(page) : Result<void>();
  }

  // Papers that only their words brought have one too, unless their vectors cannot be had just now.
  std::vector<std::optional<float>> cosines_of(std::span<const Scored> page) const {
    std::vector<std::optional<float>> cosines;
    std::vector<std::size_t> places;
    std::vector<std::uint32_t> rows;
    for (const auto& scored : page) {
      const auto vector = finder_.vector_rows_[scored.row];
      if (!scored.cosine && !query_vector_.empty() && vector != kNoVector) {
        places.push_back(cosines.size());
        rows.push_back(vector);
      }
      cosines.push_back(scored.cosine);
    }
    if (rows.empty()) return cosines;
    const auto values = finder_.vectors_->values(rows);
    const float length = std::sqrt(store::dot(query_vector_, query_vector_));
    const auto width = query_vector_.size();
    for (std::size_t i = 0; values && i < rows.size(); ++i)
      cosines[places[i]] =
          length == 0 ? 0 : store::dot(std::span(*values).subspan(i * width, width), query_vector_) / length;
    return cosines;
  }

  Result<void> explain(std::span<const Scored> page) {
    std::vector<Paper> seeds;
    for (const auto& id : request_.like)
      if (const auto row = catalogue().row_of(id))
        for (auto& paper : TRY(finder_.index_.papers(std::array{catalogue().number(*row)})))
          seeds.push_back(std::move(paper));
    for (std::size_t i = 0; i < page.size(); ++i) {
      const auto shares = TRY(finder_.index_.shares(catalogue().number(page[i].row), words_));
      auto& hit = result_.hits[i];
      hit.explanation =
          Explanation{.terms = term_shares(words_, shares), .shared = in_common(hit.paper, seeds)};
    }
    std::vector<Explanation*> explanations;
    std::vector<std::string_view> abstracts;
    for (auto& hit : result_.hits) {
      explanations.push_back(&*hit.explanation);
      abstracts.push_back(hit.paper.abstract);
    }
    auto* embedder =
        query_vector_.empty() || !finder_.can_search_by_meaning() ? nullptr : finder_.embedder_.get();
    const auto best = TRY(best_sentences(abstracts, request_.query.text, query_vector_, embedder));
    for (std::size_t i = 0; i < best.size(); ++i) explanations[i]->best_sentence = best[i];
    return {};
  }

  Finder& finder_;
  const SearchRequest& request_;
  SearchResult result_;
  std::vector<RowFilter> rows_of_conditions_;
  RowFilter matching_;        // the rows that may be found
  RowFilter found_by_words_;  // of Mode::Words; empty before
  std::vector<Scored> ranking_;
  std::vector<std::uint32_t> places_;  // of each row in ranking_
  std::size_t ranked_by_meaning_ = 0;
  std::size_t unranked_ = 0;
  std::vector<float> query_vector_;
  std::vector<std::string> words_;
  bool words_fit_ = true;  // the best paper by words has all of them
};

Result<std::shared_ptr<Finder>> Finder::load(const std::filesystem::path& data,
                                             std::shared_ptr<Embedder> embedder,
                                             std::shared_ptr<VectorMirror> mirror) {
  const auto file = store::PaperFolder(data).current();
  const auto stamp = store::file_stamp(file);
  auto index = TRY(store::PaperIndex::open(file));
  auto catalogue = TRY(Catalogue::load(index));
  const auto model = TRY(index.model());

  std::shared_ptr<Finder> finder(new Finder(std::move(index), std::move(catalogue)));
  finder->model_ = model;
  finder->file_ = file;
  finder->stamp_ = stamp;
  TRY(finder->load_vectors(std::move(mirror)));
  if (finder->paper_rows_.empty())
    finder->why_no_meaning_ = "the index has no vectors; import once more with --model";
  else if (!embedder)
    finder->why_no_meaning_ = "no model is loaded; give the index's own with --model";
  else if (embedder->model_hash() != model.hash)
    finder->why_no_meaning_ =
        fmt::format("the index was made with another model ({}) than {}; give that one, or import again",
                    model.description, embedder->description());
  finder->embedder_ = std::move(embedder);
  return finder;
}

Result<void> Finder::load_vectors(std::shared_ptr<VectorMirror> mirror) {
  vector_rows_.assign(catalogue_.rows(), kNoVector);
  const auto add = [this](PaperNumber number) {
    const auto row = catalogue_.row_of(number);
    if (!row) return false;
    vector_rows_[*row] = static_cast<std::uint32_t>(paper_rows_.size());
    paper_rows_.push_back(*row);
    return true;
  };
  if (mirror) {
    std::vector<std::string> ids;
    TRY(index_.each_vector_hash(
        [&](PaperNumber number, std::string id, const std::string&, const std::string&) {
          if (add(number)) ids.push_back(std::move(id));
        }));
    vectors_ = mirrored_vectors(std::move(mirror), std::move(ids), model_.width);
    return {};
  }
  std::vector<float> values;
  values.reserve(catalogue_.rows() * model_.width);
  TRY(index_.each_vector([&](PaperNumber number, std::span<const float> vector) {
    if (add(number)) values.insert(values.end(), vector.begin(), vector.end());
  }));
  vectors_ = vectors_in_memory(
      TRY(store::VectorTable::make(std::max<std::size_t>(1, model_.width), std::move(values))));
  return {};
}

Result<SearchResult> Finder::search(const SearchRequest& request) { return Search(*this, request).run(); }

Result<std::vector<Paper>> Finder::papers(std::span<const std::string> ids) {
  std::vector<PaperNumber> numbers;
  for (const auto& id : ids)
    if (const auto row = catalogue_.row_of(id)) numbers.push_back(catalogue_.number(*row));
  const std::lock_guard lock(index_mutex_);
  return index_.papers(numbers);
}

bool Finder::is_stale() const { return store::file_stamp(file_) != stamp_; }

}  // namespace alcove::papers
