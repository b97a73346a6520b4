#include "app/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/exit_code.h"

namespace alcove::app {
namespace {

Json json_of(const Finding& finding) {
  return {{"code", finding.code},
          {"severity", finding.severity == Severity::Fault ? "fault" : "warning"},
          {"finding", finding.what},
          {"fix", finding.fix}};
}

void print_lines(const std::vector<Finding>& findings, const std::string& head) {
  fmt::print("{}\n", head);
  for (const auto& finding : findings)
    fmt::print("{}  {}\n        {}\n", finding.severity == Severity::Fault ? "fault " : "notice",
               finding.what, finding.fix);
  if (findings.empty()) fmt::print("nothing is wrong that could be looked at from here\n");
}

}  // namespace

int tell(const std::vector<Finding>& findings, const std::string& head, Json about, bool json) {
  if (json) {
    auto& listed = about["findings"] = Json::array();
    for (const auto& finding : findings) listed.push_back(json_of(finding));
    fmt::print("{}\n", to_text(about, 2));
  } else {
    print_lines(findings, head);
  }
  const bool faulty =
      std::ranges::any_of(findings, [](const auto& one) { return one.severity == Severity::Fault; });
  return faulty ? kNeedsAttention : kDone;
}

}  // namespace alcove::app
