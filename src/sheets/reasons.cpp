#include "sheets/reasons.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace alcove::sheets {
namespace {

// Where the numbers come from: docs/reasons.md.
constexpr float kLowConfidence = 0.9F;
constexpr float kBlurred = 0.35F;
constexpr float kSmallBox = 30;          // pixels of the page
constexpr float kRivalDetection = 0.5F;  // a second box this sure is one
constexpr float kApart = 0.3F;           // overlap of two boxes that are the same place seen twice

constexpr std::string_view kLength = "length_";
constexpr Field kFields[] = {Field::RegisterNumber, Field::SubjectCode};

std::string_view words_for(Field field) {
  return field == Field::RegisterNumber ? "register number" : "subject code";
}

const FieldReading& field_of(const SheetReading& reading, Field field) {
  return field == Field::RegisterNumber ? reading.register_number : reading.subject_code;
}

// The candidate a field is judged by: the one reported, else the surest box.
const Candidate* judged(const FieldReading& field) {
  if (field.best) return field.best_candidate();
  return field.candidates.empty() ? nullptr : &field.candidates.front();
}

float overlap(const Box& a, const Box& b) {
  const float common = common_area(a, b);
  return common / std::max(1.0F, a.width() * a.height() + b.width() * b.height() - common);
}

bool has_rival(const FieldReading& field) {
  const auto* own = judged(field);
  return own != nullptr && std::ranges::any_of(field.candidates, [&](const Candidate& other) {
           return &other != own && other.detection_confidence >= kRivalDetection &&
                  overlap(other.box, own->box) < kApart;
         });
}

// One row for both fields; `words` names the field.
struct FieldReason {
  std::string_view register_code, subject_code;
  bool (*holds)(const FieldReading&);
  std::string (*sentence)(const FieldReading&, std::string_view words);

  std::string_view code(Field field) const {
    return field == Field::RegisterNumber ? register_code : subject_code;
  }
};

constexpr FieldReason kFieldReasons[] = {
    {"no_register_box", "no_subject_box", [](const FieldReading& field) { return field.candidates.empty(); },
     [](const FieldReading&, std::string_view words) {
       return fmt::format(
           "The box of the {} was not found: see that the whole cover page is in the picture, flat and "
           "sharp, "
           "and send it again.",
           words);
     }},
    {"two_register_boxes", "two_subject_boxes", has_rival,
     [](const FieldReading&, std::string_view words) {
       return fmt::format(
           "More than one place looks like the box of the {}: check that the right one was read.", words);
     }},
    {"blank_register", "blank_subject",
     [](const FieldReading& field) { return !field.candidates.empty() && !field.best; },
     [](const FieldReading&, std::string_view words) {
       return fmt::format("Nothing can be read in the box of the {}: look whether it was filled in.", words);
     }},
    {"low_confidence", "low_confidence",
     [](const FieldReading& field) {
       return field.best && field.best_candidate()->confidence < kLowConfidence;
     },
     [](const FieldReading& field, std::string_view words) {
       return fmt::format("The reading of the {} is uncertain ({:.0f} %): compare it with the sheet.", words,
                          100 * field.best_candidate()->confidence);
     }},
    {"blurred", "blurred",
     [](const FieldReading& field) { return judged(field) && judged(field)->sharpness < kBlurred; },
     [](const FieldReading& field, std::string_view words) {
       return fmt::format(
           "Retake: the {} is blurred (sharpness {:.2f}, wanted {:.2f}): hold the camera still until it has "
           "focused, or use a scanner.",
           words, judged(field)->sharpness, kBlurred);
     }},
    {"small_box", "small_box",
     [](const FieldReading& field) { return judged(field) && judged(field)->box.height() < kSmallBox; },
     [](const FieldReading& field, std::string_view words) {
       return fmt::format(
           "Retake: the box of the {} is {:.0f} px high, wanted are {:.0f}: go closer, or scan at 200 dpi.",
           words, judged(field)->box.height(), kSmallBox);
     }},
};

// What was done to the page. Nobody has to look because of it.
struct PageReason {
  std::string_view code;
  bool (*holds)(const SheetReading&);
  std::string (*sentence)(const SheetReading&);
};

constexpr PageReason kPageReasons[] = {
    {"turned", [](const SheetReading& reading) { return reading.orientation != 0; },
     [](const SheetReading& reading) {
       return fmt::format("The page lay turned: it was read after a turn of {}° clockwise.",
                          reading.orientation);
     }},
    {"straightened", [](const SheetReading& reading) { return reading.skew != 0; },
     [](const SheetReading& reading) {
       return fmt::format("The page lay askew: it was read after a turn of {:.1f}° {}clockwise.",
                          std::abs(reading.skew), reading.skew < 0 ? "counter-" : "");
     }},
    {"later_page", [](const SheetReading& reading) { return reading.page != 1; },
     [](const SheetReading& reading) {
       return fmt::format("Page {} of {} was read.", reading.page, reading.pages);
     }},
};

}  // namespace

std::vector<std::string> reasons_for(const SheetReading& reading, const Expectations& expected) {
  std::vector<std::string> codes;
  const auto add = [&](std::string code) {
    if (std::ranges::find(codes, code) == codes.end()) codes.push_back(std::move(code));
  };
  for (const auto& reason : kFieldReasons)
    for (const auto field : kFields)
      if (reason.holds(field_of(reading, field))) add(std::string(reason.code(field)));
  const auto* number = reading.register_number.best_candidate();
  if (expected.register_length > 0 && number != nullptr &&
      number->value.size() != static_cast<std::size_t>(expected.register_length))
    add(fmt::format("{}{}", kLength, number->value.size()));
  for (const auto& reason : kPageReasons)
    if (reason.holds(reading)) add(std::string(reason.code));
  return codes;
}

std::string sentence_of(std::string_view code, const SheetReading& reading) {
  std::vector<std::string> sentences;
  for (const auto& reason : kFieldReasons)
    for (const auto field : kFields)
      if (reason.code(field) == code && reason.holds(field_of(reading, field)))
        sentences.push_back(reason.sentence(field_of(reading, field), words_for(field)));
  for (const auto& reason : kPageReasons)
    if (reason.code == code) sentences.push_back(reason.sentence(reading));
  if (code.starts_with(kLength))
    sentences.push_back(fmt::format(
        "The register number came out with {} digits, which is not how long one is here: compare it "
        "with the sheet.",
        code.substr(kLength.size())));
  return fmt::format("{}", fmt::join(sentences, " "));
}

bool wants_attention(const SheetReading& reading) {
  return std::ranges::any_of(reading.reasons, [](const std::string& code) {
    return std::ranges::find(kPageReasons, code, &PageReason::code) == std::end(kPageReasons);
  });
}

std::vector<std::string_view> reason_codes() {
  std::vector<std::string_view> codes;
  for (const auto& reason : kFieldReasons)
    for (const auto field : kFields)
      if (codes.empty() || codes.back() != reason.code(field)) codes.push_back(reason.code(field));
  codes.push_back("length_N");
  for (const auto& reason : kPageReasons) codes.push_back(reason.code);
  return codes;
}

}  // namespace alcove::sheets
