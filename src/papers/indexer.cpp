#include "papers/indexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "papers/chroma.h"
#include "store/paper_folder.h"

namespace alcove::papers {
namespace {

constexpr const char* kTheirCollection = "openreview_papers";  // as the original finder named it

// How many papers serve now; 0 without an index.
std::size_t papers_in(const std::filesystem::path& data) {
  auto index = store::PaperIndex::open(store::PaperFolder(data).current());
  const auto count = index ? index->count() : Result<std::int64_t>(0);
  return static_cast<std::size_t>(count.value_or(0));
}

void log_report(const std::string& what, const ImportReport& report) {
  log(LogLevel::Info, "indexed",
      {{"what", what},
       {"papers", static_cast<long long>(report.papers)},
       {"added", static_cast<long long>(report.added)},
       {"changed", static_cast<long long>(report.changed)},
       {"embedded", static_cast<long long>(report.embedded)},
       {"without_vector", static_cast<long long>(report.without_vector)}});
}

}  // namespace

Result<void> Indexer::start_due(std::shared_ptr<Embedder> embedder) {
  return begin([this] { return due(); }, std::move(embedder));
}

Result<void> Indexer::start(Venues venues, std::shared_ptr<Embedder> embedder) {
  for (auto& venue : venues) {
    venue = venue_id_in(venue);
    if (!is_venue_id(venue))
      return fail(ErrorKind::BadInput,
                  fmt::format("\"{}\" is no venue's id; one looks like NeurIPS.cc/2025/Conference", venue));
  }
  return begin([venues] { return venues; }, std::move(embedder));
}

void Indexer::stop() {
  const std::lock_guard lock(running_);
  thread_.request_stop();
}

Indexer::State Indexer::state() const {
  const std::lock_guard lock(mutex_);
  auto state = state_;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - entered_;
  if (state.phase == Phase::Idle || took.count() <= 0) return state;
  state.per_second = static_cast<double>(state.done) / took.count();
  if (state.done > 0 && state.total >= state.done)
    state.seconds_left = static_cast<double>(state.total - state.done) / state.per_second;
  return state;
}

Result<void> Indexer::begin(std::function<Result<Venues>()> venues, std::shared_ptr<Embedder> embedder) {
  const std::lock_guard lock(running_);
  {
    const std::lock_guard state_lock(mutex_);
    if (state_.phase != Phase::Idle)
      return fail(ErrorKind::BadInput, "papers are being indexed already; stop that first, or wait",
                  "indexing");
    state_ = {.phase = Phase::Looking, .venue = {}, .seconds_left = {}, .error = {}};
  }
  thread_ = std::jthread([this, venues = std::move(venues), embedder](const std::stop_token& stop) {
    auto done = take_over(embedder.get(), stop);
    if (done) {
      const auto wanted = venues();
      done = wanted ? run(*wanted, embedder.get(), stop) : std::unexpected(wanted.error());
    }
    if (!done && !stop.stop_requested())
      log(LogLevel::Warning, "indexing_failed", {{"reason", done.error().message}});
    const std::lock_guard state_lock(mutex_);
    state_ = {.error = done || stop.stop_requested() ? "" : done.error().message};
  });
  return {};
}

Result<void> Indexer::run(const Venues& venues, Embedder* embedder, const std::stop_token& stop) {
  // One venue that cannot be had keeps no other away, nor the vectors of what is there.
  Result<void> fetched;
  for (const auto& venue : venues)
    if (const auto done = fetch(venue, stop); !done && fetched) fetched = done;
  if (embedder != nullptr && !stop.stop_requested() && papers_in(settings_.data) > 0)
    TRY(embed(*embedder, stop));
  return fetched;
}

Result<Indexer::Venues> Indexer::due() const {
  if (papers_in(settings_.data) == 0)
    return !settings_.venues.empty()       ? settings_.venues
           : settings_.first_venue.empty() ? Venues()
                                           : Venues{settings_.first_venue};
  auto index = TRY(store::PaperIndex::open(store::PaperFolder(settings_.data).current()));
  auto times = TRY(venue_times(index));
  for (const auto& venue : settings_.venues) times.try_emplace(venue_id_in(venue), 0);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  Venues due;
  for (const auto& [venue, seconds] : times) {
    const auto age = now - std::chrono::seconds(seconds);
    if (seconds == 0 || (settings_.fresh.count() > 0 && age > settings_.fresh)) due.push_back(venue);
  }
  return due;
}

// What the original finder wrote into the same folder.
Result<void> Indexer::take_over(Embedder* embedder, const std::stop_token& stop) {
  if (!is_chroma_folder(settings_.data) || papers_in(settings_.data) > 0) return {};
  enter(Phase::Embedding, "Chroma");
  auto read = read_chroma_papers(settings_.data, kTheirCollection);
  if (!read && read.error().kind == ErrorKind::NotFound) read = read_chroma_papers(settings_.data, "");
  if (!read) {
    log(LogLevel::Warning, "chroma_not_read", {{"reason", read.error().message}});
    return {};
  }
  auto report = TRY(import_papers({.data = settings_.data, .whole_venue = {}, .vectors = {}}, read->papers));
  if (embedder != nullptr)
    report = TRY(import_papers(
        {.data = settings_.data, .embedder = embedder, .whole_venue = {}, .vectors = read->vectors},
        {read->papers}, [&](std::size_t done, std::size_t total) { return advance(done, total, stop); }));
  log_report(fmt::format("Chroma's collection {}", read->collection), report);
  return {};
}

Result<void> Indexer::fetch(const std::string& venue, const std::stop_token& stop) {
  enter(Phase::Fetching, venue);
  auto source = settings_.source;
  source.cache = settings_.data;
  source.stop = stop;
  const auto words_of_page = [&](std::span<const Paper> papers) -> Result<void> {
    TRY(import_papers({.data = settings_.data, .whole_venue = {}, .vectors = {}}, papers));
    return {};
  };
  const auto fetched = TRY(fetch_venue(
      source, venue, false, [&](std::size_t done, std::size_t total) { return advance(done, total, stop); },
      words_of_page));
  if (fetched.papers.empty())
    return fail(ErrorKind::NotFound, fmt::format("OpenReview shows no accepted papers of {}", fetched.id));
  log_report(venue, TRY(import_papers({.data = settings_.data, .whole_venue = fetched.id, .vectors = {}},
                                      fetched.papers)));
  return {};
}

Result<void> Indexer::embed(Embedder& embedder, const std::stop_token& stop) {
  enter(Phase::Embedding);
  std::size_t before = 0;
  for (ImportReport report{.embedded = 1, .without_vector = 1};
       report.embedded > 0 && report.without_vector > 0;) {
    report = TRY(import_papers({.data = settings_.data,
                                .embedder = &embedder,
                                .whole_venue = {},
                                .vectors = {},
                                .most_embedded = settings_.vectors_at_once},
                               {}, [&](std::size_t done, std::size_t total) {
                                 return advance(before + done, before + total, stop);
                               }));
    before += report.embedded;
    if (report.replaced) log_report("vectors", report);
  }
  return {};
}

void Indexer::enter(Phase phase, const std::string& venue) {
  const std::lock_guard lock(mutex_);
  state_ = {.phase = phase, .venue = venue};
  entered_ = std::chrono::steady_clock::now();
}

bool Indexer::advance(std::size_t done, std::size_t total, const std::stop_token& stop) {
  const std::lock_guard lock(mutex_);
  state_.done = done;
  state_.total = total;
  return !stop.stop_requested();
}

}  // namespace alcove::papers
