// What opening a page in a decode worker adds to opening it in the process: script/bench decode-workers.
//
//   alcove_decode_bench FILE...
//
// By turns, so that whatever the machine does meanwhile happens to both; the pages have to be the same.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/mapped_file.h"
#include "imaging/decode_pool.h"

namespace {

using namespace alcove;
using std::chrono::steady_clock;

constexpr int kRounds = 61;
constexpr std::chrono::milliseconds kBetween{
    20};  // a sheet's network runs meanwhile, and the next worker is forked

struct Times {
  std::vector<double> milliseconds;

  double least() const { return std::ranges::min(milliseconds); }
  double median() const {
    auto sorted = milliseconds;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }
};

Result<imaging::Page> timed(imaging::Decoder& decoder, Bytes file, Times& times) {
  const auto start = steady_clock::now();
  auto page = decoder.page(file);
  times.milliseconds.push_back(
      std::chrono::duration<double, std::milli>(steady_clock::now() - start).count());
  return page;
}

Result<void> measure(imaging::DecodePool& pool, const char* path) {
  const auto file = TRY(MappedFile::open(path));
  imaging::LocalDecoder here;
  Times in_process, in_worker;
  for (int round = 0; round < kRounds; ++round) {
    std::this_thread::sleep_for(kBetween);
    const auto theirs = TRY(timed(pool, file.bytes(), in_worker));
    const auto ours = TRY(timed(here, file.bytes(), in_process));
    if (theirs.image.pixels != ours.image.pixels)
      return fail(ErrorKind::Internal, "the worker's page is another one");
  }
  fmt::print("{:<40} {:6.2f} ({:5.2f})   {:6.2f} ({:5.2f})   {:+5.2f}\n", path, in_process.median(),
             in_process.least(), in_worker.median(), in_worker.least(),
             in_worker.least() - in_process.least());
  return {};
}

}  // namespace

int main(int count, char** words) {
  const std::vector<const char*> files(words + 1, words + count);
  const imaging::PoolSettings settings;
  if (files.size() == 1 && files[0] == settings.keeper) return imaging::keep_decode_workers();
  imaging::DecodePool pool(settings);
  fmt::print("{:<40} {}   {}   {}\n", "ms: median (least)", "in the process", "in a worker", "least adds");
  for (const auto* file : files)
    if (const auto measured = measure(pool, file); !measured) {
      fmt::print(stderr, "{}: {}\n", file, measured.error().message);
      return EXIT_FAILURE;
    }
}
