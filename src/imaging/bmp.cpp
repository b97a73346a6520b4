// BMP: OS/2 and Windows headers, 1 to 32 bits a pixel, RLE4 and RLE8, bit fields, either row order. Our own
// reader: the usual small libraries know no RLE and fill what is cut off with black.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "imaging/codecs.h"

namespace alcove::imaging {

namespace {

constexpr std::size_t kFileHeaderBytes = 14;
constexpr std::uint32_t kCoreHeaderBytes = 12;  // OS/2: short sizes, palette of three bytes an entry
enum Compression : std::uint32_t { Plain = 0, Rle8 = 1, Rle4 = 2, BitFields = 3, AlphaBitFields = 6 };

struct Header {
  int width = 0, height = 0;
  bool bottom_up = true;
  int bits = 0;
  std::uint32_t compression = Plain;
  std::uint32_t pixel_offset = 0;
  std::array<std::uint32_t, 4> masks{};  // red, green, blue, alpha
  std::array<std::array<std::uint8_t, 3>, 256> palette{};
};

Result<void> read_masks(Header& header, ByteReader& info, ByteReader& after) {
  if (header.bits == 16) header.masks = {0x7C00, 0x03E0, 0x001F, 0};
  if (header.bits == 32) header.masks = {0xFF0000, 0x00FF00, 0x0000FF, 0};
  if (header.compression != BitFields && header.compression != AlphaBitFields) return {};
  if (header.bits != 16 && header.bits != 32) return damaged(Format::Bmp, "bit fields without 16 or 32 bits");
  // Newer headers hold the masks, the oldest is followed by them.
  ByteReader& in = info.remaining() >= 12 ? info : after;
  for (int i = 0; i < 3; ++i) header.masks[i] = TRY(in.little_endian<std::uint32_t>());
  const bool has_alpha = &in == &info ? info.remaining() >= 4 : header.compression == AlphaBitFields;
  if (has_alpha) header.masks[3] = TRY(in.little_endian<std::uint32_t>());
  return {};
}

Result<void> read_palette(Header& header, ByteReader& in, std::uint32_t declared, std::size_t entry_bytes) {
  if (header.bits > 8) return {};
  const std::uint32_t most = 1u << header.bits;
  const std::uint32_t count = declared == 0 ? most : std::min(declared, most);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Bytes entry = TRY(in.take(entry_bytes));
    header.palette[i] = {entry[2], entry[1], entry[0]};
  }
  return {};
}

Result<Header> read_header(Bytes bytes, const DecodeLimits& limits) {
  ByteReader in(bytes);
  Header header;
  TRY(in.take(10));
  header.pixel_offset = TRY(in.little_endian<std::uint32_t>());
  const auto info_bytes = TRY(in.little_endian<std::uint32_t>());
  if (info_bytes < kCoreHeaderBytes) return damaged(Format::Bmp, "header too short");
  ByteReader info(TRY(in.take(info_bytes - 4)));

  std::int64_t width = 0, height = 0;
  std::uint32_t colours = 0;
  if (info_bytes == kCoreHeaderBytes) {
    width = TRY(info.little_endian<std::uint16_t>());
    height = TRY(info.little_endian<std::uint16_t>());
  } else {
    width = TRY(info.little_endian<std::int32_t>());
    height = TRY(info.little_endian<std::int32_t>());
  }
  TRY(info.take(2));  // planes
  header.bits = TRY(info.little_endian<std::uint16_t>());
  if (info_bytes >= 40) {
    header.compression = TRY(info.little_endian<std::uint32_t>());
    TRY(info.take(12));  // bytes of the picture, resolution
    colours = TRY(info.little_endian<std::uint32_t>());
    TRY(info.take(4));
  }
  if (width < 0) return damaged(Format::Bmp, "its width is negative");
  header.bottom_up = height >= 0;
  TRY(check_size(Format::Bmp, static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(std::abs(height)),
                 limits));
  header.width = static_cast<int>(width), header.height = static_cast<int>(std::abs(height));

  constexpr std::array kBits{1, 2, 4, 8, 16, 24, 32};
  if (std::ranges::find(kBits, header.bits) == kBits.end())
    return damaged(Format::Bmp, "odd number of bits a pixel");
  const bool rle = header.compression == Rle8 || header.compression == Rle4;
  if (rle && header.bits != (header.compression == Rle8 ? 8 : 4))
    return damaged(Format::Bmp, "RLE of odd depth");
  if (header.compression > BitFields && header.compression != AlphaBitFields)
    return unsupported(Format::Bmp, "holds another kind of picture", "save it as an ordinary BMP or as PNG");
  TRY(read_masks(header, info, in));
  TRY(read_palette(header, in, colours, info_bytes == kCoreHeaderBytes ? 3 : 4));
  return header;
}

// One field of a pixel, stretched to 0..255.
struct Channel {
  std::uint32_t mask;
  int shift = mask ? std::countr_zero(mask) : 0;
  std::uint64_t most = mask >> shift;

