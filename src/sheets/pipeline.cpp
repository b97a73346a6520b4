#include "sheets/pipeline.h"

#include "sheets/stopwatch.h"

namespace alcove::sheets {

Result<SheetReading> read_sheet(SheetReader& reader, Bytes file, const imaging::DecodeOptions& options) {
  Stopwatch watch;
  const auto page = TRY(imaging::decode_page(file, options));
  const double decoded = watch.lap();
  auto reading = TRY(reader.read(page.image));
  reading.timings.insert(reading.timings.begin(), Stage{"decode", decoded});
  reading.timings.push_back({"total", decoded + watch.lap()});
  return reading;
}

}  // namespace alcove::sheets
