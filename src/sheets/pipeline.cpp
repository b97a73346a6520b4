#include "sheets/pipeline.h"

#include <algorithm>

#include "sheets/reasons.h"
#include "sheets/stopwatch.h"
#include "sheets/upright.h"

namespace alcove::sheets {
namespace {

Result<imaging::Page> decode(imaging::Decoder& decoder, Bytes file, int number, const SheetOptions& options) {
  return decoder.page(file, {.limits = {}, .password = options.password, .page = number - 1});
}

std::size_t fields_found(const SheetReading& reading) {
  return std::size_t{!reading.register_number.candidates.empty()} +
         std::size_t{!reading.subject_code.candidates.empty()};
}

// Of two pages without both boxes; the earlier one when it is as good.
bool is_better(const SheetReading& later, const SheetReading& earlier) {
  if (fields_found(later) != fields_found(earlier)) return fields_found(later) > fields_found(earlier);
  return score_of(later) > score_of(earlier);
}

}  // namespace

Result<SheetReading> read_sheet(SheetReader& reader, imaging::Decoder& decoder, Bytes file,
                                const SheetOptions& options) {
  Stopwatch watch, total;
  std::optional<SheetReading> best;
  std::vector<Stage> timings;
  std::vector<PageLook> looks;
  const int first = options.page.value_or(1);
  int last = first;
  for (int number = first; number <= last; ++number) {
    watch.lap();
    auto page = decode(decoder, file, number, options);
    // A damaged page behind a good one costs that page alone.
    if (!page && best) break;
    if (!page) return std::unexpected(std::move(page).error());
    add_time(timings, "decode", watch.lap());
    if (!options.page && !options.as_is) last = std::min(page->pages, kPagesLookedAt);

    auto reading = TRY(options.as_is ? reader.read(page->image) : read_upright(reader, page->image));
    for (const auto& stage : reading.timings) add_time(timings, stage.name, stage.milliseconds);
    reading.page = number;
    reading.pages = page->pages;
    looks.push_back(
        {number, reading.register_number.candidates.size(), reading.subject_code.candidates.size()});
    const bool is_cover = reading.has_both_boxes();
    if (!best || is_cover || is_better(reading, *best)) best = std::move(reading);
    if (is_cover) break;
  }
  best->looks = std::move(looks);
  best->timings = std::move(timings);
  best->timings.push_back({"total", total.lap()});
  best->reasons = reasons_for(*best, {.register_length = options.register_length});
  return *std::move(best);
}

Result<imaging::Image> page_of(imaging::Decoder& decoder, Bytes file, const SheetReading& reading,
                               const SheetOptions& options) {
  return as_read(TRY(decode(decoder, file, reading.page, options)).image, reading);
}

}  // namespace alcove::sheets
