#include "api/metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "api/status.h"

namespace alcove::api {
namespace {

double bound_of(int bucket) { return 0.001 * static_cast<double>(1 << bucket); }

void write(fmt::memory_buffer& out, std::string_view name, std::string_view label,
           const std::map<std::string, Histogram, std::less<>>& histograms) {
  fmt::format_to(std::back_inserter(out), "# TYPE {} histogram\n", name);
  for (const auto& [value, histogram] : histograms) {
    std::uint64_t total = 0;
    for (int bucket = 0; bucket <= Histogram::kBuckets; ++bucket) {
      total += histogram.counts[static_cast<std::size_t>(bucket)];
      const auto bound =
          bucket == Histogram::kBuckets ? std::string("+Inf") : fmt::format("{:g}", bound_of(bucket));
      fmt::format_to(std::back_inserter(out), "{}_bucket{{{}=\"{}\",le=\"{}\"}} {}\n", name, label, value,
                     bound, total);
    }
    fmt::format_to(std::back_inserter(out), "{0}_sum{{{1}=\"{2}\"}} {3}\n{0}_count{{{1}=\"{2}\"}} {4}\n",
                   name, label, value, histogram.sum, total);
  }
}

}  // namespace

void Histogram::add(double seconds) {
  int bucket = 0;
  while (bucket < kBuckets && seconds > bound_of(bucket)) ++bucket;
  ++counts[static_cast<std::size_t>(bucket)];
  sum += seconds;
}

void Metrics::count_request(std::string_view route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{std::string(route), status}];
  request_seconds_[std::string(route)].add(seconds);
}

void Metrics::add_stage(std::string_view stage, double seconds) {
  const std::lock_guard lock(mutex_);
  stage_seconds_[std::string(stage)].add(seconds);
}

std::string Metrics::text(std::initializer_list<Gauge> gauges) const {
  fmt::memory_buffer out;
  const std::lock_guard lock(mutex_);
  fmt::format_to(std::back_inserter(out), "# TYPE alcove_requests_total counter\n");
  for (const auto& [key, count] : requests_)
    fmt::format_to(std::back_inserter(out),
                   "alcove_requests_total{{route=\"{}\",status=\"{}\",outcome=\"{}\"}} {}\n", key.route,
                   key.status, outcome_of(key.status), count);
  write(out, "alcove_request_seconds", "route", request_seconds_);
  write(out, "alcove_stage_seconds", "stage", stage_seconds_);
  for (const auto& gauge : gauges)
    fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} gauge\n{0} {2}\n", gauge.name,
                   gauge.help, gauge.value);
  return fmt::to_string(out);
}

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace alcove::api
