// JPEG, by libjpeg-turbo. It reports errors by longjmp; that stays inside Decompressor, whose jumping
// functions hold nothing that would need destroying.

#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h needs it

#include <jerror.h>
#include <jpeglib.h>

#include "imaging/codecs.h"
#include "imaging/exif.h"

namespace alcove::imaging {

namespace {

// Honest progressive files have about ten; a hostile one can have a scan of a whole page in every few bytes.
constexpr int kMostScans = 200;
constexpr std::string_view kExifMark{"Exif\0\0", 6};

class Decompressor {
 public:
  explicit Decompressor(Bytes bytes) {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) { std::longjmp(of(info).escape_, 1); };
    errors_.emit_message = [](j_common_ptr, int) {};
    progress_.progress_monitor = [](j_common_ptr info) {
      auto& self = of(info);
      if (self.info_.input_scan_number > kMostScans) std::longjmp(self.escape_, 1);
    };
    source_.init_source = [](j_decompress_ptr) {};
    source_.term_source = [](j_decompress_ptr) {};
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.skip_input_data = [](j_decompress_ptr info, long count) {
      if (count <= 0) return;
      if (static_cast<std::size_t>(count) > info->src->bytes_in_buffer) info->src->fill_input_buffer(info);
      info->src->next_input_byte += count;
      info->src->bytes_in_buffer -= static_cast<std::size_t>(count);
    };
    // All bytes were given at the start: asking for more means that the file was cut. Pillow refuses such
    // files too.
    source_.fill_input_buffer = [](j_decompress_ptr info) -> boolean {
      auto& self = of(reinterpret_cast<j_common_ptr>(info));
      self.cut_ = true;
      std::longjmp(self.escape_, 1);
    };
    source_.next_input_byte = bytes.data();
    source_.bytes_in_buffer = bytes.size();
  }
  ~Decompressor() { jpeg_destroy_decompress(&info_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // False: see error().
  bool read_header() {
    if (setjmp(escape_)) return false;
    jpeg_create_decompress(&info_);
    info_.src = &source_;
    info_.progress = &progress_;
    jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&info_, TRUE);
    // CMYK and YCCK stay CMYK, grey stays grey; the rest the library turns into RGB.
    if (info_.num_components == 1)
      info_.out_color_space = JCS_GRAYSCALE;
    else if (info_.num_components == 4)
      info_.out_color_space = JCS_CMYK;
    else
      info_.out_color_space = JCS_RGB;
    return true;
  }

  // Row y of `channels()` bytes a pixel goes to `place(y)`; then `use(y)` is called. Neither may throw.
  template <class Place, class Use>
  bool read_rows(const Place& place, const Use& use) {
    if (setjmp(escape_)) return false;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      const int y = static_cast<int>(info_.output_scanline);
      JSAMPROW rows[] = {place(y)};
      jpeg_read_scanlines(&info_, rows, 1);
      use(y);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  std::uint64_t width() const { return info_.image_width; }
  std::uint64_t height() const { return info_.image_height; }
  int channels() const { return info_.num_components == 1 ? 1 : info_.num_components == 4 ? 4 : 3; }

  // To be asked before the rows are read, which drops the markers.
  int orientation() const {
    for (auto marker = info_.marker_list; marker; marker = marker->next) {
      const Bytes data{marker->data, marker->data_length};
      if (as_text(data).starts_with(kExifMark)) return exif_orientation(data.subspan(kExifMark.size()));
    }
    return 1;
  }

  std::unexpected<Error> error() {
    if (cut_) return truncated(Format::Jpeg);
    if (info_.input_scan_number > kMostScans) return damaged(Format::Jpeg, "too many scans");
    switch (errors_.msg_code) {
      case JERR_BAD_PRECISION:
      case JERR_SOF_UNSUPPORTED:
      case JERR_CONVERSION_NOTIMPL:
        return unsupported(Format::Jpeg, "is of a rare kind", "save it as an ordinary 8-bit JPEG or as PNG");
      default: break;
    }
    char text[JMSG_LENGTH_MAX];
    errors_.format_message(reinterpret_cast<j_common_ptr>(&info_), text);
    return damaged(Format::Jpeg, text);
  }

 private:
  static Decompressor& of(j_common_ptr info) { return *static_cast<Decompressor*>(info->client_data); }

  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  jpeg_source_mgr source_{};
  std::jmp_buf escape_{};
  bool cut_ = false;
};

void grey_to_rgb(const std::uint8_t* grey, int width, std::uint8_t* rgb) {
  for (int x = 0; x < width; ++x) rgb[3 * x] = rgb[3 * x + 1] = rgb[3 * x + 2] = grey[x];
}

// CMYK is stored inverted, as Adobe does it and Pillow takes for granted: 255 is no ink.
void cmyk_to_rgb(const std::uint8_t* cmyk, int width, std::uint8_t* rgb) {
  for (int x = 0; x < width; ++x) {
    const int light = cmyk[4 * x + 3];
    for (int c = 0; c < 3; ++c)
      rgb[3 * x + c] = static_cast<std::uint8_t>(light - times(255 - cmyk[4 * x + c], light));
  }
}

}  // namespace

Result<Page> decode_jpeg(Bytes bytes, const DecodeOptions& options) {
  TRY(check_page(Format::Jpeg, options.page, 1, options.limits));
  Decompressor jpeg(bytes);
  if (!jpeg.read_header()) return jpeg.error();
  TRY(check_size(Format::Jpeg, jpeg.width(), jpeg.height(), options.limits));

  const int orientation = jpeg.orientation();
  Image image = unwritten_image(static_cast<int>(jpeg.width()), static_cast<int>(jpeg.height()), 3);
  const int channels = jpeg.channels();
  std::vector<std::uint8_t> row(static_cast<std::size_t>(image.width) * 4);  // of what is not RGB
  const auto place = [&](int y) { return channels == 3 ? image.row(y) : row.data(); };
  const auto use = [&](int y) {
    if (channels == 1) grey_to_rgb(row.data(), image.width, image.row(y));
    if (channels == 4) cmyk_to_rgb(row.data(), image.width, image.row(y));
  };
  if (!jpeg.read_rows(place, use)) return jpeg.error();
  return Page{upright(std::move(image), orientation)};
}

}  // namespace alcove::imaging
