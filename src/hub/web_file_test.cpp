#include "hub/web_file.h"

#include <gtest/gtest.h>

namespace alcove::hub {
namespace {

const std::string kDigest(64, 'a');

TEST(WebFile, IsAnAddressWithItsDigest) {
  const auto file = parse_web_file("https://host.org/a/weights%20v2.pt?x=1#sha256=" + kDigest).value();
  EXPECT_EQ(file.url, "https://host.org/a/weights%20v2.pt?x=1");
  EXPECT_EQ(file.name, "weights v2.pt");
  EXPECT_EQ(file.sha256, kDigest);
}

TEST(WebFile, SaysHowTheDigestIsFound) {
  for (const char* end : {"", "#", "#sha256=", "#sha256=abc", "#md5=0"}) {
    const auto file = parse_web_file(std::string("https://host.org/weights.pt") + end);
    ASSERT_FALSE(file) << end;
    EXPECT_NE(file.error().message.find("sha256sum"), std::string::npos);
  }
}

TEST(WebFile, RefusesWhatIsNoAddressOfAFile) {
  for (const char* url : {"https://host.org/", "https://host.org/a/..", "https://host.org/a b.pt",
                          "https://host.org/a%2Fb.pt", "https://host.org/%00", "https://host.org/$(id).pt",
                          "https://host.org/a\n.pt", "ftp://host.org/a.pt"})
    EXPECT_FALSE(parse_web_file(url + std::string("#sha256=") + kDigest)) << url;
}

}  // namespace
}  // namespace alcove::hub
