#include "papers/importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "base/sha256.h"
#include "store/paper_folder.h"

namespace alcove::papers {
namespace {

using store::PaperFolder;
using store::PaperIndex;
using store::PaperNumber;

constexpr std::size_t kPapersInTransaction = 500;
// Between two commits: enough for batches of texts alike in length, few enough to lose little to a kill.
constexpr std::size_t kVectorsInTransaction = 256;
constexpr std::size_t kVectorsCompared = 8;
constexpr float kSameVector =
    0.999F;  // the cosine from which two vectors are the same model's of the same text

constexpr std::string_view kVenueTimes = "venue_times";  // a note with lines of seconds and venue

// What a vector is made of.
std::string vector_hash(const Paper& paper) {
  Sha256 hash;
  hash.add(as_bytes(paper.title));
  hash.add(as_bytes(std::string_view("\0", 1)));
  hash.add(as_bytes(paper.abstract));
  return hash.hex();
}

class Import {
 public:
  Import(const ImportSettings& settings, PaperIndex& index, const ImportProgress& progress)
      : settings_(settings), index_(index), progress_(progress) {}

  Result<ImportReport> run(std::span<const Paper> papers) {
    TRY(use_model());
    TRY(put_papers(papers));
    if (!settings_.whole_venue.empty()) {
      TRY(remove_missing(papers));
      TRY(note_time());
    }
    TRY(take_vectors(papers));
    TRY(embed_missing());
    report_.papers = static_cast<std::size_t>(TRY(index_.count()));
    report_.without_vector = TRY(index_.without_vector()).size();
    return report_;
  }

  bool changed_something() const {
    return model_changed_ || time_noted_ ||
           report_.added + report_.changed + report_.removed + report_.embedded + report_.taken_vectors > 0;
  }

 private:
  Result<void> use_model() {
    if (settings_.embedder == nullptr) return {};
    const auto& embedder = *settings_.embedder;
    model_changed_ = TRY(index_.model()).hash != embedder.model_hash();
    return index_.transaction(
        [&] { return index_.set_model({embedder.model_hash(), embedder.description(), embedder.width()}); });
  }

  Result<void> put_papers(std::span<const Paper> papers) {
    const auto known = TRY(index_.known());
    for (std::size_t first = 0; first < papers.size(); first += kPapersInTransaction) {
      const auto some = papers.subspan(first, std::min(kPapersInTransaction, papers.size() - first));
      const auto put_some = [&]() -> Result<void> {
        for (const auto& paper : some) TRY(put(paper, known));
        return {};
      };
      TRY(index_.transaction(put_some));
    }
    return {};
  }

  Result<void> put(const Paper& paper, const std::unordered_map<std::string, store::Known>& known) {
    const auto hash = text_hash(paper);
    const auto found = known.find(paper.id);
    if (found != known.end() && found->second.text_hash == hash) {
      ++report_.unchanged;
      return {};
    }
    ++(found == known.end() ? report_.added : report_.changed);
    return index_.put(paper, hash, vector_hash(paper));
  }

  Result<void> remove_missing(std::span<const Paper> papers) {
    std::unordered_set<std::string_view> listed;
    for (const auto& paper : papers) listed.insert(paper.id);
    const auto known = TRY(index_.known());
    return index_.transaction([&]() -> Result<void> {
      for (const auto& [id, paper] : known)
        if (paper.venue_id == settings_.whole_venue && !listed.contains(id)) {
          TRY(index_.remove(paper.number));
          ++report_.removed;
        }
      return {};
    });
  }

  // Not worth a new index more than once a day.
  Result<void> note_time() {
    auto times = TRY(venue_times(index_));
    const std::chrono::seconds now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    auto& noted = times[settings_.whole_venue];
    if (now.count() - noted < std::chrono::seconds(std::chrono::hours(24)).count()) return {};
    noted = now.count();
    time_noted_ = true;
    std::string lines;
    for (const auto& [venue, seconds] : times) lines += fmt::format("{} {}\n", seconds, venue);
    return index_.set_note(kVenueTimes, lines);
  }

