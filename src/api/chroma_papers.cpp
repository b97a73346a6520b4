#include "api/chroma_papers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <unordered_set>

#include "store/paper_folder.h"

namespace alcove::api {
namespace {

Json metadata_of(const store::Paper& paper) {
  Json metadata{{"title", paper.title}};
  const auto set = [&](const char* key, std::string text) {
    if (!text.empty()) metadata[key] = std::move(text);
  };
  set("authors", fmt::format("{}", fmt::join(paper.authors, ", ")));
  set("keywords", fmt::format("{}", fmt::join(paper.keywords, ", ")));
  set("venue", paper.venue);
  set("venue_id", paper.venue_id);
  set("decision", paper.decision);
  set("area", paper.area);
  set("url", paper.url);
  set("pdf", paper.pdf);
  if (paper.year != 0) metadata["year"] = paper.year;
  return metadata;
}

using store::PaperIndex;
using store::PaperNumber;

class PaperRecords final : public store::RecordSource {
 public:
  explicit PaperRecords(std::filesystem::path file) : file_(std::move(file)) {}

  Result<void> each(store::Parts parts, const std::vector<std::string>* ids, const Use& use) override {
    auto index = PaperIndex::open(file_);
    if (!index && index.error().kind == ErrorKind::NotFound) return {};
    if (!index) return std::unexpected(index.error());
    auto listed = TRY(list(*index, ids));
    if (parts.document) TRY(add_abstracts(*index, listed));
    auto next = listed.begin();
    bool wanted = true;
    const auto hand_on = [&](std::span<const float> vector) {
      wanted = wanted && use(record_of(next->second, vector, parts));
      ++next;
    };
    // Both lists go by number; papers between two vectors have none.
    const auto with_vector = [&](PaperNumber number, std::span<const float> vector) {
      while (next != listed.end() && next->first < number) hand_on({});
      if (next != listed.end() && next->first == number) hand_on(vector);
    };
    if (parts.embedding) TRY(index->each_vector(with_vector));
    while (next != listed.end() && wanted) hand_on({});
    return {};
  }

 private:
  using Listed = std::vector<std::pair<PaperNumber, store::Paper>>;

  static Result<Listed> list(PaperIndex& index, const std::vector<std::string>* ids) {
    std::unordered_set<std::string_view> named;
    if (ids != nullptr) named.insert(ids->begin(), ids->end());
    Listed listed;
    TRY(index.each_facts([&](PaperNumber number, store::Paper paper) {
      if (ids == nullptr || named.contains(paper.id)) listed.emplace_back(number, std::move(paper));
    }));
    return listed;
  }

  static Result<void> add_abstracts(PaperIndex& index, Listed& listed) {
    std::vector<PaperNumber> numbers;
    for (const auto& [number, paper] : listed) numbers.push_back(number);
    auto whole = TRY(index.papers(numbers));
    for (std::size_t i = 0; i < std::min(whole.size(), listed.size()); ++i)
      listed[i].second.abstract = std::move(whole[i].abstract);
    return {};
  }

  static store::Record record_of(const store::Paper& paper, std::span<const float> vector,
                                 store::Parts parts) {
    store::Record record{.id = paper.id};
    if (parts.embedding) record.embedding.assign(vector.begin(), vector.end());
    if (parts.document) record.document = fmt::format("{}\n{}", paper.title, paper.abstract);
    if (parts.metadata) record.metadata = metadata_of(paper);
    if (parts.uri && !paper.url.empty()) record.uri = paper.url;
    return record;
  }

  const std::filesystem::path file_;
};

}  // namespace

std::unique_ptr<store::RecordSource> paper_records(const std::filesystem::path& data) {
  return std::make_unique<PaperRecords>(store::PaperFolder(data).current());
}

}  // namespace alcove::api
