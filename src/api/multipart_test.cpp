#include "api/multipart.h"

#include <gtest/gtest.h>

namespace alcove::api {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=cut";

std::vector<Part> parts_of(std::string_view body, std::string_view type = kType) {
  auto parts = parse_multipart(type, as_bytes(body));
  EXPECT_TRUE(parts) << parts.error().message;
  return parts.value_or(std::vector<Part>{});
}

std::string refusal_of(std::string_view body, std::string_view type = kType) {
  const auto parts = parse_multipart(type, as_bytes(body));
  if (parts) return "was taken";
  EXPECT_EQ(parts.error().kind, ErrorKind::BadInput);
  return parts.error().message;
}

constexpr std::string_view kForm =
    "--cut\r\n"
    "Content-Disposition: form-data; name=\"exam_type\"\r\n"
    "\r\n"
    "CIA1\r\n"
    "--cut\r\n"
    "content-disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".jpg\"\r\n"
    "Content-Type: image/jpeg\r\n"
    "\r\n"
    "one\r\n--cu\r\ntwo\r\n"
    "\r\n"
    "--cut--\r\n";

TEST(Multipart, ReadsFieldsAndFiles) {
  const auto parts = parts_of(kForm);
  ASSERT_EQ(parts.size(), 2);
  EXPECT_EQ(parts[0].name, "exam_type");
  EXPECT_FALSE(parts[0].file_name);
  EXPECT_EQ(as_text(parts[0].content), "CIA1");
  EXPECT_EQ(parts[1].name, "file");
  EXPECT_EQ(parts[1].file_name, "a \"b\".jpg");
  EXPECT_EQ(as_text(parts[1].content), "one\r\n--cu\r\ntwo\r\n") << "content may look like a boundary";
}

TEST(Multipart, TakesWhatTheRfcAllows) {
  EXPECT_EQ(parts_of("a preamble\r\n" + std::string(kForm)).size(), 2);
  EXPECT_EQ(parts_of(kForm, "multipart/form-data; boundary=\"cut\"").size(), 2);
  EXPECT_EQ(parts_of("--cut--").size(), 0);
  const auto empty =
      parts_of("--cut \r\nContent-Disposition: form-data; name=file; filename=\"\"\r\n\r\n\r\n--cut--");
  ASSERT_EQ(empty.size(), 1);
  EXPECT_EQ(empty[0].file_name, "");
  EXPECT_TRUE(empty[0].content.empty());
  const auto extended = parts_of(
      "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"; "
      "filename*=UTF-8''%C3%BC.pdf\r\n\r\n1\r\n"
      "--cut--");
  EXPECT_EQ(extended.at(0).file_name, "ü.pdf");
}

TEST(Multipart, SaysWhatIsWrong) {
  EXPECT_EQ(refusal_of(kForm, "multipart/form-data"),
            "the Content-Type names no multipart boundary; let the HTTP client set this header by itself");
  EXPECT_EQ(refusal_of(kForm, "multipart/form-data; boundary="),
            "the Content-Type names no multipart boundary; let the HTTP client set this header by itself");
  EXPECT_EQ(refusal_of(kForm, "multipart/form-data; boundary=other"),
            "the multipart body does not contain the boundary its Content-Type names");
  EXPECT_EQ(refusal_of("", kType), "the multipart body does not contain the boundary its Content-Type names");
  EXPECT_EQ(refusal_of("--cut\r\nContent-Type: image/jpeg\r\n\r\n1\r\n--cut--"),
            "a part of the multipart body has no name");
  std::string many;
  for (int i = 0; i < 65; ++i) many += "--cut\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
  EXPECT_EQ(refusal_of(many + "--cut--"), "more than 64 parts in one request");
}

TEST(Multipart, CutShortAnywhereIsRefused) {
  const auto whole = kForm.size() - 2;  // the last line break is no part of it
  for (std::size_t length = 0; length < whole; ++length)
    EXPECT_NE(refusal_of(kForm.substr(0, length)), "was taken") << length << " bytes";
}

TEST(Multipart, FlippedBytesNeverReachPastTheBody) {
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    for (const char flip : {'\0', '\r', '-', '"', ';', '\xff'}) {
      std::string damaged(kForm);
      damaged[i] = flip;
      const auto parts = parse_multipart(kType, as_bytes(damaged));
      if (!parts) continue;
      for (const auto& part : *parts) {
        EXPECT_GE(part.content.data(), as_bytes(damaged).data());
        EXPECT_LE(part.content.data() + part.content.size(), as_bytes(damaged).data() + damaged.size());
      }
    }
  }
}

}  // namespace
}  // namespace alcove::api
