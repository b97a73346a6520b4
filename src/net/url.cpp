#include "net/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <charconv>
#include <memory>

namespace alcove::net {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

std::string part(const Url& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

std::unexpected<Error> no_address(std::string_view url) {
  return fail(ErrorKind::BadInput, fmt::format("{:?} is not an http or https address", shown(url)),
              "bad_address");
}

}  // namespace

Result<Origin> origin_of(const std::string& url) {
  const Url parsed(curl_url());
  // A blank or a line break in an address is a slip of whoever wrote it, or an attempt to add a header.
  if (url.find_first_of(" \r\n\t") != std::string::npos ||
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return no_address(url);
  Origin origin{part(parsed, CURLUPART_SCHEME), part(parsed, CURLUPART_HOST), 0};
  if ((origin.scheme != "http" && origin.scheme != "https") || origin.host.empty()) return no_address(url);
  if (!part(parsed, CURLUPART_USER).empty() || !part(parsed, CURLUPART_PASSWORD).empty())
    return fail(ErrorKind::BadInput,
                fmt::format("{} has a user name in it; give a token instead", shown(url)), "bad_address");
  const auto port = part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), origin.port);
  return origin;
}

Result<std::string> resolve(const std::string& base, const std::string& location) {
  const Url parsed(curl_url());
  if (curl_url_set(parsed.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK ||
      curl_url_set(parsed.get(), CURLUPART_URL, location.c_str(), CURLU_URLENCODE) != CURLUE_OK)
    return no_address(location);
  return part(parsed, CURLUPART_URL);
}

std::string percent_encoded(std::string_view text, bool keep_slashes) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (keep_slashes && c == '/');
    if (plain)
      out += c;
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string shown(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const auto rest = url.substr(scheme + 3);
  const auto at = rest.substr(0, rest.find('/')).rfind('@');
  return std::string(url.substr(0, scheme + 3)) +
         std::string(at == std::string_view::npos ? rest : rest.substr(at + 1));
}

bool is_loopback(const Origin& origin) {
  return origin.host == "localhost" || origin.host.ends_with(".localhost") || origin.host == "[::1]" ||
         origin.host.starts_with("127.");
}

}  // namespace alcove::net
