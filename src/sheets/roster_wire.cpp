#include "sheets/roster_wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/base64.h"

namespace alcove::sheets {
namespace {

constexpr double kScale = 16;  // a sixteenth of a natural logarithm
constexpr double kLowest = 255;

// The usual alphabets of the two readers, for values that come without posteriors.
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kCodeSymbols = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::size_t kMaxText = 64;

bool is_alphabet(std::string_view text) {
  std::string sorted(text);
  std::ranges::sort(sorted);
  return !text.empty() && text.size() <= kMaxAlphabet && std::ranges::adjacent_find(sorted) == sorted.end() &&
         std::ranges::all_of(text, [](char each) { return each > ' ' && each <= '~'; });
}

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const Json& object, const char* name) {
  const auto* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>().substr(0, kMaxText)
                                                : std::string();
}

std::unexpected<Error> unsound(std::string_view what) {
  return fail(ErrorKind::Unreadable, fmt::format("the posteriors of a box are not sound: {}", what));
}

// The boxes of one field that carry posteriors.
Result<FieldEvidence> evidence_of_boxes(const Json& answer, std::string_view field) {
  FieldEvidence evidence;
  const auto* boxes = member(answer, "boxes");
  if (boxes == nullptr || !boxes->is_array()) return evidence;
  for (const auto& box : *boxes) {
    const auto* posteriors = member(box, "posteriors");
    if (posteriors == nullptr || text_of(box, "field") != field) continue;
    if (evidence.boxes.size() == kMaxEvidenceBoxes) break;
    const auto* detection = member(box, "detection_confidence");
    const double weight = detection != nullptr && detection->is_number() ? detection->get<double>() : 0;
    auto rows = TRY(posteriors_from(*posteriors));
    auto text = best_path(rows);
    evidence.boxes.push_back(
        {.posteriors = std::move(rows), .text = std::move(text), .weight = std::clamp(weight, 1e-3, 1.0)});
  }
  return evidence;
}

Result<FieldEvidence> evidence_of_field(const Json& answer, const char* field, std::string_view alphabet) {
  auto evidence = TRY(evidence_of_boxes(answer, field));
  if (!evidence.boxes.empty()) return evidence;
  const auto text = text_of(answer, field);
  return text.empty() ? FieldEvidence{} : evidence_of_text(text, alphabet);
}

}  // namespace

Json posteriors_json(const Posteriors& posteriors) {
  std::string bytes;
  bytes.reserve(posteriors.rows.size());
  for (const auto probability : posteriors.rows) {
    const double steps = -kScale * std::log(std::max<double>(probability, 1e-30));
    bytes += static_cast<char>(static_cast<unsigned char>(std::clamp(std::round(steps), 0.0, kLowest)));
  }
  return {{"alphabet", posteriors.alphabet}, {"steps", posteriors.steps()}, {"data", encode_base64(bytes)}};
}

Result<Posteriors> posteriors_from(const Json& json) {
  const auto *alphabet = member(json, "alphabet"), *steps = member(json, "steps"),
             *data = member(json, "data");
  if (alphabet == nullptr || !alphabet->is_string() || !is_alphabet(alphabet->get_ref<const std::string&>()))
    return unsound("`alphabet` is no list of different printable characters");
  if (steps == nullptr || !steps->is_number_unsigned() || steps->get<std::uint64_t>() > kMaxSteps)
    return unsound(fmt::format("`steps` is no number up to {}", kMaxSteps));
  if (data == nullptr || !data->is_string()) return unsound("`data` is no text");

  Posteriors posteriors{.rows = {}, .alphabet = alphabet->get<std::string>()};
  const auto wanted = steps->get<std::size_t>() * posteriors.classes();
  const auto& text = data->get_ref<const std::string&>();
  if (text.size() > 2 * wanted + 4) return unsound("`data` is too long for `steps` and `alphabet`");
  const auto bytes = TRY(decode_base64(text));
  if (bytes.size() != wanted)
    return unsound(fmt::format("`data` has {} bytes where {} belong", bytes.size(), wanted));
  for (const char byte : bytes)
    posteriors.rows.push_back(
        static_cast<float>(std::exp(-static_cast<double>(static_cast<unsigned char>(byte)) / kScale)));
  for (std::size_t start = 0; start < posteriors.rows.size(); start += posteriors.classes()) {
    const auto row = std::span(posteriors.rows).subspan(start, posteriors.classes());
    float sum = 0;
    for (const auto each : row) sum += each;
    for (auto& each : row) each /= sum;  // no byte stands for 0
  }
  return posteriors;
}

Candidate value_of_answer(const Json& answer, const char* field) {
  Candidate made;
  made.value = text_of(answer, field);
  const auto* boxes = member(answer, "boxes");
  if (boxes == nullptr || !boxes->is_array()) return made;
  for (const auto& box : *boxes) {
    const auto* symbols = member(box, "symbols");
    const bool is_own = text_of(box, "field") == field && text_of(box, "value") == made.value;
    if (!is_own || symbols == nullptr || !symbols->is_array()) continue;
    for (const auto& symbol : *symbols) {
      const auto value = text_of(symbol, "value");
      const auto* confidence = member(symbol, "confidence");
      if (value.empty() || confidence == nullptr || !confidence->is_number()) continue;
      made.symbols.push_back({.value = value.front(), .confidence = confidence->get<float>()});
    }
    break;
  }
  return made;
}

Result<SheetEvidence> evidence_of_answer(const Json& answer) {
  return SheetEvidence{TRY(evidence_of_field(answer, "register_number", kDigits)),
                       TRY(evidence_of_field(answer, "subject_code", kCodeSymbols))};
}

}  // namespace alcove::sheets
