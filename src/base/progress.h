#pragma once
// One line on a terminal for work that takes a while: a bar, how many of how many, the rate, the time left.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace alcove {

// What the line says, as a value: "[#####-----] 12/24 sheets  3.1/s  4 s left". Without an end known, total
// is 0.
std::string progress_line(std::size_t done, std::size_t total, std::chrono::duration<double> elapsed,
                          std::string_view noun);

// Draws on standard error when that is a terminal, at most ten times a second; otherwise silent. Used by one
// thread.
class Progress {
 public:
  Progress(std::size_t total, std::string noun);
  ~Progress();  // clears the line
  void advance();

 private:
  using Clock = std::chrono::steady_clock;
  void draw();

  std::size_t done_ = 0;
  std::size_t total_;
  std::string noun_;
  bool terminal_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point drawn_;
};

}  // namespace alcove
