#include "api/batch_upload.h"

#include <gtest/gtest.h>

namespace alcove::api {
namespace {

std::string part(std::string_view name, std::string_view file, std::string_view content) {
  std::string text = "--cut\r\nContent-Disposition: form-data; name=\"";
  text.append(name).append("\"");
  if (!file.empty()) text.append("; filename=\"").append(file).append("\"");
  return text.append("\r\n\r\n").append(content).append("\r\n");
}

std::shared_ptr<const Request> form(std::string parts,
                                    std::string type = "multipart/form-data; boundary=cut") {
  return std::make_shared<const Request>(Request{
      .method = Method::Post, .headers = {{"content-type", std::move(type)}}, .body = parts + "--cut--\r\n"});
}

// A stored ZIP of one entry, written by hand.
std::string zip_of(std::string_view name, std::string_view content) {
  const auto number = [](std::size_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
  };
  std::uint32_t crc = 0xffffffff;
  for (const char letter : content) {
    crc ^= static_cast<unsigned char>(letter);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0U);
  }
  const auto common = number(20, 2) + number(0, 8) + number(~crc, 4) + number(content.size(), 4) +
                      number(content.size(), 4) + number(name.size(), 2) + number(0, 2);
  const auto local = "PK\x03\x04" + common + std::string(name) + std::string(content);
  const auto central = "PK\x01\x02" + number(20, 2) + common + std::string(14, '\0') + std::string(name);
  return local + central + "PK\x05\x06" + number(0, 4) + number(1, 2) + number(1, 2) +
         number(central.size(), 4) + number(local.size(), 4) + number(0, 2);
}

TEST(BatchUpload, TakesTheFilesOfAForm) {
  const auto upload = BatchUpload::of(form(part("file", "a.jpg", "first") + part("exam_type", "", "CIA1") +
                                           part("anything", "b.jpg", "second")),
                                      {});
  ASSERT_TRUE(upload) << upload.error().message;
  ASSERT_EQ((*upload)->size(), 2);
  EXPECT_EQ((*upload)->name(1), "b.jpg");
  EXPECT_EQ(as_text((*upload)->file(1)->file()), "second");
  EXPECT_EQ((*upload)->file(0)->exam_type, "CIA1");
}

TEST(BatchUpload, TakesAnArchiveInAFormOrAsTheBody) {
  const auto zip = zip_of("folder/a.jpg", "first");
  const auto in_form = BatchUpload::of(form(part("file", "sheets.zip", zip)), {});
  const auto body = BatchUpload::of(
      std::make_shared<const Request>(Request{.headers = {{"content-type", "application/zip"}}, .body = zip}),
      {});
  for (const auto& upload : {in_form, body}) {
    ASSERT_TRUE(upload) << upload.error().message;
    ASSERT_EQ((*upload)->size(), 1);
    EXPECT_EQ((*upload)->name(0), "folder/a.jpg");
    EXPECT_EQ(as_text((*upload)->file(0)->file()), "first");
  }
}

TEST(BatchUpload, LeavesLitterOutAndNeverOpensNamesThatLeadAstray) {
  EXPECT_EQ(BatchUpload::of(form(part("file", "a.zip", zip_of("__MACOSX/._a.jpg", "x"))), {}).error().code,
            "no_file");
  const auto astray = BatchUpload::of(form(part("file", "a.zip", zip_of("../../a.jpg", "x"))), {});
  ASSERT_TRUE(astray);
  EXPECT_EQ((*astray)->file(0).error().code, "bad_entry_name");
}

TEST(BatchUpload, KeepsToItsLimits) {
  const auto two = part("file", "a", "1") + part("file", "b", "2");
  EXPECT_EQ(BatchUpload::of(form(two), {.files = 1}).error().kind, ErrorKind::TooLarge);
  const auto zip = form(part("file", "a.zip", zip_of("a.jpg", "12345")));
  EXPECT_EQ(BatchUpload::of(zip, {.inflated_bytes = 4}).error().code, "batch_too_large");
  EXPECT_EQ((*BatchUpload::of(zip, {.file_bytes = 4}))->file(0).error().code, "file_too_large");
}

TEST(BatchUpload, WithoutFilesSaysHow) {
  for (const auto& request :
       {form(""), form(part("exam_type", "", "CIA1")), form("x", "text/plain"), form("", "")})
    EXPECT_EQ(BatchUpload::of(request, {}).error().kind, ErrorKind::BadInput);
}

TEST(BatchUpload, IsKnownByItsContentNotByItsForm) {
  const auto digest = [](std::string text, std::string type) {
    return (*BatchUpload::of(form(std::move(text), std::move(type)), {}))->digest();
  };
  const auto body = part("file", "a", "1") + part("file", "b", "2");
  const auto first = digest(body, "multipart/form-data; boundary=cut");
  EXPECT_EQ(first, digest(body, "multipart/form-data; charset=utf-8; boundary=\"cut\""));
  for (const auto& other :
       {part("file", "a", "1") + part("file", "b", "3"), part("file", "a", "1"),
        part("file", "ab", "1") + part("file", "", "2"), body + part("exam_type", "", "CIA1")})
    EXPECT_NE(first, digest(other, "multipart/form-data; boundary=cut"));
}

}  // namespace
}  // namespace alcove::api
