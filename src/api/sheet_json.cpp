#include "api/sheet_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "imaging/reader_margin.h"
#include "sheets/reasons.h"
#include "sheets/roster_wire.h"

namespace alcove::api {
namespace {

// More digits would be noise of the arithmetic, and a float printed as a double shows seventeen of them.
double rounded(double value, double steps) { return std::round(value * steps) / steps; }
double probability(double value) { return rounded(value, 1e4); }
double pixels(double value) { return rounded(value, 10); }
double milliseconds(double value) { return rounded(value, 100); }

std::vector<const sheets::Candidate*> best_text_first(const sheets::FieldReading& field) {
  std::vector<const sheets::Candidate*> order;
  for (const auto& candidate : field.candidates) order.push_back(&candidate);
  std::ranges::stable_sort(order, [](const auto* a, const auto* b) {
    if (a->value.empty() != b->value.empty()) return b->value.empty();
    return a->confidence > b->confidence;
  });
  return order;
}

Json value_json(const sheets::FieldReading& field) {
  const auto* best = field.best_candidate();
  return best ? Json(best->value) : Json(nullptr);
}

Json candidates_json(const sheets::FieldReading& field) {
  auto list = Json::array();
  for (const auto* candidate : best_text_first(field))
    list.push_back({{"value", candidate->value},
                    {"confidence", probability(candidate->confidence)},
                    {"detection_confidence", probability(candidate->detection_confidence)}});
  return list;
}

Json rivals_json(const models::Symbol& symbol) {
  auto list = Json::array();
  for (const auto& rival : symbol.rivals)
    list.push_back({{"value", std::string(1, rival.value)}, {"confidence", probability(rival.confidence)}});
  return list;
}

// Where a symbol was read, 0 at the box's left edge and 1 at its right: a reader's steps go over the margin,
// too.
double place_in_box(const sheets::Candidate& candidate, int step, int page_width) {
  const auto& box = candidate.box;
  const double steps = static_cast<double>(candidate.posteriors.size()) / std::max(1, candidate.classes);
  const double left = std::max(0.0, double{box.left} - imaging::kReaderMargin);
  const double right = std::min<double>(page_width, double{box.right} + imaging::kReaderMargin);
  const double x = left + (step + 0.5) / std::max(1.0, steps) * (right - left);
  return std::clamp((x - box.left) / std::max(1.0F, box.width()), 0.0, 1.0);
}

Json symbols_json(const sheets::Candidate& candidate, int page_width) {
  auto list = Json::array();
  for (const auto& symbol : candidate.symbols)
    list.push_back({{"value", std::string(1, symbol.value)},
                    {"confidence", probability(symbol.confidence)},
                    {"at", probability(place_in_box(candidate, symbol.step, page_width))},
                    {"alternatives", rivals_json(symbol)}});
  return list;
}

void add_boxes(Json& boxes, std::string_view field, sheets::Field label, const sheets::SheetReading& reading,
               const sheets::FieldReading& of_field, Detail detail) {
  for (const auto* candidate : best_text_first(of_field)) {
    const auto& box = candidate->box;
    boxes.push_back({{"field", field},
                     {"label", sheets::name_of(label)},
                     {"box", {pixels(box.left), pixels(box.top), pixels(box.right), pixels(box.bottom)}},
                     {"detection_confidence", probability(candidate->detection_confidence)},
                     {"value", candidate->value},
                     {"confidence", probability(candidate->confidence)},
                     {"symbols", symbols_json(*candidate, reading.width)},
                     {"height", pixels(box.height())},
                     {"sharpness", rounded(candidate->sharpness, 100)}});
    const auto alphabet = models::usual_alphabet(candidate->classes);
    if (detail == Detail::WithPosteriors && alphabet)
      boxes.back()["posteriors"] = sheets::posteriors_json({candidate->posteriors, *alphabet});
  }
}

}  // namespace

Json to_json(const sheets::SheetReading& reading, std::span<const sheets::ModelInfo> models, Detail detail) {
  const auto confidence = reading.confidence();
  Json json{{"success", true},
            {"register_number", value_json(reading.register_number)},
            {"subject_code", value_json(reading.subject_code)},
            {"register_candidates", candidates_json(reading.register_number)},
            {"subject_candidates", candidates_json(reading.subject_code)},
            {"confidence", confidence ? Json(probability(*confidence)) : Json(nullptr)},
            {"page",
             {{"width", reading.width},
              {"height", reading.height},
              {"number", reading.page},
              {"of", reading.pages}}},
            {"orientation", reading.orientation},
            {"skew", rounded(reading.skew, 10)}};

  auto& pages = json["pages"] = Json::array();
  for (const auto& look : reading.looks)
    pages.push_back({{"number", look.number},
                     {"register_boxes", look.register_boxes},
                     {"subject_boxes", look.subject_boxes}});

  auto& boxes = json["boxes"] = Json::array();
  add_boxes(boxes, "register_number", sheets::Field::RegisterNumber, reading, reading.register_number,
            detail);
  add_boxes(boxes, "subject_code", sheets::Field::SubjectCode, reading, reading.subject_code, detail);

  auto& timings = json["timings_ms"] = Json::object();
  for (const auto& stage : reading.timings)
    timings[std::string(stage.name)] = milliseconds(stage.milliseconds);

  auto& reasons = json["reasons"] = Json::array();
  auto& sentences = json["advice"] = Json::array();
  for (const auto& reason : reading.reasons) {
    reasons.push_back(reason);
    sentences.push_back({{"code", reason}, {"message", sheets::sentence_of(reason, reading)}});
  }

  auto& files = json["models"] = Json::array();
  for (const auto& model : models)
    files.push_back({{"role", model.role}, {"file", model.file}, {"sha256", model.sha256}});
  return json;
}

}  // namespace alcove::api
