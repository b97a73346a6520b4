// TIFF, by libtiff's RGBA interface, which knows every layout that scanners write. Handlers belong to the one
// open file, so that nothing is printed and threads do not meet.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <tiffio.h>

#include "imaging/codecs.h"

namespace alcove::imaging {

namespace {

// What libtiff reads from, and what it had to say.
struct Source {
  Bytes bytes;
  std::uint64_t position = 0;
  bool cut = false;  // something beyond the end was asked for
  char message[120] = {};

  void forget() { cut = false, message[0] = '\0'; }
  std::unexpected<Error> error() const {
    return cut ? truncated(Format::Tiff) : damaged(Format::Tiff, message[0] ? message : "unreadable");
  }
};

Source& source_of(thandle_t handle) { return *static_cast<Source*>(handle); }

tmsize_t read(thandle_t handle, void* out, tmsize_t wanted) {
  Source& source = source_of(handle);
  const std::uint64_t size = source.bytes.size();
  const std::uint64_t there = source.position < size ? size - source.position : 0;
  const std::uint64_t count = std::min<std::uint64_t>(there, wanted);
  if (count < static_cast<std::uint64_t>(wanted)) source.cut = true;
  if (count > 0) std::memcpy(out, source.bytes.data() + source.position, count);
  source.position += count;
  return static_cast<tmsize_t>(count);
}

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  Source& source = source_of(handle);
  const std::uint64_t base = whence == SEEK_SET   ? 0
                             : whence == SEEK_CUR ? source.position
                                                  : source.bytes.size();
  return source.position = base + offset;
}

int keep_message(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto& source = *static_cast<Source*>(user);
  // The first complaint is the cause, later ones follow from it.
  if (!source.message[0]) std::vsnprintf(source.message, sizeof source.message, format, arguments);
  return 1;
}

struct Closer {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Handle = std::unique_ptr<TIFF, Closer>;

Handle open(Source& source, const DecodeLimits& limits) {
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  if (!options) return nullptr;
  // A tile or strip is never larger than 16 bits of four channels of the largest page.
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(limits.pixels * 8));
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_message, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(
      options.get(), [](TIFF*, void*, const char*, const char*, va_list) { return 1; }, nullptr);
  return Handle(TIFFClientOpenExt(
      "page", "rm", &source, read, [](thandle_t, void*, tmsize_t) { return tmsize_t{0}; }, seek,
      [](thandle_t) { return 0; }, [](thandle_t handle) { return toff_t{source_of(handle).bytes.size()}; },
      nullptr, nullptr, options.get()));
}

// Counts to one more than the limit at most. A chain of directories that breaks off is an error even when the
// page asked for comes before: what the sender sees as one document has lost a part.
Result<int> count_pages(TIFF* tiff, Source& source, const DecodeLimits& limits) {
  int pages = 1;
  for (; pages <= limits.pages; ++pages) {
    source.forget();
    if (TIFFReadDirectory(tiff)) continue;
    if (source.cut || source.message[0]) return source.error();
    break;
  }
  source.forget();
  return pages;
}

// libtiff multiplies the alpha in, but not where the picture is grey.
bool is_premultiplied(const TIFFRGBAImage& reader) {
  const bool grey =
      reader.photometric == PHOTOMETRIC_MINISBLACK || reader.photometric == PHOTOMETRIC_MINISWHITE;
  return !(grey && reader.alpha == EXTRASAMPLE_UNASSALPHA);
}

// Premultiplied pixels, packed red lowest, to R, G, B on white paper.
void unpack(const std::vector<std::uint32_t>& raster, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < raster.size(); ++i) {
    const std::uint32_t paper = 255 - TIFFGetA(raster[i]);
    rgb[3 * i] = static_cast<std::uint8_t>(std::min(255u, TIFFGetR(raster[i]) + paper));
    rgb[3 * i + 1] = static_cast<std::uint8_t>(std::min(255u, TIFFGetG(raster[i]) + paper));
    rgb[3 * i + 2] = static_cast<std::uint8_t>(std::min(255u, TIFFGetB(raster[i]) + paper));
  }
}

Result<Image> read_page(TIFF* tiff, const Source& source, const DecodeLimits& limits) {
  std::uint32_t width = 0, height = 0;
  if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width) || !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height))
    return damaged(Format::Tiff, "it does not say how large it is");
  TRY(check_size(Format::Tiff, width, height, limits));

  char why[1024] = {};
  if (!TIFFRGBAImageOK(tiff, why))
    return unsupported(Format::Tiff, fmt::format("cannot be read ({})", why),
                       "save it with 8 bits a channel or as PNG");
  TIFFRGBAImage reader;
  if (!TIFFRGBAImageBegin(&reader, tiff, /*stop on error*/ 1, why)) return source.error();
  const std::unique_ptr<TIFFRGBAImage, void (*)(TIFFRGBAImage*)> end(&reader, TIFFRGBAImageEnd);
  // Asked for as stored, because libtiff only mirrors; the turning is ours.
  const int orientation = reader.orientation;
  reader.req_orientation = reader.orientation;
  std::vector<std::uint32_t> raster(static_cast<std::size_t>(width) * height);
  if (!TIFFRGBAImageGet(&reader, raster.data(), width, height)) return source.error();
  Image image = make_image(static_cast<int>(width), static_cast<int>(height), 3);
  if (is_premultiplied(reader))
    unpack(raster, image.pixels.data());
  else  // on the machines we run on, red lowest is red first
    lay_on_white(reinterpret_cast<const std::uint8_t*>(raster.data()), raster.size(), image.pixels.data());
  raster = {};
  return upright(std::move(image), orientation);
}

}  // namespace

Result<Page> decode_tiff(Bytes bytes, const DecodeOptions& options) {
  Source source{bytes};
  const Handle tiff = open(source, options.limits);
  if (!tiff) return source.error();
  const int pages = TRY(count_pages(tiff.get(), source, options.limits));
  TRY(check_page(Format::Tiff, options.page, pages, options.limits));
  if (!TIFFSetDirectory(tiff.get(), static_cast<tdir_t>(options.page))) return source.error();
  return Page{TRY(read_page(tiff.get(), source, options.limits)), pages};
}

}  // namespace alcove::imaging
