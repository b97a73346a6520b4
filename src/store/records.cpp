#include "store/records.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <queue>
#include <unordered_map>

namespace alcove::store {
namespace {

struct Candidate {
  float distance;
  std::size_t order;  // of adding
  std::string id;

  bool operator<(const Candidate& other) const {
    return std::pair(distance, order) < std::pair(other.distance, other.order);
  }
};
using Nearest = std::priority_queue<Candidate>;  // the farthest on top

void keep(Nearest& nearest, Candidate candidate, std::size_t limit) {
  if (nearest.size() < limit) return nearest.push(std::move(candidate));
  if (limit == 0 || !(candidate < nearest.top())) return;
  nearest.pop();
  nearest.push(std::move(candidate));
}

std::vector<Candidate> sorted(Nearest nearest) {
  std::vector<Candidate> all;
  for (; !nearest.empty(); nearest.pop()) all.push_back(nearest.top());
  std::ranges::reverse(all);
  return all;
}

}  // namespace

Result<std::vector<Record>> get_records(RecordSource& source, const GetRequest& request) {
  std::vector<Record> found;
  std::size_t skipped = 0;
  auto parts = request.include;
  parts.metadata |= !request.filter.is_everything();
  parts.document |= request.filter.reads_document();
  TRY(source.each(parts, request.ids ? &*request.ids : nullptr, [&](Record record) {
    if (found.size() >= request.limit) return false;
    if (!request.filter.matches(record.metadata, record.document)) return true;
    if (skipped < request.offset)
      ++skipped;
    else
      found.push_back(std::move(record));
    return true;
  }));
  return found;
}

std::optional<Space> space_named(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Space>, 3> kSpaces{
      {{"l2", Space::L2}, {"cosine", Space::Cosine}, {"ip", Space::Ip}}};
  const auto found = std::ranges::find(kSpaces, name, &std::pair<std::string_view, Space>::first);
  return found == kSpaces.end() ? std::nullopt : std::optional(found->second);
}

float distance(Space space, std::span<const float> a, std::span<const float> b) {
  double product = 0, a_squared = 0, b_squared = 0, apart = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    product += x * y;
    a_squared += x * x;
    b_squared += y * y;
    apart += (x - y) * (x - y);
  }
  if (space == Space::L2) return static_cast<float>(apart);
  if (space == Space::Ip) return static_cast<float>(1 - product);
  const double lengths = std::sqrt(a_squared) * std::sqrt(b_squared);
  return static_cast<float>(lengths == 0 ? 1 : 1 - product / lengths);
}

Result<std::vector<std::vector<Found>>> query_records(RecordSource& source, Space space,
                                                      const QueryRequest& request) {
  std::vector<Nearest> nearest(request.vectors.size());
  const Parts compared{.embedding = true,
                       .document = request.filter.reads_document(),
                       .metadata = !request.filter.is_everything()};
  std::size_t order = 0;
  TRY(source.each(compared, request.ids ? &*request.ids : nullptr, [&](const Record& record) {
    ++order;
    if (record.embedding.empty() || !request.filter.matches(record.metadata, record.document)) return true;
    for (std::size_t i = 0; i < nearest.size(); ++i)
      if (request.vectors[i].size() == record.embedding.size())
        keep(nearest[i], {distance(space, request.vectors[i], record.embedding), order, record.id},
             request.limit);
    return true;
  }));

  std::vector<std::vector<Candidate>> lists;
  std::vector<std::string> wanted;
  for (auto& one : nearest) {
    lists.push_back(sorted(std::move(one)));
    for (const auto& candidate : lists.back()) wanted.push_back(candidate.id);
  }
  std::unordered_map<std::string, Record> records;
  TRY(source.each(request.include, &wanted, [&](Record record) {
    auto id = record.id;
    records.insert_or_assign(std::move(id), std::move(record));
    return true;
  }));
  std::vector<std::vector<Found>> found(lists.size());
  for (std::size_t i = 0; i < lists.size(); ++i)
    for (const auto& candidate : lists[i])
      // One that was deleted between the two looks is left out.
      if (const auto record = records.find(candidate.id); record != records.end())
        found[i].push_back({record->second, candidate.distance});
  return found;
}

}  // namespace alcove::store
