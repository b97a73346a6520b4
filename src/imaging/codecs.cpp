#include "imaging/codecs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace alcove::imaging {

namespace {

constexpr std::size_t kLongestQuote = 120;

std::string plain(std::string_view text) {
  std::string kept;
  for (char c : text.substr(0, kLongestQuote))
    if (c >= ' ' && c <= '~') kept += c;
  return kept;
}

}  // namespace

std::unexpected<Error> truncated(Format format) {
  return fail(ErrorKind::Unreadable,
              fmt::format("this {} ends before its picture does; send the whole file again", name_of(format)),
              "truncated");
}

std::unexpected<Error> damaged(Format format, std::string_view detail) {
  return fail(
      ErrorKind::Unreadable,
      fmt::format("this {} is damaged ({}); export or scan the page again", name_of(format), plain(detail)),
      "damaged");
}

std::unexpected<Error> unsupported(Format format, std::string_view what, std::string_view fix) {
  return fail(ErrorKind::Unreadable, fmt::format("this {} {}; {}", name_of(format), plain(what), fix),
              "unsupported_format");
}

Error broken() {
  return {ErrorKind::Unreadable, "this file breaks the program that opens it; export or scan the page again",
          "damaged"};
}

Error too_slow() {
  return {ErrorKind::Unreadable,
          "this page takes too long to open; save it as a plain picture, or scan it at a lower resolution",
          "too_slow"};
}

Error too_much_memory() {
  return {ErrorKind::Unreadable, "this page takes too much memory to open; scan it at a lower resolution",
          "too_much_memory"};
}

Result<void> check_size(Format format, std::uint64_t width, std::uint64_t height,
                        const DecodeLimits& limits) {
  if (width == 0 || height == 0) return damaged(format, "its size is zero");
  const auto side = static_cast<std::uint64_t>(limits.side);
  // Both sides are judged before they are multiplied.
  if (width > side || height > side || width * height > limits.pixels)
    return fail(
        ErrorKind::TooLarge,
        fmt::format("this {} is {} x {} pixels; at most {} million pixels and {} on a side are read, so "
                    "scan it at a lower resolution",
                    name_of(format), width, height, limits.pixels / 1'000'000, limits.side),
        "too_many_pixels");
  return {};
}

Result<void> check_page(Format format, int page, int pages, const DecodeLimits& limits) {
  if (pages > limits.pages)
    return fail(ErrorKind::TooLarge,
                fmt::format("this {} has more than {} pages; split it into one document for each sheet",
                            name_of(format), limits.pages),
                "too_many_pages");
  if (page < 0 || page >= pages)
    return fail(ErrorKind::Unreadable,
                fmt::format("this {} has {} page{}, and page {} was asked for; ask for one it has",
                            name_of(format), pages, pages == 1 ? "" : "s", std::int64_t{page} + 1),
                "no_such_page");
  return {};
}

void lay_on_white(const std::uint8_t* rgba, std::size_t count, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < count; ++i) {
    const int alpha = rgba[4 * i + 3];
    for (int c = 0; c < 3; ++c)
      rgb[3 * i + c] = static_cast<std::uint8_t>(times(rgba[4 * i + c], alpha) + 255 - alpha);
  }
}

Image upright(Image image, int orientation) {
  switch (orientation) {
    case 2: return mirror(image);
    case 3: return turn(image, 2);
    case 4: return mirror(turn(image, 2));
    case 5: return mirror(turn(image, 1));
    case 6: return turn(image, 1);
    case 7: return mirror(turn(image, 3));
    case 8: return turn(image, 3);
    default: return image;
  }
}

}  // namespace alcove::imaging
