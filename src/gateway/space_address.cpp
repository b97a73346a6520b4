#include "gateway/space_address.h"

#include <fmt/format.h>

#include <cctype>

#include "net/url.h"

namespace alcove::gateway {
namespace {

constexpr std::string_view kApps = ".hf.space";
// The name that the set-up guide gives the Space.
constexpr std::string_view kUsualName = "-answer-sheet-ml";

// An app's host joins owner and name with a dash, which either may contain: the guide's name is tried first.
std::string logs_of(const net::Origin& origin, const std::string& url, const std::string& repository) {
  if (!repository.empty()) return fmt::format("https://huggingface.co/spaces/{}#logs", repository);
  if (!origin.host.ends_with(kApps)) return url + "/status";
  const auto name = origin.host.substr(0, origin.host.size() - kApps.size());
  const auto dash = name.ends_with(kUsualName) ? name.size() - kUsualName.size() : name.find('-');
  if (dash == std::string::npos) return url + "/status";
  return fmt::format("https://huggingface.co/spaces/{}/{}#logs", name.substr(0, dash), name.substr(dash + 1));
}

}  // namespace

std::string host_of_space(const std::string& repository) {
  std::string host;
  for (const unsigned char letter : repository) {
    if (std::isalnum(letter)) {
      host.push_back(static_cast<char>(std::tolower(letter)));
    } else if (!host.ends_with('-')) {
      host.push_back('-');
    }
  }
  return host + std::string(kApps);
}

Result<SpaceAddress> parse_space_address(const std::string& text, const std::string& repository) {
  auto url = text;
  while (url.ends_with('/')) url.pop_back();
  const auto origin = net::origin_of(url);
  if (!origin)
    return fail(
        ErrorKind::BadInput,
        fmt::format("HF_SPACE_URL is \"{}\", which is no address: write https://OWNER-NAME.hf.space", text));
  if (origin->host == "huggingface.co" || origin->host == "hf.co" || origin->host == "www.huggingface.co") {
    const auto spaces = url.find("/spaces/");
    auto named = spaces == std::string::npos ? std::string("OWNER/NAME") : url.substr(spaces + 8);
    named.resize(std::min(named.find_first_of("?#"), named.size()));
    const auto slash = named.find('/');
    if (slash != std::string::npos) named.resize(std::min(named.find('/', slash + 1), named.size()));
    return fail(
        ErrorKind::BadInput,
        fmt::format("HF_SPACE_URL is the address of the Space's page, not of its app: set it to https://{}",
                    host_of_space(named)));
  }
  return SpaceAddress{url, logs_of(*origin, url, repository)};
}

}  // namespace alcove::gateway
