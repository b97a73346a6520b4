// Any bytes as many sheets in one request: a first line for the content type, then a form or a ZIP archive.

#include <cstdlib>

#include "api/batch_upload.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove::api;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.substr(0, text.find('\n'));
  const BatchLimits limits{.files = 20, .file_bytes = 100'000, .inflated_bytes = 1'000'000};
  const auto request = std::make_shared<const Request>(
      Request{.headers = {{"content-type", std::string(line)}},
              .body = std::string(text.substr(std::min(size, line.size() + 1)))});
  const auto upload = BatchUpload::of(request, limits);
  if (!upload) {
    if (upload.error().message.empty()) std::abort();
    return 0;
  }
  if ((*upload)->size() == 0 || (*upload)->size() > limits.files) std::abort();
  if ((*upload)->digest().size() != 64) std::abort();
  for (std::size_t index = 0; index < (*upload)->size(); ++index)
    if (const auto file = (*upload)->file(index)) (void)file->file().size();
  return 0;
}
