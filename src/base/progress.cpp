#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <utility>

namespace alcove {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr auto kRedraw = std::chrono::milliseconds(100);

std::string time_left(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s left", whole);
  if (whole < 3600) return fmt::format("{} min {} s left", whole / 60, whole % 60);
  return fmt::format("{} h {} min left", whole / 3600, whole % 3600 / 60);
}

}  // namespace

std::string progress_line(std::size_t done, std::size_t total, std::chrono::duration<double> elapsed,
                          std::string_view noun) {
  const double rate = elapsed.count() > 0 ? static_cast<double>(done) / elapsed.count() : 0;
  if (total == 0) return fmt::format("{} {}  {:.1f}/s", done, noun, rate);
  const auto filled = kBarWidth * done / total;
  auto line = fmt::format("[{:#<{}}{:-<{}}] {}/{} {}", "", filled, "", kBarWidth - filled, done, total, noun);
  if (done > 0 && rate > 0)
    line += fmt::format("  {:.1f}/s  {}", rate, time_left(static_cast<double>(total - done) / rate));
  return line;
}

Progress::Progress(std::size_t total, std::string noun)
    : total_(total), noun_(std::move(noun)), terminal_(::isatty(STDERR_FILENO) == 1) {
  draw();
}

Progress::~Progress() {
  if (terminal_) std::fputs("\r\x1b[K", stderr);
}

void Progress::advance() {
  ++done_;
  draw();
}

void Progress::draw() {
  const auto now = Clock::now();
  if (!terminal_ || (done_ != total_ && now - drawn_ < kRedraw)) return;
  drawn_ = now;
  std::fputs(("\r\x1b[K" + progress_line(done_, total_, now - started_, noun_)).c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace alcove
