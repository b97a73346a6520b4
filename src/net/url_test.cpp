#include "net/url.h"

#include <gtest/gtest.h>

namespace alcove::net {
namespace {

TEST(Url, NamesTheOriginWithItsPort) {
  EXPECT_EQ(origin_of("https://huggingface.co/a?b#c").value(), (Origin{"https", "huggingface.co", 443}));
  EXPECT_EQ(origin_of("http://127.0.0.1:8080").value(), (Origin{"http", "127.0.0.1", 8080}));
}

TEST(Url, RefusesWhatIsNoAddress) {
  for (const char* url : {"", "huggingface.co", "file:///etc/passwd", "ftp://x/y", "http://", "http://a b/",
                          "http://a/\r\nX: y", "http://user:secret@host/"}) {
    const auto origin = origin_of(url);
    ASSERT_FALSE(origin) << url;
    EXPECT_EQ(origin.error().kind, ErrorKind::BadInput);
    EXPECT_EQ(origin.error().message.find("secret"), std::string::npos);
  }
}

TEST(Url, ResolvesLocationsAsABrowserDoes) {
  EXPECT_EQ(resolve("http://h:1/a/b?c", "/d").value(), "http://h:1/d");
  EXPECT_EQ(resolve("http://h:1/a/b?c", "d").value(), "http://h:1/a/d");
  EXPECT_EQ(resolve("http://h:1/a/b?c", "https://other/x?y=z").value(), "https://other/x?y=z");
}

TEST(Url, EncodesPaths) {
  EXPECT_EQ(percent_encoded("a b/c#d%é", true), "a%20b/c%23d%25%C3%A9");
  EXPECT_EQ(percent_encoded("refs/pr/1"), "refs%2Fpr%2F1");
}

TEST(Url, ShowsNoSecrets) {
  EXPECT_EQ(shown("https://me:pw@host/a@b?sig=1#x"), "https://host/a@b");
  EXPECT_EQ(shown("http://h?x"), "http://h");
}

}  // namespace
}  // namespace alcove::net
