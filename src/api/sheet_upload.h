#pragma once
// What a client sends to be read: one file, in any of the spellings clients use.

#include <variant>

#include "api/http.h"
#include "base/bytes.h"

namespace alcove::api {

struct SheetUpload {
  std::variant<Bytes, std::string> content;  // borrowed from the request's body, or decoded from base64
  std::string file_name;                     // as the client calls it; empty when it did not say
  std::string exam_type;                     // echoed
  std::string password;                      // for encrypted PDFs
  bool posteriors = false;  // ?posteriors=1: what the readers said step by step comes back with each box
  bool preview = false;     // ?preview=1: the page as it was read comes back with the reading

  Bytes file() const;
};

// POST /extract: multipart with one file in the field `file`. BadInput says what is missing or too many. The
// request must outlive the upload.
Result<SheetUpload> upload_of_form(const Request& request);

// POST /extract/base64: `image_data`, with or without a data-URL prefix, in the query string, a form field or
// a JSON body; `filename` beside it.
Result<SheetUpload> upload_of_base64(const Request& request);

}  // namespace alcove::api
