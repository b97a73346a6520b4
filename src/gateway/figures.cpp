#include "gateway/figures.h"

#include <fmt/format.h>

#include <iterator>

namespace alcove::gateway {

void Figures::add(std::string_view label, Counts& counts) {
  const std::lock_guard lock(mutex_);
  ++counts[std::string(label)];
}

std::string Figures::text() const {
  std::string text;
  const auto counter = [&](std::string_view name, std::string_view help, std::string_view label,
                           const Counts& counts) {
    fmt::format_to(std::back_inserter(text), "# HELP {0} {1}\n# TYPE {0} counter\n", name, help);
    for (const auto& [value, count] : counts)
      fmt::format_to(std::back_inserter(text), "{}{{{}=\"{}\"}} {}\n", name, label, value, count);
  };
  const std::lock_guard lock(mutex_);
  counter("alcove_gateway_uploads_total", "Sheets handed in.", "kind", uploads_);
  counter("alcove_gateway_reads_total", "Sheets read, by whom.", "served_by", reads_);
  counter("alcove_gateway_fallbacks_total", "Sheets that the first choice did not read.", "reason",
          fallbacks_);
  counter("alcove_gateway_records_total", "Records written.", "workflow_status", records_);
  return text;
}

}  // namespace alcove::gateway
