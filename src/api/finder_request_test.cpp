#include "api/finder_request.h"

#include <gtest/gtest.h>

namespace alcove::api {
namespace {

using papers::Field;

TEST(SearchRequest, TakesWordsFieldsAndFilters) {
  const auto request =
      search_request("q=graph+nets+author%3Avelickovic&venue=ICLR+2018&venue=ICML&year=%3E%3D2017&n=5");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->query.text, "graph nets");
  ASSERT_EQ(request->query.conditions.size(), 4U);
  EXPECT_EQ(request->query.conditions[0].field, Field::Author);
  EXPECT_EQ(request->query.conditions[1].value, "ICLR 2018");
  EXPECT_EQ(request->query.conditions[2].value, "ICML");
  EXPECT_EQ(request->query.conditions[3].from, 2017);
  EXPECT_EQ(request->limit, 5U);
  EXPECT_GT(request->facet_values, 0U);
}

TEST(SearchRequest, IsEverythingWithoutAnything) {
  const auto request = search_request("");
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->query.text.empty());
  EXPECT_EQ(request->limit, 10U);
}

TEST(SearchRequest, ALaterPageCountsNothingAgain) {
  EXPECT_EQ(search_request("offset=20")->facet_values, 0U);
  EXPECT_EQ(search_request("offset=20&facets=3")->facet_values, 3U);
}

TEST(SearchRequest, SaysWhichParameterIsWrong) {
  for (const auto* bad : {"n=-1", "n=1e9", "n=ten", "n=10000000000000000000000", "offset=x", "facets=-3",
                          "weight=2", "weight=nan", "mode=magic", "year=soon"}) {
    const auto request = search_request(bad);
    ASSERT_FALSE(request) << bad;
    EXPECT_EQ(request.error().kind, ErrorKind::BadInput) << bad;
    const std::string name(bad, std::string_view(bad).find('='));
    EXPECT_NE(request.error().message.find(name), std::string::npos) << request.error().message;
  }
}

TEST(SearchRequest, HasAMeasureForFilters) {
  std::string many;
  for (int i = 0; i < 101; ++i) many += "&venue=v" + std::to_string(i);
  EXPECT_FALSE(search_request(many));
}

}  // namespace
}  // namespace alcove::api
