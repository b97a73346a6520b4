#include "papers/explain.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "papers/search_words.h"
#include "store/vectors.h"
#include "text/fold.h"

namespace alcove::papers {
namespace {

constexpr std::size_t kMostSentences = 200;  // embedded for one answer; a sentence takes milliseconds

float cosine(std::span<const float> a, std::span<const float> b) {
  const float lengths = std::sqrt(store::dot(a, a) * store::dot(b, b));
  return lengths == 0 ? 0 : store::dot(a, b) / lengths;
}

std::size_t words_in_common(std::string_view sentence, const std::set<std::string>& words) {
  const auto own = loose_words(sentence);
  return static_cast<std::size_t>(
      std::ranges::count_if(std::set<std::string>(own.begin(), own.end()),
                            [&](const std::string& word) { return words.contains(word); }));
}

}  // namespace

std::vector<TermShare> term_shares(std::span<const std::string> words, std::span<const double> scores) {
  double total = 0;
  for (const double score : scores) total += score;
  std::vector<TermShare> shares;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (scores[i] > 0) shares.push_back({words[i], scores[i] / total});
  std::ranges::stable_sort(shares, std::greater{}, &TermShare::share);
  return shares;
}

std::vector<std::string> in_common(const Paper& paper, std::span<const Paper> others) {
  std::vector<std::string> shared;
  const auto add = [&](const std::vector<std::string>& own, auto member) {
    for (const auto& value : own)
      if (std::ranges::any_of(others, [&](const Paper& other) {
            return std::ranges::any_of(other.*member, [&](const std::string& theirs) {
              return text::fold(theirs) == text::fold(value);
            });
          }))
        shared.push_back(value);
  };
  add(paper.authors, &Paper::authors);
  add(paper.keywords, &Paper::keywords);
  return shared;
}

Result<std::vector<std::string>> best_sentences(std::span<const std::string_view> texts,
                                                std::string_view query, std::span<const float> query_vector,
                                                Embedder* embedder) {
  std::vector<EmbedText> all;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (const auto sentence : sentences(texts[i])) {
      all.push_back({sentence});
      owners.push_back(i);
    }
  std::vector<float> scores(all.size());
  if (embedder != nullptr && all.size() <= kMostSentences) {
    const auto vectors = TRY(embedder->embed(all, Purpose::Paper));
    for (std::size_t i = 0; i < all.size(); ++i) scores[i] = cosine(vectors[i], query_vector);
  } else {
    const auto loose = loose_words(query);
    const std::set<std::string> words(loose.begin(), loose.end());
    for (std::size_t i = 0; i < all.size(); ++i)
      scores[i] = static_cast<float>(words_in_common(all[i].title, words));
  }
  std::vector<std::string> best(texts.size());
  std::vector<float> best_scores(texts.size(), -2);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (scores[i] > best_scores[owners[i]]) {
      best_scores[owners[i]] = scores[i];
      best[owners[i]] = all[i].title;
    }
  return best;
}

}  // namespace alcove::papers
