#include "api/sheet_page.h"

#include <algorithm>

#include "imaging/encode_jpeg.h"
#include "sheets/pipeline.h"

namespace alcove::api {
namespace {

constexpr int kPreviewSide = 1600;
constexpr int kPreviewQuality = 80;

Result<std::string> preview_of(const imaging::Image& page) {
  const double scale = std::min(1.0, static_cast<double>(kPreviewSide) / std::max(page.width, page.height));
  const auto shrunk = [&](int side) { return std::max(1, static_cast<int>(side * scale)); };
  return imaging::encode_jpeg(imaging::resize_linear(page, shrunk(page.width), shrunk(page.height)),
                              kPreviewQuality);
}

}  // namespace

Result<PageReading> read_page(sheets::SheetReader& reader, Bytes file, const PageOptions& options) {
  const imaging::DecodeOptions decode{.limits = {}, .password = options.password};
  PageReading page;
  page.reading = TRY(sheets::read_sheet(reader, file, decode));
  if (!options.preview) return page;
  // Decoded a second time: previews are rare, and readings need not carry their page.
  const auto decoded = TRY(imaging::decode_page(file, decode));
  page.preview = TRY(preview_of(decoded.image));
  return page;
}

}  // namespace alcove::api
