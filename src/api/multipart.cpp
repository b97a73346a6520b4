#include "api/multipart.h"

#include <fmt/format.h>

#include "api/http.h"

namespace alcove::api {
namespace {

constexpr std::size_t kMaxBoundary = 200;  // RFC 2046 says 70
constexpr std::size_t kMaxHeader = 16 * 1024;

std::unexpected<Error> cut_short(std::string_view where) {
  return fail(ErrorKind::BadInput,
              fmt::format("the multipart body ends in {}; it was cut off on its way here", where));
}

Result<std::string> delimiter_of(std::string_view content_type) {
  const auto boundary = header_parameter(content_type, "boundary");
  if (!boundary || boundary->empty())
    return fail(
        ErrorKind::BadInput,
        "the Content-Type names no multipart boundary; let the HTTP client set this header by itself");
  if (boundary->size() > kMaxBoundary)
    return fail(ErrorKind::BadInput,
                fmt::format("the multipart boundary is longer than {} characters", kMaxBoundary));
  return "--" + *boundary;
}

std::string file_name_of(std::string_view plain, std::string_view disposition) {
  // filename*=UTF-8''name wins where a client sends both.
  const auto extended = header_parameter(disposition, "filename*");
  if (extended && extended->size() > 7 &&
      equal_ignoring_case(std::string_view(*extended).substr(0, 7), "utf-8''"))
    return percent_decoded(std::string_view(*extended).substr(7));
  return std::string(plain);
}

Result<Part> parse_header(std::string_view header) {
  Part part;
  bool named = false;
  while (!header.empty()) {
    const auto line = header.substr(0, header.find("\r\n"));
    header.remove_prefix(std::min(header.size(), line.size() + 2));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !equal_ignoring_case(line.substr(0, colon), "content-disposition"))
      continue;
    const auto value = line.substr(colon + 1);
    if (auto name = header_parameter(value, "name")) {
      part.name = *std::move(name);
      named = true;
    }
    const auto plain = header_parameter(value, "filename");
    if (plain || header_parameter(value, "filename*"))
      part.file_name = file_name_of(plain.value_or(""), value);
  }
  if (!named) return fail(ErrorKind::BadInput, "a part of the multipart body has no name");
  return part;
}

}  // namespace

Result<std::vector<Part>> parse_multipart(std::string_view content_type, Bytes body, std::size_t most) {
  const auto delimiter = TRY(delimiter_of(content_type));
  const auto text = as_text(body);
  const auto line_delimiter = "\r\n" + delimiter;

  // The first boundary opens the body or, after a preamble, a line.
  std::size_t at = text.starts_with(delimiter) ? 0 : text.find(line_delimiter);
  if (at == std::string_view::npos)
    return fail(ErrorKind::BadInput,
                "the multipart body does not contain the boundary its Content-Type names");
  at += at == 0 && text.starts_with(delimiter) ? delimiter.size() : line_delimiter.size();

  std::vector<Part> parts;
  while (true) {
    if (text.substr(at).starts_with("--")) return parts;
    if (parts.size() == most)
      return fail(ErrorKind::BadInput, fmt::format("more than {} parts in one request", most));
    const auto line_end = text.find("\r\n", at);
    if (line_end == std::string_view::npos) return cut_short("a boundary");
    at = line_end;  // so that a header of no lines is seen as one, too
    const auto header_end = text.substr(at, kMaxHeader).find("\r\n\r\n");
    if (header_end == std::string_view::npos)
      return cut_short("the header of a part, or that header is too long");
    auto part = TRY(parse_header(text.substr(at + 2, header_end < 2 ? 0 : header_end - 2)));
    const auto content = at + header_end + 4;
    // A part without content may have its boundary right after the header: its line break is the header's.
    const auto end = text.find(line_delimiter, content - 2);
    if (end == std::string_view::npos) return cut_short("the middle of a part");
    part.content = body.subspan(content, std::max(end, content) - content);
    parts.push_back(std::move(part));
    at = end + line_delimiter.size();
  }
}

}  // namespace alcove::api
