// Any bytes as an upload: a first line of headers' worth, then a body, through both spellings of a request.

#include "api/sheet_upload.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove::api;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.substr(0, text.find('\n'));
  Request request{.query = std::string(line.substr(0, line.find(' '))),
                  .headers = {{"content-type", std::string(line)}},
                  .body = std::string(text.substr(std::min(size, line.size() + 1))),
                  .id = {},
                  .declared_length = {},
                  .memory = {}};
  if (const auto upload = upload_of_form(request)) (void)upload->file().size();
  if (const auto upload = upload_of_base64(request)) (void)upload->file().size();
  return 0;
}
