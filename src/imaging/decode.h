#pragma once
// Foreign bytes to a page of upright 8-bit RGB. What the bytes are is sniffed, not believed.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "imaging/image.h"

namespace alcove::imaging {

enum class Format { Jpeg, Png, Bmp, Tiff, WebP, Heic, Pdf, Unknown };
Format sniff(Bytes bytes);
std::string_view name_of(Format format);               // "JPEG", "PDF"
bool is_listed_extension(std::string_view file_name);  // the contract's list plus ours, any case

struct DecodeLimits {
  std::uint64_t pixels = 100'000'000;  // of one page
  int side = 30'000;                   // of one page, pixels
  int pages = 500;                     // of one document
};

struct DecodeOptions {
  DecodeLimits limits;
  std::string password;  // for encrypted PDFs
  int page = 0;          // zero-based
  double dpi = 200;      // PDF pages are rendered at this
};

struct Page {
  Image image;    // RGB, turned upright by EXIF or TIFF orientation; transparency laid on white
  int pages = 1;  // in the document
};

// Errors, each a sentence that names the fix: Unreadable (codes empty_file, unknown_format, damaged,
// truncated, pdf_encrypted, no_such_page, unsupported_format, too_much_memory), TooLarge (too_many_pixels,
// too_many_pages) or Unavailable (no_pdf_library). Sizes are taken from headers and judged before anything is
// allocated for them.
//
// A pure function of its arguments: safe from any thread, one document at a time inside PDFium. A stranger's
// bytes go through imaging/decode_pool.h, which calls this in a child.
Result<Page> decode_page(Bytes bytes, const DecodeOptions& options = {});

}  // namespace alcove::imaging
