#pragma once
// One line on a terminal for files on their way: how many bytes of how many, the rate, the time left.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace alcove::app {

// "48.2 of 96.4 MB  12.1 MB/s  4 s left  model.bin"; without a total, what has come so far.
std::string transfer_text(std::uint64_t done, std::uint64_t total, std::uint64_t moved,
                          std::chrono::duration<double> elapsed, const std::string& name);

std::string size_text(std::uint64_t bytes);  // "482 B", "1.2 kB", "48.2 MB", "1.04 GB"

// Draws on standard error: on a terminal one line, ten times a second; elsewhere, as in CI, a line every ten
// seconds. Safe from any thread.
class TransferLine {
 public:
  TransferLine();
  ~TransferLine();  // clears the line
  void show(const std::string& file, std::uint64_t done, std::uint64_t total);

  // `show` as a function; not to be called after this object is gone.
  std::function<void(const std::string& file, std::uint64_t done, std::uint64_t total)> progress();

 private:
  using Clock = std::chrono::steady_clock;
  struct File {
    std::uint64_t first = 0, done = 0, total = 0;  // first: what an earlier run had left
  };

  std::mutex mutex_;
  std::map<std::string, File> files_;
  bool terminal_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point drawn_ = started_;
};

}  // namespace alcove::app
