#include "api/status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace alcove::api {
namespace {

TEST(HttpStatus, HasARowForEveryKind) {
  EXPECT_EQ(http_status(ErrorKind::BadInput), 400);
  EXPECT_EQ(http_status(ErrorKind::NotFound), 404);
  EXPECT_EQ(http_status(ErrorKind::TooLarge), 413);
  EXPECT_EQ(http_status(ErrorKind::Unreadable), 422);
  EXPECT_EQ(http_status(ErrorKind::Unsupported), 422);
  EXPECT_EQ(http_status(ErrorKind::Overloaded), 429);
  EXPECT_EQ(http_status(ErrorKind::Unavailable), 503);
  EXPECT_EQ(http_status(ErrorKind::Internal), 500);
}

TEST(ErrorJson, CarriesTheOriginalsKeysForUnreadableContent) {
  EXPECT_EQ(
      to_text(error_json({ErrorKind::Unreadable, "the PDF is encrypted", "pdf_encrypted"})),
      R"({"success":false,"error":"the PDF is encrypted","detail":"the PDF is encrypted","code":"pdf_encrypted"})");
  EXPECT_EQ(to_text(error_json({ErrorKind::BadInput, "No file", ""})),
            R"({"detail":"No file","code":"bad_request"})");
}

TEST(OutcomeOf, NamesStatuses) {
  EXPECT_EQ(outcome_of(200), "ok");
  EXPECT_EQ(outcome_of(204), "ok");
  EXPECT_EQ(outcome_of(429), "overloaded");
  EXPECT_EQ(outcome_of(418), "refused");
}

}  // namespace
}  // namespace alcove::api
