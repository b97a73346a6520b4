#include "api/sheet_page.h"

#include "imaging/encode_jpeg.h"
#include "imaging/straighten.h"

namespace alcove::api {
namespace {

constexpr int kPreviewSide = 1600;
constexpr int kPreviewQuality = 80;

Result<PageReading> read_page(sheets::SheetReader& reader, imaging::Decoder& decoder, Bytes file,
                              const PageOptions& options, sheets::SheetOptions sheet) {
  sheet.password = options.password;
  PageReading page;
  page.reading = TRY(sheets::read_sheet(reader, decoder, file, sheet));
  if (!options.preview) return page;
  // Decoded a second time: previews are rare, and readings need not carry their page.
  const auto seen = TRY(sheets::page_of(decoder, file, page.reading, sheet));
  page.preview = TRY(imaging::encode_jpeg(imaging::shrunk_to(seen, kPreviewSide), kPreviewQuality));
  return page;
}

}  // namespace

ReadPage read_page_with(std::shared_ptr<imaging::Decoder> decoder, sheets::SheetOptions defaults) {
  return [decoder = std::move(decoder), defaults = std::move(defaults)](
             sheets::SheetReader& reader, Bytes file, const PageOptions& options) {
    return read_page(reader, *decoder, file, options, defaults);
  };
}

}  // namespace alcove::api