  std::uint8_t of(std::uint32_t pixel, std::uint8_t otherwise) const {
    if (mask == 0) return otherwise;
    return static_cast<std::uint8_t>((std::uint64_t{(pixel & mask) >> shift} * 255 + most / 2) / most);
  }
};

void unpack_fields(const Header& header, const std::uint8_t* in, std::uint8_t* rgba) {
  const Channel channels[] = {{header.masks[0]}, {header.masks[1]}, {header.masks[2]}, {header.masks[3]}};
  const int size = header.bits / 8;
  for (int x = 0; x < header.width; ++x, in += size, rgba += 4) {
    std::uint32_t pixel = in[0] | in[1] << 8;
    if (size == 4) pixel |= std::uint32_t{in[2]} << 16 | std::uint32_t{in[3]} << 24;
    for (int c = 0; c < 4; ++c) rgba[c] = channels[c].of(pixel, c == 3 ? 255 : 0);
  }
}

void unpack_indices(const Header& header, const std::uint8_t* in, std::uint8_t* rgb) {
  const int in_byte = 8 / header.bits, most = (1 << header.bits) - 1;
  for (int x = 0; x < header.width; ++x) {
    const int index = in[x / in_byte] >> (8 - header.bits - x % in_byte * header.bits) & most;
    std::copy_n(header.palette[index].data(), 3, rgb + 3 * x);
  }
}

struct RowBytes {
  std::size_t used, stride;
};
RowBytes row_bytes(const Header& header) {
  const std::size_t used = (static_cast<std::size_t>(header.width) * header.bits + 7) / 8;
  return {used, (used + 3) / 4 * 4};
}

// Rows in the file's order, each padded to a multiple of four bytes.
void read_plain(const Header& header, Bytes pixels, Image& image) {
  const bool fields = header.bits == 16 || header.bits == 32;
  std::vector<std::uint8_t> rgba(fields ? static_cast<std::size_t>(header.width) * 4 : 0);
  for (int y = 0; y < header.height; ++y) {
    const std::uint8_t* in = pixels.data() + row_bytes(header).stride * y;
    std::uint8_t* out = image.row(y);
    if (header.bits <= 8) {
      unpack_indices(header, in, out);
    } else if (fields) {
      unpack_fields(header, in, rgba.data());
      lay_on_white(rgba.data(), header.width, out);
    } else {
      for (int x = 0; x < header.width; ++x)
        for (int c = 0; c < 3; ++c) out[3 * x + c] = in[3 * x + 2 - c];
    }
  }
}

// Runs of indices; what they leave out is entry 0 of the palette.
Result<void> read_rle(const Header& header, Bytes pixels, Image& image) {
  const bool nibbles = header.compression == Rle4;
  for (int y = 0; y < header.height; ++y)
    for (int x = 0; x < header.width; ++x) std::copy_n(header.palette[0].data(), 3, image.row(y) + 3 * x);
  ByteReader in(pixels);
  int x = 0, y = 0;
  const auto put = [&](int index) {
    if (x < header.width && y < header.height)
      std::copy_n(header.palette[index].data(), 3, image.row(y) + 3 * x);
    ++x;
  };
  while (y < header.height) {
    const auto count = TRY(in.little_endian<std::uint8_t>());
    const auto value = TRY(in.little_endian<std::uint8_t>());
    if (count > 0) {
      for (int i = 0; i < count; ++i) put(!nibbles ? value : i % 2 ? value & 15 : value >> 4);
    } else if (value == 0) {  // end of the row
      x = 0, ++y;
    } else if (value == 1) {  // end of the picture
      break;
    } else if (value == 2) {  // a step to the right and on
      x += TRY(in.little_endian<std::uint8_t>());
      y += TRY(in.little_endian<std::uint8_t>());
    } else {  // `value` indices as they are, padded to an even number of bytes
      const std::size_t used = nibbles ? (value + 1u) / 2 : value;
      const Bytes indices = TRY(in.take((used + 1) / 2 * 2));
      for (int i = 0; i < value; ++i)
        put(!nibbles ? indices[i] : i % 2 ? indices[i / 2] & 15 : indices[i / 2] >> 4);
    }
    if (x > header.width + 512) return damaged(Format::Bmp, "a row runs over its end");
  }
  return {};
}

void flip(Image& image) {
  for (int y = 0; y < image.height / 2; ++y)
    std::swap_ranges(image.row(y), image.row(y) + image.row_bytes(), image.row(image.height - 1 - y));
}

Result<Page> read_bmp(Bytes bytes, const DecodeLimits& limits) {
  const Header header = TRY(read_header(bytes, limits));
  if (header.pixel_offset < kFileHeaderBytes) return damaged(Format::Bmp, "its picture lies in its header");
  if (header.pixel_offset >= bytes.size()) return truncated(Format::Bmp);
  const Bytes pixels = bytes.subspan(header.pixel_offset);

  Page page;
  if (header.compression == Rle8 || header.compression == Rle4) {
    page.image = make_image(header.width, header.height, 3);
    TRY(read_rle(header, pixels, page.image));
  } else {
    // A plain picture is as long as its size says, but some programs leave out the padding of the last row.
    const auto [used, stride] = row_bytes(header);
    if (pixels.size() < stride * (header.height - 1) + used) return truncated(Format::Bmp);
    page.image = make_image(header.width, header.height, 3);
    read_plain(header, pixels, page.image);
  }
  if (header.bottom_up) flip(page.image);
  return page;
}

}  // namespace

Result<Page> decode_bmp(Bytes bytes, const DecodeOptions& options) {
  TRY(check_page(Format::Bmp, options.page, 1, options.limits));
  auto page = read_bmp(bytes, options.limits);
  // The byte reader's own error, which has no code, is that the file ends.
  if (!page && page.error().code.empty()) return truncated(Format::Bmp);
  return page;
}

}  // namespace alcove::imaging
