// WebP, by libwebp. Still pictures; of the container we read the EXIF chunk ourselves.

#include <webp/decode.h>

#include "imaging/codecs.h"
#include "imaging/exif.h"

namespace alcove::imaging {

namespace {

constexpr std::size_t kRiffHeaderBytes = 12;

// The payload of the chunk of that name; nothing when there is none or the container is damaged.
Result<Bytes> find_chunk(Bytes bytes, std::string_view name) {
  ByteReader in(bytes);
  TRY(in.take(kRiffHeaderBytes));
  for (;;) {
    const auto found = as_text(TRY(in.take(4)));
    const auto size = TRY(in.little_endian<std::uint32_t>());
    const Bytes payload = TRY(in.take(size));
    if (found == name) return payload;
    if (size % 2) TRY(in.take(1));
  }
}

int orientation_of(Bytes bytes) {
  const auto exif = find_chunk(bytes, "EXIF");
  if (!exif) return 1;
  // Some writers keep JPEG's mark before it.
  constexpr std::string_view kMark{"Exif\0\0", 6};
  return exif_orientation(as_text(*exif).starts_with(kMark) ? exif->subspan(kMark.size()) : *exif);
}

std::unexpected<Error> error_of(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED: return truncated(Format::WebP);
    case VP8_STATUS_OUT_OF_MEMORY: throw std::bad_alloc();
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return unsupported(Format::WebP, "uses a feature that is not read", "save it as PNG or JPEG");
    default: return damaged(Format::WebP, "its picture data makes no sense");
  }
}

}  // namespace

Result<Page> decode_webp(Bytes bytes, const DecodeOptions& options) {
  TRY(check_page(Format::WebP, options.page, 1, options.limits));
  // libwebp is content with the picture's own chunk; what the container promises has to be there as well.
  ByteReader in(bytes.subspan(4));
  const auto promised = in.little_endian<std::uint32_t>();
  if (promised && *promised > in.remaining()) return truncated(Format::WebP);

  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config))
    return fail(ErrorKind::Internal, "libwebp is not the version we were built with");
  if (const auto status = WebPGetFeatures(bytes.data(), bytes.size(), &config.input); status != VP8_STATUS_OK)
    return error_of(status);
  if (config.input.has_animation)
    return unsupported(Format::WebP, "is an animation", "save one picture of it");
  TRY(check_size(Format::WebP, config.input.width, config.input.height, options.limits));

  Image image = make_image(config.input.width, config.input.height, 3);
  const std::size_t pixels = static_cast<std::size_t>(image.width) * image.height;
  const int bytes_each = config.input.has_alpha ? 4 : 3;
  std::vector<std::uint8_t> with_alpha(config.input.has_alpha ? pixels * 4 : 0);
  config.output.colorspace = config.input.has_alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {with_alpha.empty() ? image.pixels.data() : with_alpha.data(),
                          image.width * bytes_each, pixels * bytes_each};
  const auto status = WebPDecode(bytes.data(), bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) return error_of(status);
  if (!with_alpha.empty()) lay_on_white(with_alpha.data(), pixels, image.pixels.data());
  return Page{upright(std::move(image), orientation_of(bytes))};
}

}  // namespace alcove::imaging
