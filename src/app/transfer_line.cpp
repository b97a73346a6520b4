#include "app/transfer_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace alcove::app {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kNextLine = std::chrono::seconds(10);

std::string time_left(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s left", whole);
  return fmt::format("{} min {} s left", whole / 60, whole % 60);
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value < 1e3) return fmt::format("{} B", bytes);
  if (value < 1e6) return fmt::format("{:.1f} kB", value / 1e3);
  if (value < 1e9) return fmt::format("{:.1f} MB", value / 1e6);
  return fmt::format("{:.2f} GB", value / 1e9);
}

std::string transfer_text(std::uint64_t done, std::uint64_t total, std::uint64_t moved,
                          std::chrono::duration<double> elapsed, const std::string& name) {
  auto text = total > 0 ? fmt::format("{} of {}", size_text(done), size_text(total)) : size_text(done);
  const double rate = elapsed.count() > 0 ? static_cast<double>(moved) / elapsed.count() : 0;
  if (rate > 0) {
    text += fmt::format("  {}/s", size_text(static_cast<std::uint64_t>(rate)));
    if (total > done) text += "  " + time_left(static_cast<double>(total - done) / rate);
  }
  return text + "  " + name;
}

TransferLine::TransferLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

TransferLine::~TransferLine() {
  if (terminal_) std::fputs("\r\x1b[K", stderr);
}

void TransferLine::show(const std::string& name, std::uint64_t done, std::uint64_t total) {
  const std::scoped_lock lock(mutex_);
  auto& file = files_.try_emplace(name, File{.first = done}).first->second;
  file.done = done;
  file.total = total;
  const auto now = Clock::now();
  if (now - drawn_ < (terminal_ ? Clock::duration(kRedraw) : kNextLine)) return;
  drawn_ = now;
  File sum;
  for (const auto& [_, one] : files_) {
    sum.first += one.first;
    sum.done += one.done;
    sum.total += one.total;
  }
  const auto moved = sum.done - std::min(sum.first, sum.done);
  const auto text = transfer_text(sum.done, sum.total, moved, now - started_, name);
  std::fputs(terminal_ ? ("\r\x1b[K" + text).c_str() : (text + "\n").c_str(), stderr);
  std::fflush(stderr);
}

std::function<void(const std::string&, std::uint64_t, std::uint64_t)> TransferLine::progress() {
  return
      [this](const std::string& file, std::uint64_t done, std::uint64_t total) { show(file, done, total); };
}

}  // namespace alcove::app
