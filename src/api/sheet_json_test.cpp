#include "api/sheet_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sheets/roster_wire.h"

namespace alcove::api {
namespace {

sheets::Candidate candidate(std::string value, float confidence, float detection) {
  sheets::Candidate made;
  made.value = std::move(value);
  made.confidence = confidence;
  made.detection_confidence = detection;
  made.sharpness = 0.567F;
  made.box = {10.04F, 20.06F, 110, 52};
  return made;
}

sheets::SheetReading both_read() {
  sheets::SheetReading reading;
  reading.width = 1654;
  reading.height = 2339;
  reading.register_number.candidates = {candidate("", 0, 0.95F), candidate("12", 0.5F, 0.93F),
                                        candidate("212223060100", 0.987654F, 0.912345F)};
  reading.register_number.candidates[2].symbols = {{'2', 3, 0.99F}, {'1', 7, 0.41F, {{'7', 0.39F}}}};
  reading.register_number.candidates[2].classes = 11;
  reading.register_number.candidates[2].posteriors.resize(std::size_t{64} * 11);
  reading.register_number.best = 2;
  reading.subject_code.candidates = {candidate("19AI405", 0.75F, 0.8F)};
  reading.subject_code.best = 0;
  reading.timings = {{"decode", 12.3456}, {"total", 40}};
  reading.orientation = 90;
  reading.skew = -3.3000001;
  reading.page = 2;
  reading.pages = 3;
  reading.looks = {{1, 0, 1}, {2, 3, 1}};
  return reading;
}

TEST(SheetJson, IsTheContractsBody) {
  const std::vector<sheets::ModelInfo> models{{"detector", "improved_weights.pt", "ab12", "YOLOv8 detector"}};
  const auto json = to_json(both_read(), models);
  EXPECT_EQ(json["success"], true);
  EXPECT_EQ(json["register_number"], "212223060100");
  EXPECT_EQ(json["subject_code"], "19AI405");
  EXPECT_EQ(to_text(json["register_candidates"]),
            R"([{"value":"212223060100","confidence":0.9877,"detection_confidence":0.9123},)"
            R"({"value":"12","confidence":0.5,"detection_confidence":0.93},)"
            R"({"value":"","confidence":0.0,"detection_confidence":0.95}])")
      << "best text first, blank boxes last";
  EXPECT_EQ(to_text(json["subject_candidates"]),
            R"([{"value":"19AI405","confidence":0.75,"detection_confidence":0.8}])");
  EXPECT_EQ(json["confidence"], 0.75) << "the lower of the two";
  EXPECT_EQ(to_text(json["page"]), R"({"width":1654,"height":2339,"number":2,"of":3})");
  EXPECT_EQ(json["orientation"], 90);
  EXPECT_EQ(json["skew"], -3.3);
  EXPECT_EQ(
      to_text(json["pages"]),
      R"([{"number":1,"register_boxes":0,"subject_boxes":1},{"number":2,"register_boxes":3,"subject_boxes":1}])");
  EXPECT_EQ(to_text(json["timings_ms"]), R"({"decode":12.35,"total":40.0})");
  EXPECT_EQ(to_text(json["reasons"]), "[]");
  EXPECT_EQ(to_text(json["models"]), R"([{"role":"detector","file":"improved_weights.pt","sha256":"ab12"}])");
}

TEST(SheetJson, BoxesCarryWhatThePageDraws) {
  const auto boxes = to_json(both_read(), {})["boxes"];
  ASSERT_EQ(boxes.size(), 4);
  EXPECT_EQ(
      to_text(boxes[0]),
      R"({"field":"register_number","label":"RegisterNumber","box":[10.0,20.1,110.0,52.0],)"
      R"("detection_confidence":0.9123,"value":"212223060100","confidence":0.9877,)"
      R"("symbols":[{"value":"2","confidence":0.99,"at":0.0,"alternatives":[]},)"
      R"({"value":"1","confidence":0.41,"at":0.0406,"alternatives":[{"value":"7","confidence":0.39}]}],)"
      R"("height":31.9,"sharpness":0.57})");
  EXPECT_EQ(boxes[3]["field"], "subject_code");
  EXPECT_EQ(boxes[3]["label"], "SubjectCode");
}

TEST(SheetJson, PosteriorsComeWhenTheyAreAskedFor) {
  auto reading = both_read();
  reading.register_number.candidates[2].posteriors.assign(std::size_t{64} * 11, 1.0F / 11);
  const auto box = to_json(reading, {}, Detail::WithPosteriors)["boxes"][0];
  EXPECT_EQ(box["posteriors"]["alphabet"], "0123456789");
  EXPECT_EQ(box["posteriors"]["steps"], 64);
  const auto back = sheets::posteriors_from(box["posteriors"]);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_NEAR(back->rows[700], 1.0 / 11, 1e-6);
  EXPECT_FALSE(to_json(reading, {})["boxes"][0].contains("posteriors"));
}

TEST(SheetJson, NothingFoundIsASuccessWithReasons) {
  sheets::SheetReading nothing;
  nothing.reasons = {"no_register_box", "no_subject_box"};
  const auto json = to_json(nothing, {});
  EXPECT_EQ(json["success"], true);
  EXPECT_TRUE(json["register_number"].is_null());
  EXPECT_TRUE(json["subject_code"].is_null());
  EXPECT_TRUE(json["confidence"].is_null());
  EXPECT_EQ(to_text(json["register_candidates"]), "[]");
  EXPECT_EQ(to_text(json["reasons"]), R"(["no_register_box","no_subject_box"])");
  ASSERT_EQ(json["advice"].size(), 2) << "a sentence for each reason";
  EXPECT_EQ(json["advice"][0]["code"], "no_register_box");
  EXPECT_NE(json["advice"][0]["message"].get<std::string>().find("register number was not found"),
            std::string::npos);
}

}  // namespace
}  // namespace alcove::api
