#pragma once
// What the decoders share. Private to imaging/: each decoder is the only home of its library.

#include <cstdint>
#include <string_view>

#include "imaging/cut_pages.h"
#include "imaging/decode.h"

namespace alcove::imaging {

// One page of bytes that sniff as the format. The image is upright RGB.
Result<Page> decode_jpeg(Bytes bytes, const DecodeOptions& options);
Result<Page> decode_png(Bytes bytes, const DecodeOptions& options);
Result<Page> decode_bmp(Bytes bytes, const DecodeOptions& options);
Result<Page> decode_tiff(Bytes bytes, const DecodeOptions& options);
Result<Page> decode_webp(Bytes bytes, const DecodeOptions& options);
Result<Page> decode_heic(Bytes bytes, const DecodeOptions& options);
Result<Page> decode_pdf(Bytes bytes, const DecodeOptions& options);
Result<Cut> cut_pdf(Bytes bytes, const CutOptions& options);

// Loads what these libraries otherwise load with their first file, and may no longer load in a worker. Never
// fails: what is missing is missed by the first file.
void warm_up_heic();
void warm_up_pdf();

// The sentences that every format needs. `detail` may quote a library; what is not plain text in it is
// dropped.
std::unexpected<Error> truncated(Format format);
std::unexpected<Error> damaged(Format format, std::string_view detail);
std::unexpected<Error> unsupported(Format format, std::string_view what, std::string_view fix);
Error broken();
Error too_slow();
Error too_much_memory();

// To be asked before anything is allocated for the page.
Result<void> check_size(Format format, std::uint64_t width, std::uint64_t height, const DecodeLimits& limits);
// That `page` is one of `pages`, and that these are not too many.
Result<void> check_page(Format format, int page, int pages, const DecodeLimits& limits);

// 0..255 in place of a product of two such, rounded: the division Pillow and its kin use.
constexpr int times(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}
// `count` pixels R, G, B, A, the alpha not multiplied in, to R, G, B on white paper.
void lay_on_white(const std::uint8_t* rgba, std::size_t count, std::uint8_t* rgb);

// The image as orientation 1..8 of EXIF and TIFF means it to be seen; any other value changes nothing.
Image upright(Image image, int orientation);

}  // namespace alcove::imaging
