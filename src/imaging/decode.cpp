#include "imaging/decode.h"

#include <algorithm>
#include <array>
#include <new>

#include "imaging/codecs.h"

namespace alcove::imaging {

namespace {

// `text` is found at `offset`.
bool has(Bytes bytes, std::size_t offset, std::string_view text) {
  return bytes.size() >= offset + text.size() && as_text(bytes.subspan(offset, text.size())) == text;
}

bool is_jpeg(Bytes bytes) { return has(bytes, 0, "\xFF\xD8\xFF"); }
bool is_png(Bytes bytes) { return has(bytes, 0, "\x89PNG\r\n\x1A\n"); }
// Two letters are a weak sign; the size of the second header, which has few values, makes it a good one.
bool is_bmp(Bytes bytes) {
  constexpr std::array<std::uint8_t, 8> kHeaderBytes{12, 16, 40, 52, 56, 64, 108, 124};
  return has(bytes, 0, "BM") && has(bytes, 15, std::string_view("\0\0\0", 3)) &&
         std::ranges::find(kHeaderBytes, bytes[14]) != kHeaderBytes.end();
}
bool is_tiff(Bytes bytes) {
  using namespace std::literals;
  // 43 in place of 42 is BigTIFF.
  return has(bytes, 0, "II*\0"sv) || has(bytes, 0, "MM\0*"sv) || has(bytes, 0, "II+\0"sv) ||
         has(bytes, 0, "MM\0+"sv);
}
bool is_webp(Bytes bytes) { return has(bytes, 0, "RIFF") && has(bytes, 8, "WEBP"); }
bool is_heic(Bytes bytes) {
  constexpr std::array<std::string_view, 9> kBrands{"heic", "heix", "heim", "heis", "hevc",
                                                    "hevx", "mif1", "msf1", "avif"};
  return has(bytes, 4, "ftyp") &&
         std::ranges::any_of(kBrands, [&](auto brand) { return has(bytes, 8, brand); });
}
// Readers allow for a kilobyte of mail header or the like before it.
bool is_pdf(Bytes bytes) {
  return as_text(bytes.first(std::min<std::size_t>(bytes.size(), 1024))).find("%PDF-") !=
         std::string_view::npos;
}

struct Codec {
  Format format;
  std::string_view name;
  bool (*is)(Bytes);
  Result<Page> (*decode)(Bytes, const DecodeOptions&);
};
// Tried in order; PDF last, because its sign may lie anywhere in a kilobyte.
constexpr std::array kCodecs{
    Codec{Format::Jpeg, "JPEG", is_jpeg, decode_jpeg}, Codec{Format::Png, "PNG", is_png, decode_png},
    Codec{Format::Bmp, "BMP", is_bmp, decode_bmp},     Codec{Format::Tiff, "TIFF", is_tiff, decode_tiff},
    Codec{Format::WebP, "WebP", is_webp, decode_webp}, Codec{Format::Heic, "HEIC", is_heic, decode_heic},
    Codec{Format::Pdf, "PDF", is_pdf, decode_pdf},
};

const Codec* find_codec(Bytes bytes) {
  const auto found = std::ranges::find_if(kCodecs, [&](const Codec& codec) { return codec.is(bytes); });
  return found == kCodecs.end() ? nullptr : &*found;
}

}  // namespace

Format sniff(Bytes bytes) {
  const Codec* codec = find_codec(bytes);
  return codec ? codec->format : Format::Unknown;
}

std::string_view name_of(Format format) {
  for (const Codec& codec : kCodecs)
    if (codec.format == format) return codec.name;
  return "unknown";
}

bool is_listed_extension(std::string_view file_name) {
  constexpr std::array<std::string_view, 10> kExtensions{".pdf",  ".jpg", ".jpeg", ".png",  ".bmp",
                                                         ".tiff", ".tif", ".webp", ".heic", ".heif"};
  const auto same_letter = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return std::ranges::any_of(kExtensions, [&](std::string_view extension) {
    return file_name.size() >= extension.size() &&
           std::ranges::equal(file_name.substr(file_name.size() - extension.size()), extension, same_letter);
  });
}

Result<Page> decode_page(Bytes bytes, const DecodeOptions& options) try {
  if (bytes.empty())
    return fail(ErrorKind::Unreadable, "the file is empty; send the scan itself", "empty_file");
  const Codec* codec = find_codec(bytes);
  if (!codec)
    return fail(
        ErrorKind::Unreadable,
        "this is not a picture of a kind we read, whatever its name says; send a PDF, JPEG, PNG, BMP, TIFF, "
        "WebP or HEIC",
        "unknown_format");
  return codec->decode(bytes, options);
} catch (const std::bad_alloc&) {
  return std::unexpected(too_much_memory());
}

Result<Cut> cut_pages(Bytes bytes, const CutOptions& options) try {
  if (sniff(bytes) != Format::Pdf)
    return fail(ErrorKind::Unsupported, "only a PDF is taken apart into its pages", "no_pdf");
  return cut_pdf(bytes, options);
} catch (const std::bad_alloc&) {
  return std::unexpected(too_much_memory());
}

}  // namespace alcove::imaging
