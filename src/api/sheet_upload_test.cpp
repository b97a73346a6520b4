#include "api/sheet_upload.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace alcove::api {
namespace {

std::string file_part(std::string_view name, std::string_view file_name, std::string_view content) {
  std::string part = "--cut\r\nContent-Disposition: form-data; name=\"";
  part.append(name)
      .append("\"; filename=\"")
      .append(file_name)
      .append("\"\r\n\r\n")
      .append(content)
      .append("\r\n");
  return part;
}

std::string text_part(std::string_view name, std::string_view content) {
  std::string part = "--cut\r\nContent-Disposition: form-data; name=\"";
  part.append(name).append("\"\r\n\r\n").append(content).append("\r\n");
  return part;
}

Request form(std::string parts, std::string query = {}) {
  return {.query = std::move(query),
          .headers = {{"content-type", "multipart/form-data; boundary=cut"}},
          .body = std::move(parts) + "--cut--\r\n",
          .id = {},
          .declared_length = {},
          .memory = {}};
}

Request posted(std::string type, std::string body, std::string query = {}) {
  return {.query = std::move(query),
          .headers = {{"content-type", std::move(type)}},
          .body = std::move(body),
          .id = {},
          .declared_length = {},
          .memory = {}};
}

std::string refusal(const Result<SheetUpload>& upload) {
  if (upload) return "was taken";
  EXPECT_EQ(upload.error().kind, ErrorKind::BadInput);
  return upload.error().message;
}

TEST(UploadOfForm, TakesOneFileAndItsFields) {
  const auto request = form(text_part("exam_type", "CIA2") + file_part("file", "a.pdf", "%PDF-1.7") +
                                text_part("password", "secret"),
                            "preview=1&posteriors=1");
  const auto upload = upload_of_form(request);
  ASSERT_TRUE(upload) << upload.error().message;
  EXPECT_EQ(as_text(upload->file()), "%PDF-1.7");
  EXPECT_EQ(upload->file_name, "a.pdf");
  EXPECT_EQ(upload->exam_type, "CIA2");
  EXPECT_EQ(upload->password, "secret");
  EXPECT_TRUE(upload->preview);
  EXPECT_TRUE(upload->posteriors);
}

TEST(UploadOfForm, AnEmptyFileIsStillAFile) {
  const auto request = form(file_part("file", "a.jpg", ""));
  const auto upload = upload_of_form(request);
  ASSERT_TRUE(upload);
  EXPECT_TRUE(upload->file().empty());
  EXPECT_FALSE(upload->preview);
  EXPECT_FALSE(upload->posteriors);
}

TEST(UploadOfForm, SaysWhatIsMissingOrTooMany) {
  EXPECT_TRUE(refusal(upload_of_form(form(""))).starts_with("No file: the form has none; "));
  EXPECT_TRUE(refusal(upload_of_form(form(text_part("file", "x"))))
                  .starts_with("No file: the field `file` holds text"));
  EXPECT_TRUE(refusal(upload_of_form(form(file_part("image", "a.jpg", "x"))))
                  .starts_with("No file: the file came under another name"));
  EXPECT_TRUE(refusal(upload_of_form(form(file_part("file", "", ""))))
                  .starts_with("No file: the form was sent without choosing one"));
  EXPECT_EQ(refusal(upload_of_form(form(file_part("file", "a.jpg", "x") + file_part("file", "b.jpg", "y")))),
            "2 files came; one is wanted, send them one after the other");
  EXPECT_TRUE(refusal(upload_of_form(posted("application/json", "{}")))
                  .starts_with("No file: the request is not multipart/form-data"));
  EXPECT_TRUE(refusal(upload_of_form(posted("multipart/form-data", "x")))
                  .starts_with("the Content-Type names no multipart boundary"));
}

TEST(UploadOfBase64, TakesEverySpelling) {
  const std::string bytes = "\xff\xd8\xff\xfb\xff\xbf sheet";
  const auto text = encode_base64(bytes);
  std::string in_query;
  for (const char letter : text)
    in_query += letter == '+' ? "%2B" : letter == '/' ? "%2F" : std::string(1, letter);
  const Request requests[] = {
      posted("", "", "image_data=" + in_query),
      posted("", "", "image_data=" + text),  // + not escaped, as careless clients send it
      posted("application/x-www-form-urlencoded", "image_data=" + in_query),
      posted("application/json", R"({"image_data":")" + text + R"(","filename":"a.jpg"})"),
      posted("application/json", R"({"image_data":"data:image/jpeg;base64,)" + text + R"("})"),
      form(text_part("image_data", "data:image/jpeg;base64," + text)),
  };
  for (const auto& request : requests) {
    const auto upload = upload_of_base64(request);
    ASSERT_TRUE(upload) << upload.error().message;
    EXPECT_EQ(as_text(upload->file()), bytes) << request.query << request.body;
  }
  EXPECT_EQ(upload_of_base64(requests[3])->file_name, "a.jpg");
}

TEST(UploadOfBase64, SaysWhatIsWrong) {
  EXPECT_TRUE(refusal(upload_of_base64(posted("", ""))).starts_with("No image_data: "));
  EXPECT_EQ(refusal(upload_of_base64(posted("application/json", "{"))),
            "the body is not valid JSON at byte 2");
  EXPECT_EQ(refusal(upload_of_base64(posted("application/json", "[1]"))),
            "the JSON body has no text `image_data`");
  EXPECT_EQ(refusal(upload_of_base64(posted("application/json", R"({"image_data":5})"))),
            "the JSON body has no text `image_data`");
  EXPECT_EQ(refusal(upload_of_base64(posted("", "", "image_data=a*b"))),
            "not base64: character 2 of the data");
}

}  // namespace
}  // namespace alcove::api
