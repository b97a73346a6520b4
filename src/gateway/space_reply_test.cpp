#include "gateway/space_reply.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "gateway/space_address.h"

namespace alcove::gateway {
namespace {

constexpr auto kReading = R"({{"success": true, "register_number": {}, "subject_code": "CS101",
  "register_candidates": [{{"value": "123456789012", "confidence": {}, "detection_confidence": 0.8}}],
  "subject_candidates": [{{"value": "CS101", "confidence": 0.9, "detection_confidence": 0.7}}]}})";

net::Reply reply(int status, std::string body, std::string type = "application/json") {
  return {
      .status = status, .headers = {{"content-type", std::move(type)}}, .body = std::move(body), .url = {}};
}

std::string reading(std::string_view number = R"("123456789012")", std::string_view confidence = "0.95") {
  return fmt::format(kReading, number, confidence);
}

TEST(SpaceReply, AReadingIsTaken) {
  const auto outcome = outcome_of_reply(reply(200, reading()));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->register_number, "123456789012");
  EXPECT_EQ(outcome->register_confidence, 0.95);
  EXPECT_EQ(outcome->subject_regions, 1);
  EXPECT_FALSE(outcome->error);
  EXPECT_EQ(outcome->reply, reading());
}

TEST(SpaceReply, TheConfidenceIsTheValuesOwn) {
  // The original lists by detection, so that the first candidate is not always the value.
  const auto outcome =
      outcome_of_json(200, R"({"success": true, "register_number": "222", "subject_code": null,
    "register_candidates": [{"value": "111", "confidence": 0.5, "detection_confidence": 0.9},
                            {"value": "222", "confidence": 0.8, "detection_confidence": 0.4}],
    "subject_candidates": []})");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->register_confidence, 0.8);
  EXPECT_EQ(outcome->subject_code, "");
  EXPECT_EQ(outcome->subject_confidence, std::nullopt);
}

TEST(SpaceReply, WhatIsNoReadingIsNoRecord) {
  for (const auto* confidence : {"7", "-0.1", "NaN", "\"0.9\"", "null", "1e999"})
    EXPECT_FALSE(outcome_of_reply(reply(200, reading(R"("123456789012")", confidence)))) << confidence;
  for (const auto* number : {"12", R"("../../etc")", R"("999")", R"("<b>1</b>")", "[]"})
    EXPECT_FALSE(outcome_of_reply(reply(200, reading(number)))) << number;
  const auto whole = reading();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(outcome_of_reply(reply(200, whole.substr(0, length)))) << length;
  EXPECT_FALSE(outcome_of_reply(reply(200, whole, "text/html")));
  EXPECT_FALSE(outcome_of_reply(reply(503, whole)));
  EXPECT_FALSE(outcome_of_reply(reply(200, R"({"success": true})")));
  EXPECT_FALSE(outcome_of_reply(reply(200, "[]")));
}

TEST(SpaceReply, TheSheetsOwnFaultIsToldFromTheSpaces) {
  const auto locked =
      outcome_of_reply(reply(422, R"({"detail": "the PDF is encrypted", "code": "pdf_encrypted"})"));
  ASSERT_TRUE(locked && locked->error);
  EXPECT_EQ(locked->error->code, "pdf_encrypted");
  // The original's way.
  const auto old = outcome_of_reply(reply(200, R"({"success": false, "error": "Could not decode"})"));
  ASSERT_TRUE(old && old->error);
  EXPECT_EQ(old->error->message, "Could not decode");
  // How FastAPI says that the request was not understood: nothing is known of the sheet.
  EXPECT_FALSE(outcome_of_reply(reply(422, R"({"detail": [{"loc": ["body", "file"]}]})")));
  EXPECT_FALSE(outcome_of_reply(reply(500, R"({"detail": "boom"})")));
}

struct Case {
  int status;
  const char *body, *type;
  SpaceState state;
};

TEST(SpaceHealth, EachAnswerHasAState) {
  const Case cases[] = {
      {200, R"({"status":"ok","service":"Answer Sheet ML Inference"})", "application/json",
       SpaceState::Awake},
      {200, R"({"status":"ok","service":"Paper Finder"})", "application/json", SpaceState::Misconfigured},
      {200, R"({"status":"ok"})", "application/json", SpaceState::Misconfigured},
      {200, R"({"status":"o)", "application/json", SpaceState::Unreachable},
      {200, "<html>Hugging Face</html>", "text/html", SpaceState::Misconfigured},
      {401, "{}", "application/json", SpaceState::Misconfigured},
      {404, "<html>404</html>", "text/html", SpaceState::Misconfigured},
      {307, "", "text/html", SpaceState::Misconfigured},
      {503, "<html>building</html>", "text/html", SpaceState::Waking},
      {502, "", "text/html", SpaceState::Waking},
      {500, "oops", "text/plain", SpaceState::Unreachable},
  };
  for (const auto& each : cases) {
    const auto verdict = judge_health(reply(each.status, each.body, each.type), false);
    EXPECT_EQ(verdict.state, each.state) << each.status << " " << each.body;
    EXPECT_EQ(verdict.why.empty(), each.state == SpaceState::Awake) << each.status;
  }
  EXPECT_EQ(judge_health(fail(ErrorKind::Unavailable, "refused", "not_connected"), false).state,
            SpaceState::Unreachable);
  EXPECT_NE(judge_health(reply(401, "{}"), false).why, judge_health(reply(401, "{}"), true).why);
}

TEST(SpaceAddress, ThePageIsNotTheApp) {
  const auto page = parse_space_address("https://huggingface.co/spaces/Some-One/answer_sheet.ml?tab=x", "");
  ASSERT_FALSE(page);
  EXPECT_NE(page.error().message.find("https://some-one-answer-sheet-ml.hf.space"), std::string::npos)
      << page.error().message;
  EXPECT_FALSE(parse_space_address("my-space", ""));
  EXPECT_FALSE(parse_space_address("ftp://x", ""));
}

TEST(SpaceAddress, TheLogsAreFound) {
  const auto app = parse_space_address("https://your-username-answer-sheet-ml.hf.space/", "");
  ASSERT_TRUE(app);
  EXPECT_EQ(app->url, "https://your-username-answer-sheet-ml.hf.space");
  EXPECT_EQ(app->logs, "https://huggingface.co/spaces/your-username/answer-sheet-ml#logs");
  EXPECT_EQ(parse_space_address("https://a-b-c.hf.space", "a-b/c")->logs,
            "https://huggingface.co/spaces/a-b/c#logs");
  EXPECT_EQ(parse_space_address("http://10.0.0.7:7860", "")->logs, "http://10.0.0.7:7860/status");
}

}  // namespace
}  // namespace alcove::gateway
