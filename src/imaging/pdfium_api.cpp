#include "imaging/pdfium_api.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
// The leak checker finds the thread-local memory of libraries opened later by a table of its own, and what
// that says of PDFium's is not there any more.
extern "C" const char* __asan_default_options() { return "intercept_tls_get_addr=0"; }
#endif

namespace alcove::imaging {

namespace {

std::vector<std::string> places() {
  if (const char* named = std::getenv("ALCOVE_PDFIUM"); named && *named) return {named};
  std::error_code error;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  return {folder / "libpdfium.so", folder / "../lib/libpdfium.so"};
}

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

std::optional<PdfiumApi> find_all(void* library) {
  PdfiumApi api{};
  const bool complete =
      find(library, "FPDF_InitLibraryWithConfig", api.FPDF_InitLibraryWithConfig) &&
      find(library, "FPDF_LoadMemDocument64", api.FPDF_LoadMemDocument64) &&
      find(library, "FPDF_GetLastError", api.FPDF_GetLastError) &&
      find(library, "FPDF_GetPageCount", api.FPDF_GetPageCount) &&
      find(library, "FPDF_LoadPage", api.FPDF_LoadPage) &&
      find(library, "FPDF_GetPageWidthF", api.FPDF_GetPageWidthF) &&
      find(library, "FPDF_GetPageHeightF", api.FPDF_GetPageHeightF) &&
      find(library, "FPDFBitmap_CreateEx", api.FPDFBitmap_CreateEx) &&
      find(library, "FPDF_RenderPageBitmap", api.FPDF_RenderPageBitmap) &&
      find(library, "FPDFDOC_InitFormFillEnvironment", api.FPDFDOC_InitFormFillEnvironment) &&
      find(library, "FPDF_FFLDraw", api.FPDF_FFLDraw) &&
      find(library, "FPDFDOC_ExitFormFillEnvironment", api.FPDFDOC_ExitFormFillEnvironment) &&
      find(library, "FPDFBitmap_Destroy", api.FPDFBitmap_Destroy) &&
      find(library, "FPDF_CreateNewDocument", api.FPDF_CreateNewDocument) &&
      find(library, "FPDF_ImportPagesByIndex", api.FPDF_ImportPagesByIndex) &&
      find(library, "FPDF_SaveAsCopy", api.FPDF_SaveAsCopy) &&
      find(library, "FPDF_ClosePage", api.FPDF_ClosePage) &&
      find(library, "FPDF_CloseDocument", api.FPDF_CloseDocument);
  return complete ? std::optional(api) : std::nullopt;
}

}  // namespace

Result<const PdfiumApi*> pdfium() {
  // Never closed: the library keeps state until the process ends.
  static std::optional<PdfiumApi> api;
  if (api) return &*api;
  std::string tried;
  for (const std::string& place : places()) {
    if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      api = find_all(library);
      if (api) {
        // No folders of fonts: text in fonts that the file lacks comes from those built into the library, so
        // that a page looks the same on every machine, and in a worker, which may open nothing.
        const char* no_folders[] = {nullptr};
        const PdfConfig config{.font_folders = no_folders};
        api->FPDF_InitLibraryWithConfig(&config);
        return &*api;
      }
    }
    tried += (tried.empty() ? "" : ", ") + place;
  }
  return fail(
      ErrorKind::Unavailable,
      fmt::format(
          "PDFs cannot be read here: PDFium was not found ({}); put libpdfium.so beside the program or "
          "name it in ALCOVE_PDFIUM, or send the page as JPEG or PNG",
          tried),
      "no_pdf_library");
}

}  // namespace alcove::imaging