  // The given vectors are kept when those of a few papers are what the model makes of their texts.
  Result<void> take_vectors(std::span<const Paper> papers) {
    if (settings_.vectors.empty() || settings_.embedder == nullptr) return {};
    std::unordered_map<std::string_view, const Paper*> by_id;
    for (const auto& paper : papers) by_id[paper.id] = &paper;
    if (!TRY(are_of_this_model(by_id))) return {};
    const auto known = TRY(index_.known());
    const auto missing = TRY(index_.without_vector());
    const std::unordered_set<std::int64_t> wanted = [&] {
      std::unordered_set<std::int64_t> numbers;
      for (const auto number : missing) numbers.insert(static_cast<std::int64_t>(number));
      return numbers;
    }();
    return index_.transaction([&]() -> Result<void> {
      for (const auto& vector : settings_.vectors) {
        const auto paper = by_id.find(vector.paper);
        const auto place = known.find(vector.paper);
        if (paper == by_id.end() || place == known.end()) continue;
        if (!wanted.contains(static_cast<std::int64_t>(place->second.number))) continue;
        // One that cannot be kept is made anew.
        if (index_.put_vector(place->second.number, vector_hash(*paper->second), vector.values))
          ++report_.taken_vectors;
      }
      return {};
    });
  }

  Result<bool> are_of_this_model(const std::unordered_map<std::string_view, const Paper*>& by_id) {
    std::vector<EmbedText> texts;
    std::vector<const GivenVector*> compared;
    const auto step = std::max<std::size_t>(1, settings_.vectors.size() / kVectorsCompared);
    for (std::size_t i = 0; i < settings_.vectors.size() && compared.size() < kVectorsCompared; i += step) {
      const auto& vector = settings_.vectors[i];
      const auto paper = by_id.find(vector.paper);
      if (paper == by_id.end() || vector.values.size() != settings_.embedder->width()) continue;
      texts.push_back({paper->second->title, paper->second->abstract});
      compared.push_back(&vector);
    }
    if (compared.empty()) return false;
    const auto ours = TRY(settings_.embedder->embed(texts, Purpose::Paper));
    for (std::size_t i = 0; i < compared.size(); ++i)
      if (cosine(ours[i], compared[i]->values) < kSameVector) return false;
    return true;
  }

  Result<void> embed_missing() {
    if (settings_.embedder == nullptr) return {};
    const auto missing = TRY(index_.without_vector());
    const auto end = std::min(missing.size(), settings_.most_embedded);
    for (std::size_t first = 0; first < end; first += kVectorsInTransaction) {
      const auto some = std::span(missing).subspan(first, std::min(kVectorsInTransaction, end - first));
      TRY(embed(some, first, missing.size()));
    }
    return {};
  }

  Result<void> embed(std::span<const PaperNumber> numbers, std::size_t before, std::size_t total) {
    const auto papers = TRY(index_.papers(numbers));
    std::vector<EmbedText> texts;
    for (const auto& paper : papers) texts.push_back({paper.title, paper.abstract});
    const auto vectors = TRY(settings_.embedder->embed(texts, Purpose::Paper, [&](std::size_t done) {
      return !progress_ || progress_(before + done, total);
    }));
    report_.embedded += vectors.size();
    return index_.transaction([&]() -> Result<void> {
      for (std::size_t i = 0; i < papers.size(); ++i)
        TRY(index_.put_vector(numbers[i], vector_hash(papers[i]), vectors[i]));
      return {};
    });
  }

  static float cosine(std::span<const float> a, std::span<const float> b) {
    double product = 0, a_squared = 0, b_squared = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      product += static_cast<double>(a[i]) * b[i];
      a_squared += static_cast<double>(a[i]) * a[i];
      b_squared += static_cast<double>(b[i]) * b[i];
    }
    return product == 0 ? 0 : static_cast<float>(product / std::sqrt(a_squared * b_squared));
  }

  const ImportSettings& settings_;
  PaperIndex& index_;
  const ImportProgress& progress_;
  ImportReport report_;
  bool model_changed_ = false;
  bool time_noted_ = false;
};

}  // namespace

Result<std::map<std::string, std::int64_t>> venue_times(store::PaperIndex& index) {
  std::map<std::string, std::int64_t> times;
  std::istringstream lines(TRY(index.note(kVenueTimes)));
  for (std::string line; std::getline(lines, line);)
    if (const auto blank = line.find(' '); blank != std::string::npos)
      times[line.substr(blank + 1)] = std::strtoll(line.c_str(), nullptr, 10);
  return times;
}

Result<ImportReport> import_papers(const ImportSettings& settings, std::span<const Paper> papers,
                                   const ImportProgress& progress) {
  const PaperFolder folder(settings.data);
  const bool resumed = folder.has_next();
  auto index = TRY(folder.begin());
  Import import(settings, index, progress);
  auto report = TRY(import.run(papers));
  // What an interrupted import left is put in place even when there is nothing more to do.
  if (!import.changed_something() && !resumed) {
    folder.discard(std::move(index));
    return report;
  }
  TRY(folder.finish(std::move(index)));
  report.replaced = true;
  return report;
}

}  // namespace alcove::papers
