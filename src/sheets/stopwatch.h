#pragma once
// Time by stage: each lap() is what passed since the one before.

#include <chrono>

namespace alcove::sheets {

class Stopwatch {
 public:
  double lap() {  // milliseconds
    const auto now = Clock::now();
    const std::chrono::duration<double, std::milli> passed = now - last_;
    last_ = now;
    return passed.count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

}  // namespace alcove::sheets
