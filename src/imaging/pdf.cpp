// PDF pages, rendered or cut out by PDFium.

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <numeric>
#include <vector>

#include "imaging/codecs.h"
#include "imaging/pdfium_api.h"

namespace alcove::imaging {

namespace {

constexpr double kPointsPerInch = 72;
constexpr std::size_t kTailBytes = 1024;  // where a PDF has to say that it is complete

std::unexpected<Error> open_error(unsigned long reason, bool tried_password) {
  if (reason == kPdfErrorPassword)
    return fail(ErrorKind::Unreadable,
                tried_password
                    ? "the password does not open this PDF; send the right one in the field `password`"
                    : "this PDF is locked; send its password in the field `password`",
                "pdf_encrypted");
  if (reason == kPdfErrorSecurity)
    return fail(ErrorKind::Unreadable,
                "this PDF is locked in a way we cannot open; save a copy without protection",
                "pdf_encrypted");
  return damaged(Format::Pdf, "PDFium cannot open it");
}

// PDFium mends what was cut off and shows blank pages; better to say that half the file is missing.
bool is_complete(Bytes bytes) {
  const auto tail = as_text(bytes.last(std::min(bytes.size(), kTailBytes)));
  return tail.find("%%EOF") != std::string_view::npos;
}

// Pixels of a length in points. A hair under a whole number more is a rounding error, not another pixel.
double to_pixels(float points, double dpi) { return std::ceil(points * dpi / kPointsPerInch - 1e-3); }

Result<Image> render(const PdfiumApi& api, PdfForm* form, PdfPage* page, const DecodeOptions& options) {
  const double width = to_pixels(api.FPDF_GetPageWidthF(page), options.dpi);
  const double height = to_pixels(api.FPDF_GetPageHeightF(page), options.dpi);
  // Compared as numbers with fractions first: what is not finite has no integer.
  if (!(width >= 1) || !(height >= 1)) return damaged(Format::Pdf, "its page has no size");
  constexpr double kBeyondAnyLimit = 1e9;
  TRY(check_size(Format::Pdf, static_cast<std::uint64_t>(std::min(width, kBeyondAnyLimit)),
                 static_cast<std::uint64_t>(std::min(height, kBeyondAnyLimit)), options.limits));

  Image image = make_image(static_cast<int>(width), static_cast<int>(height), 3, 255);
  const std::unique_ptr<PdfBitmap, void (*)(PdfBitmap*)> bitmap(
      api.FPDFBitmap_CreateEx(image.width, image.height, kPdfBitmapBgr, image.pixels.data(),
                              static_cast<int>(image.row_bytes())),
      api.FPDFBitmap_Destroy);
  if (!bitmap) return fail(ErrorKind::Internal, "PDFium could not prepare a page");
  constexpr int kFlags = kPdfDrawAnnotations | kPdfRedFirst;
  api.FPDF_RenderPageBitmap(bitmap.get(), page, 0, 0, image.width, image.height, 0, kFlags);
  if (form) api.FPDF_FFLDraw(form, bitmap.get(), page, 0, 0, image.width, image.height, 0, kFlags);
  return image;
}

// A page of text in fonts that are not in the file.
constexpr std::string_view kWarmingPdf =
    "%PDF-1.4\n"
    "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<<"
    "/A<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>/B<</Type/Font/Subtype/TrueType/BaseFont/"
    "Unknown>>>>>>>>endobj\n"
    "4 0 obj<</Length 47>>stream\n"
    "BT /A 9 Tf 9 9 Td (alcove) Tj /B 9 Tf (1) Tj ET\n"
    "endstream endobj\n"
    "trailer<</Root 1 0 R>>\n%%EOF\n";

// PDFium keeps its state in globals, its last error among them.
std::mutex one_at_a_time;

using Document = std::unique_ptr<PdfDocument, void (*)(PdfDocument*)>;

Result<Document> open(const PdfiumApi& api, Bytes bytes, const std::string& password) {
  if (!is_complete(bytes)) return truncated(Format::Pdf);
  const char* key = password.empty() ? nullptr : password.c_str();
  Document document(api.FPDF_LoadMemDocument64(bytes.data(), bytes.size(), key), api.FPDF_CloseDocument);
  if (!document) return open_error(api.FPDF_GetLastError(), key != nullptr);
  return document;
}

Result<int> count_pages(const PdfiumApi& api, PdfDocument* document) {
  const int pages = api.FPDF_GetPageCount(document);
  if (pages <= 0) return damaged(Format::Pdf, "it has no pages");
  return pages;
}

// Where a document is saved to.
struct Kept : PdfWriter {
  std::string bytes;
};

int keep(PdfWriter* writer, const void* bytes, unsigned long size) {
  static_cast<Kept*>(writer)->bytes.append(static_cast<const char*>(bytes), size);
  return 1;
}

}  // namespace

void warm_up_pdf() { [[maybe_unused]] const auto page = decode_pdf(as_bytes(kWarmingPdf), {}); }

Result<Page> decode_pdf(Bytes bytes, const DecodeOptions& options) {
  const std::scoped_lock lock(one_at_a_time);
  const PdfiumApi& api = *TRY(pdfium());
  const auto document = TRY(open(api, bytes, options.password));
  const int pages = TRY(count_pages(api, document.get()));
  TRY(check_page(Format::Pdf, options.page, pages, options.limits));
  PdfFormFill nobody;
  const std::unique_ptr<PdfForm, void (*)(PdfForm*)> form(
      api.FPDFDOC_InitFormFillEnvironment(document.get(), &nobody), api.FPDFDOC_ExitFormFillEnvironment);
  const std::unique_ptr<PdfPage, void (*)(PdfPage*)> page(api.FPDF_LoadPage(document.get(), options.page),
                                                          api.FPDF_ClosePage);
  if (!page) return damaged(Format::Pdf, "its page cannot be opened");
  return Page{TRY(render(api, form.get(), page.get(), options)), pages};
}

Result<Cut> cut_pdf(Bytes bytes, const CutOptions& options) {
  const std::scoped_lock lock(one_at_a_time);
  const PdfiumApi& api = *TRY(pdfium());
  const auto document = TRY(open(api, bytes, options.password));
  const int pages = TRY(count_pages(api, document.get()));
  TRY(check_page(Format::Pdf, options.first, pages, {.pages = options.most_pages}));
  std::vector<int> wanted(std::max(1, std::min(options.last, pages - 1) - options.first + 1));
  std::iota(wanted.begin(), wanted.end(), options.first);
  const Document part(api.FPDF_CreateNewDocument(), api.FPDF_CloseDocument);
  Kept kept;
  kept.write = keep;
  if (!part || !api.FPDF_ImportPagesByIndex(part.get(), document.get(), wanted.data(), wanted.size(), 0) ||
      !api.FPDF_SaveAsCopy(part.get(), &kept, 0))
    return damaged(Format::Pdf, "its pages cannot be taken out");
  return Cut{std::move(kept.bytes), pages};
}

}  // namespace alcove::imaging
