#pragma once
// The page a reading was taken from, as a picture for a browser; and the whole file as a PDF.

#include <memory>
#include <mutex>
#include <string>

#include "base/bytes.h"
#include "base/json.h"

namespace alcove::imaging {
class DecodePool;
}

namespace alcove::api {

// Safe from any thread. Files are opened in children (imaging/decode_pool.h), which start with the first
// page.
class PagePictures {
 public:
  PagePictures();
  ~PagePictures();

  // JPEG, at most 2400 pixels a side, turned and levelled as `reply`, the reader's answer, says. Errors are
  // the decoder's: a PDF whose password was not kept has no picture.
  Result<std::string> picture(Bytes file, const Json& reply);

  // A PDF as it is, a picture as PDF pages (imaging/picture_pdf.h), with the errors of that.
  Result<std::string> pdf(Bytes file);

 private:
  imaging::DecodePool& pool();

  std::mutex mutex_;
  std::unique_ptr<imaging::DecodePool> pool_;
};

}  // namespace alcove::api
