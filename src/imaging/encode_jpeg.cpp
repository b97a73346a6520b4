#include "imaging/encode_jpeg.h"

#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h wants FILE
#include <cstdlib>

// clang-format off
#include <jpeglib.h>
// clang-format on

namespace alcove::imaging {
namespace {

struct Failure {
  jpeg_error_mgr base;  // first: the library hands out a pointer to it
  std::jmp_buf back;
};

// The library's own way of failing ends the process.
void fail_back(j_common_ptr common) { std::longjmp(reinterpret_cast<Failure*>(common->err)->back, 1); }

// Everything that lives across the jump is plain data, so no destructor is jumped over.
bool compress(const Image& image, int quality, unsigned char** bytes, unsigned long* size) {
  jpeg_compress_struct writer{};
  Failure failure;
  writer.err = jpeg_std_error(&failure.base);
  failure.base.error_exit = fail_back;
  if (setjmp(failure.back) != 0) {
    jpeg_destroy_compress(&writer);
    return false;
  }
  jpeg_create_compress(&writer);
  jpeg_mem_dest(&writer, bytes, size);
  writer.image_width = static_cast<JDIMENSION>(image.width);
  writer.image_height = static_cast<JDIMENSION>(image.height);
  writer.input_components = image.channels;
  writer.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&writer);
  jpeg_set_quality(&writer, quality, TRUE);
  jpeg_start_compress(&writer, TRUE);
  const std::size_t stride = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
  while (writer.next_scanline < writer.image_height) {
    auto* row = const_cast<unsigned char*>(image.pixels.data() + writer.next_scanline * stride);
    jpeg_write_scanlines(&writer, &row, 1);
  }
  jpeg_finish_compress(&writer);
  jpeg_destroy_compress(&writer);
  return true;
}

}  // namespace

Result<std::string> encode_jpeg(const Image& image, int quality) {
  if (image.width < 1 || image.height < 1 || image.width > JPEG_MAX_DIMENSION ||
      image.height > JPEG_MAX_DIMENSION)
    return fail(ErrorKind::BadInput, "an image of these sides cannot be a JPEG");
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const bool written = compress(image, quality, &bytes, &size);
  std::string file(reinterpret_cast<const char*>(bytes), written ? size : 0);
  std::free(bytes);
  if (!written) return fail(ErrorKind::Internal, "the page's preview could not be written");
  return file;
}

}  // namespace alcove::imaging
