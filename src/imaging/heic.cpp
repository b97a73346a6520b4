// HEIC and AVIF, by libheif, which turns the picture upright itself. On newer systems its decoders are
// plug-ins of their own packages.

#include <libheif/heif.h>

#include <algorithm>
#include <memory>

#include "imaging/codecs.h"

namespace alcove::imaging {

namespace {

using Context = std::unique_ptr<heif_context, void (*)(heif_context*)>;
using ImageHandle = std::unique_ptr<heif_image_handle, void (*)(const heif_image_handle*)>;
using HeifImage = std::unique_ptr<heif_image, void (*)(const heif_image*)>;

std::unexpected<Error> error_of(const heif_error& error) {
  if (error.code == heif_error_Unsupported_filetype || error.code == heif_error_Unsupported_feature ||
      error.code == heif_error_Decoder_plugin_error)
    return unsupported(Format::Heic, "cannot be decoded on this machine",
                       "install the package libheif-plugin-libde265 there, or send the page as JPEG");
  if (error.subcode == heif_suberror_End_of_data) return truncated(Format::Heic);
  if (error.subcode == heif_suberror_Security_limit_exceeded)
    return fail(ErrorKind::TooLarge, "this HEIC has more pixels than are read; save it at a lower resolution",
                "too_many_pixels");
  if (error.code == heif_error_Memory_allocation_error) throw std::bad_alloc();
  return damaged(Format::Heic, error.message ? error.message : "unreadable");
}

}  // namespace

void warm_up_heic() {
  // Asks for the decoders' plug-ins.
  heif_have_decoder_for_format(heif_compression_HEVC);
  const Context context(heif_context_alloc(), heif_context_free);
}

Result<Page> decode_heic(Bytes bytes, const DecodeOptions& options) {
  TRY(check_page(Format::Heic, options.page, 1, options.limits));
  const Context context(heif_context_alloc(), heif_context_free);
  if (!context) throw std::bad_alloc();
  heif_context_set_maximum_image_size_limit(context.get(), options.limits.side);
  if (auto error =
          heif_context_read_from_memory_without_copy(context.get(), bytes.data(), bytes.size(), nullptr);
      error.code != heif_error_Ok)
    return error_of(error);

  heif_image_handle* primary = nullptr;
  if (auto error = heif_context_get_primary_image_handle(context.get(), &primary);
      error.code != heif_error_Ok)
    return error_of(error);
  const ImageHandle handle(primary, heif_image_handle_release);
  TRY(check_size(Format::Heic, std::max(0, heif_image_handle_get_width(primary)),
                 std::max(0, heif_image_handle_get_height(primary)), options.limits));

  const bool alpha = heif_image_handle_has_alpha_channel(primary);
  heif_image* raw = nullptr;
  if (auto error =
          heif_decode_image(primary, &raw, heif_colorspace_RGB,
                            alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, nullptr);
      error.code != heif_error_Ok)
    return error_of(error);
  const HeifImage decoded(raw, heif_image_release);
  int stride = 0;
  const std::uint8_t* plane = heif_image_get_plane_readonly(raw, heif_channel_interleaved, &stride);
  const int width = heif_image_get_width(raw, heif_channel_interleaved);
  const int height = heif_image_get_height(raw, heif_channel_interleaved);
  if (!plane) return damaged(Format::Heic, "no picture came out of it");
  TRY(check_size(Format::Heic, std::max(0, width), std::max(0, height), options.limits));

  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* row = plane + static_cast<std::size_t>(stride) * y;
    if (alpha)
      lay_on_white(row, width, image.row(y));
    else
      std::copy_n(row, image.row_bytes(), image.row(y));
  }
  return Page{std::move(image)};
}

}  // namespace alcove::imaging
