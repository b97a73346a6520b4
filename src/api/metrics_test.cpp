#include "api/metrics.h"

#include <gtest/gtest.h>

namespace alcove::api {
namespace {

TEST(Metrics, CountsByRouteStatusAndOutcome) {
  Metrics metrics;
  metrics.count_request("/extract", 200, "", 0.1);
  metrics.count_request("/extract", 200, "", 0.2);
  metrics.count_request("/extract", 429, "overloaded", 0.0001);
  const auto text = metrics.text({{"alcove_ready", "1 when sheets are read.", 1}});
  EXPECT_NE(
      text.find("alcove_requests_total{route=\"/extract\",status=\"200\",outcome=\"ok\",reason=\"\"} 2\n"),
      std::string::npos);
  EXPECT_NE(text.find("alcove_requests_total{route=\"/extract\",status=\"429\",outcome=\"overloaded\","
                      "reason=\"overloaded\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("alcove_request_seconds_count{route=\"/extract\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("# TYPE alcove_ready gauge\nalcove_ready 1\n"), std::string::npos);
}

TEST(Metrics, BucketsAddUp) {
  Metrics metrics;
  for (const double seconds : {0.00005, 0.0001, 0.00011, 3.0, 1000.0}) metrics.add_stage("decode", seconds);
  const auto text = metrics.text({});
  EXPECT_NE(text.find("alcove_stage_seconds_bucket{stage=\"decode\",le=\"0.0001\"} 2\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("alcove_stage_seconds_bucket{stage=\"decode\",le=\"0.00015\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("alcove_stage_seconds_bucket{stage=\"decode\",le=\"64.72\"} 4\n"), std::string::npos);
  EXPECT_NE(text.find("alcove_stage_seconds_bucket{stage=\"decode\",le=\"+Inf\"} 5\n"), std::string::npos);
}

TEST(ResidentBytes, IsMoreThanNothing) { EXPECT_GT(resident_bytes(), 1e6); }

}  // namespace
}  // namespace alcove::api
