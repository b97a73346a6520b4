#include "base/log.h"

#include <gtest/gtest.h>

#include <array>

namespace alcove {
namespace {

TEST(LogText, IsJsonOrPairs) {
  const std::array<LogField, 4> fields{
      {{"route", std::string("/extract")}, {"status", 200LL}, {"ms", 1.5}, {"ok", true}}};
  EXPECT_EQ(log_text(LogFormat::JsonLines, "request", fields),
            R"("event":"request","route":"/extract","status":200,"ms":1.5,"ok":true)");
  EXPECT_EQ(log_text(LogFormat::Text, "request", fields),
            R"(request route="/extract" status=200 ms=1.5 ok=true)");
}

TEST(LogText, CannotBeMadeToStartALineOfItsOwn) {
  const std::array<LogField, 1> fields{{{"name", std::string("a\n{\"event\":\"forged\"}\xff")}}};
  for (const auto format : {LogFormat::JsonLines, LogFormat::Text}) {
    const auto text = log_text(format, "x", fields);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_EQ(text.find('\xff'), std::string::npos);
  }
}

}  // namespace
}  // namespace alcove
