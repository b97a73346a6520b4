#include "sheets/upright.h"

#include <algorithm>
#include <cmath>

#include "imaging/straighten.h"
#include "sheets/stopwatch.h"

namespace alcove::sheets {
namespace {

// Of the copy on which turns are tried, pixels. A box of A4 is 30 to 50 pixels high there, which is what the
// readers see of it anyway (32).
constexpr int kCopySide = 1280;

// Lines that climb by less are left alone: the detector and the readers know them from training, and a page
// read as it stands is the contract's to the last bit. From there on a page is levelled unasked: of 24
// generated sheets askew by 3 to 10 degrees, 3 were exactly right as they stood and 13 levelled, among them
// all of the 3, while the detector's confidence hardly knew the difference.
constexpr double kLevel = 1.0;

// Both fields this good, and nobody looks whether the page might lie otherwise. On its head, a form of rows
// of boxes still looks like one: of 24 generated sheets turned by 180 degrees one came to 0.64, no other
// above 0.43.
constexpr double kSure = 0.5;

// Another way to hold the page has to be better by this much, because most pages lie as they should.
constexpr double kBetter = 0.2;

double score_of(const FieldReading& field) {
  double best = 0;
  for (const auto& candidate : field.candidates)
    if (!candidate.value.empty())
      best = std::max(best, static_cast<double>(candidate.confidence) * candidate.detection_confidence);
  return best;
}

bool is_sure(const SheetReading& reading) {
  return std::min(score_of(reading.register_number), score_of(reading.subject_code)) >= kSure;
}

struct Way {  // to hold a page
  int turns = 0;
  double skew = 0;
};

imaging::Image held(const imaging::Image& page, const Way& way) {
  if (way.turns == 0) return way.skew == 0 ? page : imaging::rotate(page, way.skew);
  auto turned = imaging::turn(page, way.turns);
  return way.skew == 0 ? turned : imaging::rotate(turned, way.skew);
}

double skew_of(const imaging::Image& page) {
  const double skew = imaging::find_skew(page);
  return std::abs(skew) < kLevel ? 0 : skew;
}

Result<SheetReading> read_held(SheetReader& reader, const imaging::Image& page, const Way& way) {
  const bool as_it_stands = way.turns == 0 && way.skew == 0;
  auto reading = TRY(reader.read(as_it_stands ? page : held(page, way)));
  reading.orientation = way.turns * 90;
  reading.skew = way.skew;
  return reading;
}

// The other ways to hold a page that was held in the way `first`.
std::vector<Way> other_ways(const imaging::Image& page, const Way& first) {
  std::vector<Way> ways;
  if (first.skew != 0) ways.push_back({});  // what looked like skew may have been the desk
  // On its head last: there, a form still looks most like one.
  for (const int turns : {1, 3, 2}) ways.push_back({turns, skew_of(imaging::turn(page, turns))});
  return ways;
}

void add_times(std::vector<Stage>& timings, const std::vector<Stage>& more) {
  for (const auto& stage : more) add_time(timings, stage.name, stage.milliseconds);
}

// The way that is better than `first`, which came to `score`, by enough; none when there is none.
Result<std::optional<Way>> better_way(SheetReader& reader, const imaging::Image& page, const Way& first,
                                      double score) {
  const auto small = imaging::shrunk_to(page, kCopySide);
  std::optional<Way> best;
  double best_score = score + kBetter;
  for (const auto& way : other_ways(small, first)) {
    const auto tried = TRY(read_held(reader, small, way));
    if (score_of(tried) <= best_score) continue;
    best = way;
    best_score = score_of(tried);
    if (is_sure(tried)) break;
  }
  return best;
}

}  // namespace

double score_of(const SheetReading& reading) {
  return score_of(reading.register_number) + score_of(reading.subject_code);
}

imaging::Image as_read(const imaging::Image& page, const SheetReading& reading) {
  return held(page, {reading.orientation / 90, reading.skew});
}

Result<SheetReading> read_upright(SheetReader& reader, const imaging::Image& page) {
  Stopwatch watch;
  const Way level{0, skew_of(page)};
  std::vector<Stage> timings{{"orient", watch.lap()}};
  auto reading = TRY(read_held(reader, page, level));
  add_times(timings, reading.timings);
  if (!is_sure(reading)) {
    watch.lap();
    const auto better = TRY(better_way(reader, page, level, score_of(reading)));
    add_time(timings, "orient", watch.lap());
    if (better) {
      reading = TRY(read_held(reader, page, *better));
      add_times(timings, reading.timings);
    }
  }
  reading.timings = std::move(timings);
  return reading;
}

}  // namespace alcove::sheets
