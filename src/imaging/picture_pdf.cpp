#include "imaging/picture_pdf.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "imaging/encode_jpeg.h"
#include "imaging/exif.h"
#include "imaging/pdf_page.h"

namespace alcove::imaging {
namespace {

constexpr double kPointsPerPixel = 72.0 / 200;
constexpr std::uint32_t kMostPixels = 30'000;  // of a side
constexpr int kQuality = 92;                   // nothing of a pen's stroke is lost to the eye
constexpr std::size_t kMostBytes = 256 << 20;

struct Picture {
  std::uint32_t width = 0, height = 0;
  int rotate = 0;          // degrees clockwise, as a PDF's page has it
  std::string dictionary;  // what is special about its image object
  std::string data;
  std::string palette;  // of an indexed PNG; its own object then
};

bool is_sound(const Picture& picture) {
  return picture.width > 0 && picture.height > 0 && picture.width <= kMostPixels &&
         picture.height <= kMostPixels;
}

int rotation_of(int orientation) {
  switch (orientation) {
    case 1: return 0;
    case 3: return 180;
    case 6: return 90;
    case 8: return 270;
    default: return -1;  // mirrored: a PDF's page cannot say so
  }
}

// ISO 10918-1: segments of a marker and a length, up to the frame header, which has the size.
Result<Picture> jpeg(Bytes bytes) {
  ByteReader in(bytes);
  Picture picture{.data = std::string(as_text(bytes))};
  TRY(in.take(2));
  while (true) {
    const auto marker = TRY(in.big_endian<std::uint16_t>());
    if (marker < 0xff01) return fail(ErrorKind::Unreadable, "no marker where one should be");
    const auto length = TRY(in.big_endian<std::uint16_t>());
    if (length < 2) return fail(ErrorKind::Unreadable, "a segment without room for its length");
    const auto segment = TRY(in.take(length - 2U));
    if (marker == 0xffe1 && as_text(segment).starts_with(std::string_view("Exif\0\0", 6)))
      picture.rotate = rotation_of(exif_orientation(segment.subspan(6)));
    // Baseline, extended and progressive Huffman frames; PDF's readers know no others.
    if (marker != 0xffc0 && marker != 0xffc1 && marker != 0xffc2) {
      if (marker >= 0xffc3 && marker <= 0xffcf && marker != 0xffc4 && marker != 0xffcc)
        return fail(ErrorKind::Unsupported, "a rare kind of JPEG");
      continue;
    }
    ByteReader frame(segment);
    const auto depth = TRY(frame.big_endian<std::uint8_t>());
    picture.height = TRY(frame.big_endian<std::uint16_t>());
    picture.width = TRY(frame.big_endian<std::uint16_t>());
    const auto components = TRY(frame.big_endian<std::uint8_t>());
    const auto* space = components == 1 ? "/DeviceGray" : components == 3 ? "/DeviceRGB" : nullptr;
    if (depth != 8 || space == nullptr || picture.rotate < 0)
      return fail(ErrorKind::Unsupported, "a JPEG that a PDF cannot hold as it is");
    picture.dictionary = fmt::format("/ColorSpace {} /BitsPerComponent 8 /Filter /DCTDecode", space);
    return picture;
  }
}

// PNG, third edition: chunks of a length, a name, data and a checksum. Its rows are filtered and deflated as
// PDF's FlateDecode with predictor 15 has them.
Result<Picture> png(Bytes bytes) {
  ByteReader in(bytes);
  Picture picture;
  TRY(in.take(8));
  std::uint8_t depth = 0, kind = 0;
  while (true) {
    const auto length = TRY(in.big_endian<std::uint32_t>());
    const auto name = as_text(TRY(in.take(4)));
    const auto data = TRY(in.take(length));
    TRY(in.take(4));
    if (name == "IHDR") {
      ByteReader head(data);
      picture.width = TRY(head.big_endian<std::uint32_t>());
      picture.height = TRY(head.big_endian<std::uint32_t>());
      depth = TRY(head.big_endian<std::uint8_t>());
      kind = TRY(head.big_endian<std::uint8_t>());
      TRY(head.take(2));
      if (TRY(head.big_endian<std::uint8_t>()) != 0) return fail(ErrorKind::Unsupported, "an interlaced PNG");
    }
    if (name == "PLTE") picture.palette = as_text(data);
    if (name == "tRNS") return fail(ErrorKind::Unsupported, "a transparent PNG");
    if (name == "IDAT") picture.data += as_text(data);
    if (name == "IEND") break;
  }
  const bool grey = kind == 0, colour = kind == 2,
             indexed = kind == 3 && picture.palette.size() >= 3 && picture.palette.size() % 3 == 0;
  if (!grey && !colour && !indexed) return fail(ErrorKind::Unsupported, "a transparent PNG");
  // What a palette stands for is said where it has its object.
  const auto* space = grey ? "/ColorSpace /DeviceGray" : colour ? "/ColorSpace /DeviceRGB" : "";
  if (!indexed) picture.palette.clear();
  picture.dictionary = fmt::format(
      "{} /BitsPerComponent {} /Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors {} "
      "/BitsPerComponent {} /Columns {} >>",
      space, depth, colour ? 3 : 1, depth, picture.width);
  return picture;
}

std::string stream(const std::string& dictionary, const std::string& data) {
  return fmt::format("<< {} /Length {} >>\nstream\n{}\nendstream", dictionary, data.size(), data);
}

// Objects 1 and 2 are the catalogue and the list of pages; each page has four of its own behind them.
std::string document(std::span<const Picture> pictures) {
  std::vector<std::string> objects{"<< /Type /Catalog /Pages 2 0 R >>", ""};
  std::string kids;
  for (const auto& picture : pictures) {
    const double width = picture.width * kPointsPerPixel, height = picture.height * kPointsPerPixel;
    const auto page = objects.size() + 1;
    kids += fmt::format("{} 0 R ", page);
    objects.push_back(
        fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {:.3f} {:.3f}] /Rotate {} /Contents {} 0 R "
                    "/Resources << /XObject << /Sheet {} 0 R >> >> >>",
                    width, height, picture.rotate, page + 1, page + 2));
    objects.push_back(stream("", fmt::format("{:.3f} 0 0 {:.3f} 0 0 cm /Sheet Do", width, height)));
    const auto palette = picture.palette.empty() ? std::string()
                                                 : fmt::format("/ColorSpace [/Indexed /DeviceRGB {} {} 0 R] ",
                                                               picture.palette.size() / 3 - 1, page + 3);
    objects.push_back(stream(fmt::format("/Type /XObject /Subtype /Image /Width {} /Height {} {}{}",
                                         picture.width, picture.height, palette, picture.dictionary),
                             picture.data));
    objects.push_back(stream("", picture.palette));
  }
  objects[1] = fmt::format("<< /Type /Pages /Kids [{}] /Count {} >>", kids, pictures.size());
  return pdf_document(objects);
}

}  // namespace

std::optional<std::string> picture_as_pdf(Bytes bytes) {
  const auto text = as_text(bytes);
  const auto picture = text.starts_with("\xff\xd8\xff") ? jpeg(bytes)
                       : text.starts_with("\x89PNG\r\n\x1a\n")
                           ? png(bytes)
                           : fail(ErrorKind::Unsupported, "another format");
  if (!picture || !is_sound(*picture)) return std::nullopt;
  return document({&*picture, 1});
}

Result<std::string> any_picture_as_pdf(Decoder& decoder, Bytes bytes) {
  if (auto as_it_is = picture_as_pdf(bytes)) return *std::move(as_it_is);
  std::vector<Picture> pictures;
  std::size_t size = 0;
  for (int number = 0, of = 1; number < of; ++number) {
    const auto page = TRY(decoder.page(bytes, {.page = number}));
    of = page.pages;
    const auto file = TRY(encode_jpeg(page.image, kQuality));
    size += file.size();
    if (size > kMostBytes)
      return fail(ErrorKind::TooLarge, "its pages make a PDF of more than 256 MB; fetch the file as it came");
    pictures.push_back(TRY(jpeg(as_bytes(file))));
  }
  return document(pictures);
}

}  // namespace alcove::imaging
