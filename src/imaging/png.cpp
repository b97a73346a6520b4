// PNG, by libpng. It reports errors by longjmp; that stays inside PngReader, whose jumping functions hold
// nothing that would need destroying.

#include <csetjmp>
#include <cstring>

#include <png.h>

#include "imaging/codecs.h"
#include "imaging/exif.h"

namespace alcove::imaging {

namespace {

class PngReader {
 public:
  explicit PngReader(Bytes bytes) : rest_(bytes) {}
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  // False: see error(). Afterwards width(), height() and has_alpha() are known.
  bool read_header() {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, [](png_structp, png_const_charp) {});
    if (!png_ || !(info_ = png_create_info_struct(png_))) {
      std::strcpy(message_, "out of memory");
      return false;
    }
    if (setjmp(escape_)) return false;
    png_set_read_fn(png_, this, on_read);
    // Our own limits, with their own sentence, are asked right after the header.
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    // Colour profiles and texts only cost time, and are compressed by whoever sent them.
    static constexpr char kSkipped[] = "iCCP\0iTXt\0tEXt\0zTXt\0sPLT\0hIST\0pCAL\0sCAL";
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, reinterpret_cast<png_const_bytep>(kSkipped), 8);
    png_read_info(png_, info_);
    return true;
  }

  // Every row as R, G, B or R, G, B, A, 8 bits each. `rows` has height() entries.
  bool read_rows(png_bytepp rows) {
    if (setjmp(escape_)) return false;
    png_set_expand(png_);  // palette, fewer than 8 bits, and tRNS
    png_set_strip_16(png_);
    png_set_gray_to_rgb(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    png_read_image(png_, rows);
    png_read_end(png_, info_);
    return true;
  }

  std::uint64_t width() const { return png_get_image_width(png_, info_); }
  std::uint64_t height() const { return png_get_image_height(png_, info_); }
  bool has_alpha() const {
    return (png_get_color_type(png_, info_) & PNG_COLOR_MASK_ALPHA) ||
           png_get_valid(png_, info_, PNG_INFO_tRNS);
  }
  int orientation() const {
    png_bytep exif = nullptr;
    png_uint_32 size = 0;
    return png_get_eXIf_1(png_, info_, &size, &exif) ? exif_orientation({exif, size}) : 1;
  }
  std::unexpected<Error> error() const {
    return cut_ ? truncated(Format::Png) : damaged(Format::Png, message_);
  }

 private:
  static void on_error(png_structp png, png_const_charp message) {
    auto& self = *static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(self.message_, message, sizeof self.message_ - 1);
    std::longjmp(self.escape_, 1);
  }
  static void on_read(png_structp png, png_bytep out, std::size_t count) {
    auto& self = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > self.rest_.size()) {
      self.cut_ = true;
      png_error(png, "the file ends");
    }
    std::memcpy(out, self.rest_.data(), count);
    self.rest_ = self.rest_.subspan(count);
  }

  Bytes rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf escape_{};
  char message_[96] = {};
  bool cut_ = false;
};

}  // namespace

Result<Page> decode_png(Bytes bytes, const DecodeOptions& options) {
  TRY(check_page(Format::Png, options.page, 1, options.limits));
  PngReader png(bytes);
  if (!png.read_header()) return png.error();
  TRY(check_size(Format::Png, png.width(), png.height(), options.limits));

  Image image = make_image(static_cast<int>(png.width()), static_cast<int>(png.height()), 3);
  const std::size_t pixels = static_cast<std::size_t>(image.width) * image.height;
  std::vector<std::uint8_t> with_alpha(png.has_alpha() ? pixels * 4 : 0);
  std::vector<png_bytep> rows(image.height);
  for (int y = 0; y < image.height; ++y)
    rows[y] =
        with_alpha.empty() ? image.row(y) : with_alpha.data() + static_cast<std::size_t>(y) * image.width * 4;
  if (!png.read_rows(rows.data())) return png.error();
  if (!with_alpha.empty()) lay_on_white(with_alpha.data(), pixels, image.pixels.data());
  return Page{upright(std::move(image), png.orientation())};
}

}  // namespace alcove::imaging
