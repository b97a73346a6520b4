#include "papers/vector_mirror.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <unordered_set>

#include "base/log.h"
#include "store/paper_index.h"

namespace alcove::papers {
namespace {

constexpr std::size_t kMostNear = 10'000;    // that one question asks for; nobody pages that far
constexpr std::size_t kNamedAtOnce = 5'000;  // ids of one question: Chroma puts them into one SQL statement
constexpr std::size_t kHashKept = 16;        // characters

std::unexpected<Error> no_store(const Error& error) {
  return fail(ErrorKind::Unavailable, error.message, kNoStore);
}

struct Wanted {
  store::PaperNumber number;
  std::string id, title, made_of;
};

Result<std::vector<Wanted>> wanted_of(store::PaperIndex& index) {
  std::vector<Wanted> wanted;
  TRY(index.each_vector_hash(
      [&](store::PaperNumber number, std::string id, std::string title, std::string hash) {
        wanted.push_back({number, std::move(id), std::move(title), hash.substr(0, kHashKept)});
      }));
  return wanted;
}

class MirroredVectors final : public PaperVectors {
 public:
  MirroredVectors(std::shared_ptr<VectorMirror> mirror, std::vector<std::string> ids, std::size_t width)
      : mirror_(std::move(mirror)), ids_(std::move(ids)), width_(width) {
    for (std::uint32_t row = 0; row < ids_.size(); ++row) rows_.emplace(ids_[row], row);
  }

  std::size_t rows() const override { return std::min(ids_.size(), mirror_->held()); }
  std::string why_not() const override { return mirror_->why_not(); }

  Result<std::vector<store::Near>> nearest(std::span<const float> query, std::size_t limit,
                                           const store::RowFilter& filter) const override {
    limit = std::min({limit, ids_.size(), kMostNear});
    if (limit == 0 || !(store::dot(query, query) > 0)) return std::vector<store::Near>();
    std::vector<store::Near> found;
    if (std::ranges::find(filter, 0) == filter.end()) {
      add(found, TRY(mirror_->nearest(query, limit, nullptr)));
    } else {
      const auto among = mirror_->held_of(ids_, filter);
      for (std::size_t first = 0; first < among.size(); first += kNamedAtOnce) {
        const auto last = std::min(first + kNamedAtOnce, among.size());
        const std::vector<std::string> some(among.begin() + static_cast<std::ptrdiff_t>(first),
                                            among.begin() + static_cast<std::ptrdiff_t>(last));
        add(found, TRY(mirror_->nearest(query, std::min(limit, some.size()), &some)));
      }
    }
    // What the server sends is not to be trusted with the filter.
    std::erase_if(found, [&](const store::Near& near) { return !filter.empty() && filter[near.row] == 0; });
    std::ranges::sort(found, [](const store::Near& a, const store::Near& b) {
      return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
    });
    found.resize(std::min(found.size(), limit));
    return found;
  }

  Result<std::vector<float>> values(std::span<const std::uint32_t> rows) const override {
    std::vector<std::string> names;
    for (const auto row : rows) names.push_back(ids_[row]);
    const auto found = TRY(mirror_->vectors(names, width_));
    std::vector<float> values;
    for (const auto& name : names) {
      const auto vector = found.find(name);
      if (vector == found.end())
        return fail(ErrorKind::Unavailable,
                    fmt::format("the Chroma server has no vector of paper {} yet; try again", name),
                    kNoStore);
      // It keeps the vectors as they were sent, which may be of any length.
      const float length = std::sqrt(store::dot(vector->second, vector->second));
      for (const float value : vector->second) values.push_back(length > 0 ? value / length : 0);
    }
    return values;
  }

 private:
  // Records that another index has, or somebody else put there, are passed over.
  void add(std::vector<store::Near>& found, const std::vector<ChromaNear>& nearest) const {
    for (const auto& near : nearest)
      if (const auto row = rows_.find(near.id); row != rows_.end())
        found.push_back({row->second, near.cosine});
  }

