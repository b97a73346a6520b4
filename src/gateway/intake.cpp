#include "gateway/intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/json.h"
#include "imaging/decode.h"

#include <nlohmann/json.hpp>

namespace alcove::gateway {
namespace {

constexpr std::size_t kLongestName = 200;
constexpr std::size_t kLongestExam = 32;
constexpr std::size_t kLongestPassword = 200;

std::string_view mime_type_of(imaging::Format format) {
  switch (format) {
    case imaging::Format::Jpeg: return "image/jpeg";
    case imaging::Format::Png: return "image/png";
    case imaging::Format::Bmp: return "image/bmp";
    case imaging::Format::Tiff: return "image/tiff";
    case imaging::Format::WebP: return "image/webp";
    case imaging::Format::Heic: return "image/heic";
    case imaging::Format::Pdf: return "application/pdf";
    case imaging::Format::Unknown: break;
  }
  return "application/octet-stream";
}

bool is_exam_type(std::string_view text) {
  return !text.empty() && text.size() <= kLongestExam && std::ranges::all_of(text, [](unsigned char letter) {
    return letter < 128 && (std::isalnum(letter) || letter == '-' || letter == '_');
  });
}

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char letter) { return letter < 32 || letter == 127; });
}

}  // namespace

std::string harmless_name(std::string_view file_name) {
  const auto slash = file_name.find_last_of("/\\");
  if (slash != std::string_view::npos) file_name.remove_prefix(slash + 1);
  std::string kept;
  for (const char letter : file_name)
    if (static_cast<unsigned char>(letter) >= 32 && letter != 127) kept.push_back(letter);
  if (kept.size() > kLongestName) kept.resize(kLongestName);
  // JSON's writer puts a sign in place of bytes that are not UTF-8, a character that was cut included.
  kept = Json::parse(to_text(Json(kept))).get<std::string>();
  return kept == "." || kept == ".." ? std::string() : kept;
}

Result<Upload> check_upload(Bytes content, std::string_view file_name, std::string_view exam_type,
                            std::string_view password) {
  if (exam_type.empty()) exam_type = kUsualExam;
  if (!is_exam_type(exam_type))
    return fail(ErrorKind::BadInput,
                "exam_type has to be 1 to 32 letters, digits, dashes or underscores, like CIA1",
                "bad_exam_type");
  if (password.size() > kLongestPassword || has_control_characters(password))
    return fail(ErrorKind::BadInput, "the password is too long, or has characters that cannot be typed",
                "bad_password");
  const auto format = imaging::sniff(content);
  if (format == imaging::Format::Unknown) {
    const bool promised = imaging::is_listed_extension(std::string(file_name));
    return fail(promised ? ErrorKind::Unreadable : ErrorKind::BadInput,
                content.empty()
                    ? "the file is empty; scan the sheet again"
                    : "this is no picture and no PDF; send PDF, JPEG, PNG, BMP, TIFF, WebP or HEIC",
                content.empty() ? "empty_file" : "unknown_format");
  }
  return Upload{.file_name = harmless_name(file_name),
                .exam_type = std::string(exam_type),
                .password = std::string(password),
                .mime_type = std::string(mime_type_of(format)),
                .content = content};
}

}  // namespace alcove::gateway
