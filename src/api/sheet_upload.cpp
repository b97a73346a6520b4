#include "api/sheet_upload.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/multipart.h"
#include "base/base64.h"

namespace alcove::api {
namespace {

constexpr std::string_view kHowTo =
    "send the sheet as multipart/form-data in the field `file`: curl -F file=@sheet.pdf …";

// ?name=1
bool wants(const Request& request, std::string_view name) {
  const auto value = form_value(request.query, name);
  return value && *value != "0" && *value != "false";
}

std::unexpected<Error> no_file(std::string_view why) {
  return fail(ErrorKind::BadInput, fmt::format("No file: {}; {}", why, kHowTo), "no_file");
}

// The one part sent as a file, under the name `file`.
Result<const Part*> only_file(const std::vector<Part>& parts) {
  const Part* file = nullptr;
  bool as_text_field = false;
  std::size_t files = 0;
  for (const auto& part : parts) {
    as_text_field = as_text_field || (part.name == "file" && !part.file_name);
    if (!part.file_name) continue;
    ++files;
    if (part.name == "file") file = &part;
  }
  if (files > 1)
    return fail(ErrorKind::BadInput,
                fmt::format("{} files came; one is wanted, send them one after the other", files),
                "several_files");
  if (file && file->file_name->empty() && file->content.empty())
    return no_file("the form was sent without choosing one");
  if (file) return file;
  if (files == 1) return no_file("the file came under another name");
  if (as_text_field) return no_file("the field `file` holds text");
  return no_file("the form has none");
}

// Base64 text, the prefix `data:image/jpeg;base64,` taken off.
std::string_view without_prefix(std::string_view text) {
  if (!text.starts_with("data:")) return text;
  const auto comma = text.find(',');
  return comma == std::string_view::npos ? text : text.substr(comma + 1);
}

struct Fields {
  std::optional<std::string> image_data;
  std::string file_name, exam_type, password;
};

std::string text_field(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Fields> fields_of_json(std::string_view body) {
  const auto json = parse_json(body);
  if (!json) return fail(ErrorKind::BadInput, "the body is " + json.error().message);
  if (!json->is_object() || !json->contains("image_data") || !json->at("image_data").is_string())
    return fail(ErrorKind::BadInput, "the JSON body has no text `image_data`");
  return Fields{text_field(*json, "image_data"), text_field(*json, "filename"),
                text_field(*json, "exam_type"), text_field(*json, "password")};
}

Fields fields_of_form(std::string_view form) {
  return {form_value(form, "image_data"), form_value(form, "filename").value_or(""),
          form_value(form, "exam_type").value_or(""), form_value(form, "password").value_or("")};
}

Result<Fields> fields_of_multipart(const Request& request) {
  Fields fields;
  for (const auto& part : TRY(parse_multipart(request.header("content-type"), request.content()))) {
    const std::string text(as_text(part.content));
    if (part.name == "image_data") fields.image_data = text;
    if (part.name == "filename") fields.file_name = text;
    if (part.name == "exam_type") fields.exam_type = text;
    if (part.name == "password") fields.password = text;
  }
  return fields;
}

Result<Fields> base64_fields(const Request& request) {
  auto fields = fields_of_form(request.query);
  if (fields.image_data) return fields;
  const auto type = media_type(request.header("content-type"));
  if (type == "multipart/form-data") return fields_of_multipart(request);
  if (type == "application/x-www-form-urlencoded") return fields_of_form(request.body);
  if (!request.body.empty()) return fields_of_json(request.body);
  return fields;
}

}  // namespace

Bytes SheetUpload::file() const {
  if (const auto* borrowed = std::get_if<Bytes>(&content)) return *borrowed;
  return as_bytes(std::get<std::string>(content));
}

Result<SheetUpload> upload_of_form(const Request& request) {
  if (media_type(request.header("content-type")) != "multipart/form-data")
    return no_file("the request is not multipart/form-data");
  const auto parts = TRY(parse_multipart(request.header("content-type"), request.content()));
  const auto* file = TRY(only_file(parts));
  SheetUpload upload{.content = file->content,
                     .file_name = *file->file_name,
                     .posteriors = wants(request, "posteriors"),
                     .preview = wants(request, "preview")};
  for (const auto& part : parts) {
    if (part.name == "exam_type") upload.exam_type = as_text(part.content);
    if (part.name == "password") upload.password = as_text(part.content);
  }
  return upload;
}

Result<SheetUpload> upload_of_base64(const Request& request) {
  auto fields = TRY(base64_fields(request));
  if (!fields.image_data)
    return fail(ErrorKind::BadInput,
                "No image_data: send base64 as `image_data` in the query string, a form field or a JSON body",
                "no_file");
  return SheetUpload{.content = TRY(decode_base64(without_prefix(*fields.image_data))),
                     .file_name = std::move(fields.file_name),
                     .exam_type = std::move(fields.exam_type),
                     .password = std::move(fields.password),
                     .posteriors = wants(request, "posteriors"),
                     .preview = wants(request, "preview")};
}

}  // namespace alcove::api