  const std::shared_ptr<VectorMirror> mirror_;
  const std::vector<std::string> ids_;
  const std::size_t width_;
  std::unordered_map<std::string_view, std::uint32_t> rows_;
};

}  // namespace

Result<void> VectorMirror::fill(const std::filesystem::path& index, const std::stop_token& stop) {
  auto filled = fill_collection(index, stop);
  if (!filled && !stop.stop_requested()) leave(filled.error());
  return filled;
}

Result<void> VectorMirror::fill_collection(const std::filesystem::path& file, const std::stop_token& stop) {
  auto index = TRY(store::PaperIndex::open(file));
  const auto model = TRY(index.model());
  // A store that is away is asked often; what it should have is read when it is there.
  const auto collection = TRY(ChromaCollection::open(address_, model.hash, stop));
  const auto wanted = TRY(wanted_of(index));
  auto there = TRY(collection.list());
  std::unordered_set<std::string_view> names;
  for (const auto& each : wanted) names.insert(each.id);
  std::vector<const Wanted*> missing;
  for (const auto& each : wanted)
    if (const auto found = there.find(each.id); found == there.end() || found->second != each.made_of)
      missing.push_back(&each);
  std::vector<std::string> extra;
  for (const auto& [id, made_of] : there)
    if (!names.contains(id)) extra.push_back(id);
  {
    const std::unique_lock lock(mutex_);
    collection_ = collection;
    records_ = std::move(there);
  }

  const auto at_once = ChromaCollection::most_at_once(model.width);
  for (std::size_t first = 0; first < missing.size(); first += at_once) {
    if (stop.stop_requested()) return fail(ErrorKind::Unavailable, "ended");
    std::vector<ChromaRecord> records;
    for (auto i = first; i < std::min(first + at_once, missing.size()); ++i)
      records.push_back(
          {missing[i]->id, missing[i]->made_of, missing[i]->title, TRY(index.vector(missing[i]->number))});
    TRY(collection.put(records));
    const std::unique_lock lock(mutex_);
    for (const auto& record : records) records_[record.id] = record.made_of;
  }
  TRY(collection.remove(extra));
  const std::unique_lock lock(mutex_);
  for (const auto& id : extra) records_.erase(id);
  if (!missing.empty() || !extra.empty())
    log(LogLevel::Info, "store_filled",
        {{"address", address_.url},
         {"sent", static_cast<long long>(missing.size())},
         {"removed", static_cast<long long>(extra.size())},
         {"vectors", static_cast<long long>(records_.size())}});
  return {};
}

bool VectorMirror::is_away() const {
  const std::shared_lock lock(mutex_);
  return !collection_;
}

std::string VectorMirror::why_not() const {
  const std::shared_lock lock(mutex_);
  return collection_ ? "" : why_away_;
}

std::size_t VectorMirror::held() const {
  const std::shared_lock lock(mutex_);
  return collection_ ? records_.size() : 0;
}

std::vector<std::string> VectorMirror::held_of(const std::vector<std::string>& ids,
                                               const store::RowFilter& filter) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> held;
  for (std::size_t row = 0; row < ids.size(); ++row)
    if (filter[row] != 0 && records_.contains(ids[row])) held.push_back(ids[row]);
  return held;
}

Result<ChromaCollection> VectorMirror::collection() const {
  const std::shared_lock lock(mutex_);
  if (!collection_) return fail(ErrorKind::Unavailable, why_away_, kNoStore);
  return *collection_;
}

void VectorMirror::leave(const Error& error) const {
  const std::unique_lock lock(mutex_);
  if (collection_ || why_away_ != error.message)
    log(LogLevel::Warning, "store_away", {{"reason", error.message}});
  collection_.reset();
  why_away_ = error.message;
}

// A question that the server refuses is this question's affair.
template <class T>
Result<T> VectorMirror::noted(Result<T> answer) const {
  if (answer) return answer;
  if (answer.error().kind != ErrorKind::Unsupported) leave(answer.error());
  return no_store(answer.error());
}

Result<std::vector<ChromaNear>> VectorMirror::nearest(std::span<const float> query, std::size_t limit,
                                                      const std::vector<std::string>* among) const {
  const auto there = TRY(collection());
  return noted(there.nearest(query, limit, among));
}

Result<std::unordered_map<std::string, std::vector<float>>> VectorMirror::vectors(
    std::span<const std::string> ids, std::size_t width) const {
  const auto there = TRY(collection());
  return noted(there.vectors(ids, width));
}

std::unique_ptr<PaperVectors> mirrored_vectors(std::shared_ptr<VectorMirror> mirror,
                                               std::vector<std::string> ids, std::size_t width) {
  return std::make_unique<MirroredVectors>(std::move(mirror), std::move(ids), width);
}

}  // namespace alcove::papers
