#include "api/metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "api/status.h"

namespace alcove::api {
namespace {

constexpr auto kBounds = [] {
  std::array<double, Histogram::kBuckets> bounds{};
  double bound = 0.0001;
  for (auto& each : bounds) {
    each = bound;
    bound *= 1.5;
  }
  return bounds;
}();

class Text {
 public:
  template <class... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Values>(values)...);
    out_.push_back('\n');
  }
  void head(std::string_view name, std::string_view type, std::string_view help) {
    line("# HELP {} {}", name, help);
    line("# TYPE {} {}", name, type);
  }
  void histograms(std::string_view name, std::string_view help, std::string_view label,
                  const std::map<std::string, Histogram, std::less<>>& all) {
    head(name, "histogram", help);
    for (const auto& [value, histogram] : all) {
      std::uint64_t total = 0;
      for (std::size_t i = 0; i < kBounds.size(); ++i) {
        total += histogram.counts[i];
        line("{}_bucket{{{}=\"{}\",le=\"{:.4g}\"}} {}", name, label, value, kBounds[i], total);
      }
      total += histogram.counts.back();
      line("{}_bucket{{{}=\"{}\",le=\"+Inf\"}} {}", name, label, value, total);
      line("{}_sum{{{}=\"{}\"}} {}", name, label, value, histogram.sum);
      line("{}_count{{{}=\"{}\"}} {}", name, label, value, total);
    }
  }
  std::string str() const { return fmt::to_string(out_); }

 private:
  fmt::memory_buffer out_;
};

}  // namespace

void Histogram::add(double seconds) {
  ++counts[static_cast<std::size_t>(std::ranges::lower_bound(kBounds, seconds) - kBounds.begin())];
  sum += seconds;
}

void Metrics::count_request(std::string_view route, int status, std::string_view reason, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{std::string(route), status, std::string(reason)}];
  request_seconds_[std::string(route)].add(seconds);
}

void Metrics::count_sheet(std::string_view outcome) {
  const std::lock_guard lock(mutex_);
  ++sheets_[std::string(outcome)];
}

void Metrics::add_stage(std::string_view stage, double seconds) {
  const std::lock_guard lock(mutex_);
  stage_seconds_[std::string(stage)].add(seconds);
}

std::string Metrics::text(std::initializer_list<Gauge> gauges) const {
  Text text;
  const std::lock_guard lock(mutex_);
  text.head("alcove_requests_total", "counter", "Requests answered.");
  for (const auto& [key, count] : requests_)
    text.line("alcove_requests_total{{route=\"{}\",status=\"{}\",outcome=\"{}\",reason=\"{}\"}} {}",
              key.route, key.status, outcome_of(key.status), key.reason, count);
  text.head("alcove_sheets_total", "counter", "Sheets read or refused, alone, in batches and in jobs.");
  for (const auto& [outcome, count] : sheets_)
    text.line("alcove_sheets_total{{outcome=\"{}\"}} {}", outcome, count);
  text.histograms("alcove_request_seconds", "From a request's headers to the end of its reply.", "route",
                  request_seconds_);
  text.histograms("alcove_stage_seconds", "Stages of sheets that were read.", "stage", stage_seconds_);
  for (const auto& gauge : gauges) {
    text.head(gauge.name, "gauge", gauge.help);
    text.line("{} {}", gauge.name, gauge.value);
  }
  return text.str();
}

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace alcove::api
