#pragma once
// The functions of PDFium that we call, found at run time. The library comes without headers, so this page
// declares them; the names and values are those of its public C interface, which is stable.

#include "base/result.h"

namespace alcove::imaging {

struct PdfDocument;  // FPDF_DOCUMENT
struct PdfPage;      // FPDF_PAGE
struct PdfBitmap;    // FPDF_BITMAP
struct PdfForm;      // FPDF_FORMHANDLE

// FPDF_FORMFILLINFO: what an interactive viewer would answer. All null, which PDFium takes for "nothing".
struct PdfFormFill {
  int version = 2;
  void* callbacks[48] = {};  // more than the interface has
};

struct PdfConfig {  // FPDF_LIBRARY_CONFIG
  int version = 2;
  const char** font_folders = nullptr;  // ends in a null; no list at all means the system's
  void* isolate = nullptr;              // of a script engine, which we have none of
  unsigned embedder_slot = 0;
};

// FPDF_FILEWRITE: where a document that is saved goes, piece by piece. 0 ends the saving.
struct PdfWriter {
  int version = 1;
  int (*write)(PdfWriter*, const void* bytes, unsigned long size) = nullptr;
};

struct PdfiumApi {
  void (*FPDF_InitLibraryWithConfig)(const PdfConfig*);
  PdfDocument* (*FPDF_LoadMemDocument64)(const void* bytes, std::size_t size, const char* password);
  unsigned long (*FPDF_GetLastError)();
  int (*FPDF_GetPageCount)(PdfDocument*);
  PdfPage* (*FPDF_LoadPage)(PdfDocument*, int index);
  float (*FPDF_GetPageWidthF)(PdfPage*);  // points, /Rotate already applied
  float (*FPDF_GetPageHeightF)(PdfPage*);
  PdfBitmap* (*FPDFBitmap_CreateEx)(int width, int height, int format, void* pixels, int stride);
  void (*FPDF_RenderPageBitmap)(PdfBitmap*, PdfPage*, int left, int top, int width, int height, int rotate,
                                int flags);
  // Fields that were filled in; ends before its document is closed.
  PdfForm* (*FPDFDOC_InitFormFillEnvironment)(PdfDocument*, PdfFormFill*);
  void (*FPDF_FFLDraw)(PdfForm*, PdfBitmap*, PdfPage*, int left, int top, int width, int height, int rotate,
                       int flags);
  void (*FPDFDOC_ExitFormFillEnvironment)(PdfForm*);
  void (*FPDFBitmap_Destroy)(PdfBitmap*);
  PdfDocument* (*FPDF_CreateNewDocument)();
  int (*FPDF_ImportPagesByIndex)(PdfDocument* to, PdfDocument* from, const int* pages, unsigned long count,
                                 int at);
  int (*FPDF_SaveAsCopy)(PdfDocument*, PdfWriter*, unsigned long flags);
  void (*FPDF_ClosePage)(PdfPage*);
  void (*FPDF_CloseDocument)(PdfDocument*);
};

constexpr unsigned long kPdfErrorPassword = 4;  // FPDF_ERR_PASSWORD
constexpr unsigned long kPdfErrorSecurity = 5;  // FPDF_ERR_SECURITY: a kind of lock it does not know
constexpr int kPdfBitmapBgr = 2;                // FPDFBitmap_BGR: three bytes a pixel
constexpr int kPdfDrawAnnotations = 0x01;       // FPDF_ANNOT
constexpr int kPdfRedFirst = 0x10;              // FPDF_REVERSE_BYTE_ORDER

// Opens libpdfium.so on the first call: the file ALCOVE_PDFIUM names, else beside the executable, else in
// ../lib of it. Unavailable (code no_pdf_library) when it is not there; a later call tries again. Not safe
// from several threads.
Result<const PdfiumApi*> pdfium();

}  // namespace alcove::imaging
