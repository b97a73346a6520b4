#include "net/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

namespace alcove::net {
namespace {

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeForm {
  void operator()(curl_mime* form) const { curl_mime_free(form); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;
using Form = std::unique_ptr<curl_mime, FreeForm>;

struct Body {
  std::string text;
  std::size_t limit = 0;
  bool too_large = false;
};

// libcurl's write callback; taking fewer bytes than given ends the transfer.
std::size_t append(char* data, std::size_t size, std::size_t count, void* to) {
  auto& body = *static_cast<Body*>(to);
  body.too_large = body.text.size() + size * count > body.limit;
  if (body.too_large) return 0;
  body.text.append(data, size * count);
  return size * count;
}

Handle new_handle() {
  static const CURLcode started =
      curl_global_init(CURL_GLOBAL_DEFAULT);  // once, before any thread uses a handle
  return Handle(started == CURLE_OK ? curl_easy_init() : nullptr);
}

Result<Response> perform(const Handle& handle, const std::string& url, const Limits& limits) {
  Body body{.limit = limits.body};
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()));
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(limits.total.count()));
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);  // its time-outs must not use this process's signals
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &append);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &body);
  const auto code = curl_easy_perform(handle.get());
  if (body.too_large)
    return fail(ErrorKind::TooLarge,
                fmt::format("the reply of {} is larger than {} bytes", url, limits.body));
  if (code != CURLE_OK)
    return fail(ErrorKind::Unavailable, fmt::format("{} did not answer: {}", url, curl_easy_strerror(code)),
                code == CURLE_COULDNT_CONNECT ? "not_connected" : "");
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  return Response{static_cast<int>(status), std::move(body.text)};
}

}  // namespace

Result<Response> get(const std::string& url, const Limits& limits) {
  const auto handle = new_handle();
  if (!handle) return fail(ErrorKind::Internal, "the HTTP client could not start");
  return perform(handle, url, limits);
}

Result<Response> post_form(const std::string& url, const std::vector<FormFile>& files, const Limits& limits) {
  const auto handle = new_handle();
  if (!handle) return fail(ErrorKind::Internal, "the HTTP client could not start");
  const Form form(curl_mime_init(handle.get()));
  for (const auto& file : files) {
    curl_mimepart* part = curl_mime_addpart(form.get());
    curl_mime_name(part, file.field.c_str());
    curl_mime_filename(part, file.file_name.c_str());
    curl_mime_data(part, as_text(file.content).data(), file.content.size());
  }
  curl_easy_setopt(handle.get(), CURLOPT_MIMEPOST, form.get());
  return perform(handle, url, limits);
}

}  // namespace alcove::net
