#pragma once
// Counters of the server, as Prometheus reads them.

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace alcove::api {

// Seconds, in buckets each half as wide again as the one before, from 0.1 ms to 65 s.
struct Histogram {
  static constexpr std::size_t kBuckets = 34;
  std::array<std::uint64_t, kBuckets + 1> counts{};  // the last one: longer than all
  double sum = 0;

  void add(double seconds);
};

struct Gauge {
  std::string_view name, help;
  double value = 0;
};

// Safe from any thread.
class Metrics {
 public:
  // `reason` is an error's code, empty where all went well: a word of ours, never the caller's text.
  void count_request(std::string_view route, int status, std::string_view reason, double seconds);
  void count_sheet(std::string_view outcome);  // "ok" or an error's code, whichever road the sheet came by
  // "queue", "decode", "detect", …: stages of sheets that were read.
  void add_stage(std::string_view stage, double seconds);

  // Text format 0.0.4, the gauges' present values after the counters.
  std::string text(std::initializer_list<Gauge> gauges) const;

 private:
  struct Key {
    std::string route;
    int status = 0;
    std::string reason;
    auto operator<=>(const Key&) const = default;
  };
  mutable std::mutex mutex_;
  std::map<Key, std::uint64_t> requests_;
  std::map<std::string, std::uint64_t, std::less<>> sheets_;
  std::map<std::string, Histogram, std::less<>> request_seconds_;
  std::map<std::string, Histogram, std::less<>> stage_seconds_;
};

double resident_bytes();  // memory of this process; 0 where the system does not tell

}  // namespace alcove::api
