#include "hub/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

#include "net/url.h"

namespace alcove::hub {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultEndpoint = "https://huggingface.co";
constexpr std::size_t kMostTokenBytes = 4096;

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// `~` and `$NAME` at the beginning, which people write into these variables.
fs::path expanded(const std::string& path, const Environment& environment) {
  if (path == "~" || path.starts_with("~/"))
    return fs::path(environment("HOME").value_or("/")) / path.substr(std::min<std::size_t>(path.size(), 2));
  if (path.starts_with('$')) {
    const auto end = path.find('/');
    const auto name = path.substr(1, end == std::string::npos ? end : end - 1);
    if (const auto value = environment(name.c_str()))
      return fs::path(*value + (end == std::string::npos ? "" : path.substr(end)));
  }
  return path;
}

std::optional<std::string> first_of(const Environment& environment,
                                    std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto value = environment(name); value && !value->empty()) return value;
  return std::nullopt;
}

fs::path home_of(const Environment& environment) {
  if (const auto home = first_of(environment, {"HF_HOME"})) return expanded(*home, environment);
  if (const auto cache = first_of(environment, {"XDG_CACHE_HOME"}))
    return expanded(*cache, environment) / "huggingface";
  return expanded("~/.cache/huggingface", environment);
}

}  // namespace

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (!value) return std::nullopt;
    return value;
  };
}

bool is_switched_on(const std::optional<std::string>& value) {
  if (!value) return false;
  std::string upper = *value;
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper == "1" || upper == "ON" || upper == "YES" || upper == "TRUE";
}

Result<std::string> clean_token(std::string_view text, const std::string& source) {
  auto token = trimmed(text);
  if (token.empty()) return token;
  const auto outside = [](char c) { return c <= ' ' || c == 0x7f || static_cast<unsigned char>(c) > 0x7f; };
  if (std::ranges::any_of(token, outside))
    return fail(
        ErrorKind::BadInput,
        fmt::format("the token of {} has a blank, a line break or another character in it that no token "
                    "has; copy it once more",
                    source),
        "bad_token");
  if (!token.starts_with("hf_") || token.size() > kMostTokenBytes)
    return fail(ErrorKind::BadInput,
                fmt::format("the token of {} is none of Hugging Face's, which begin with hf_; copy it from "
                            "https://huggingface.co/settings/tokens",
                            source),
                "bad_token");
  return token;
}

Result<FoundToken> discover_token(const Environment& environment, const fs::path& token_file) {
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    const auto value = environment(name);
    if (!value || value->empty()) continue;
    auto token = TRY(clean_token(*value, name));
    if (!token.empty()) return FoundToken{std::move(token), name};
    break;  // a blank one hides the older variable, as it does in the Python client
  }
  std::ifstream in(token_file);
  std::string text(kMostTokenBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  auto token = TRY(clean_token(text, token_file.string()));
  if (token.empty()) return FoundToken{};
  return FoundToken{std::move(token), token_file.string()};
}

Result<Settings> read_settings(const Environment& environment) {
  Settings settings;
  settings.endpoint = first_of(environment, {"HF_ENDPOINT"}).value_or(kDefaultEndpoint);
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (const auto origin = net::origin_of(settings.endpoint); !origin)
    return fail_in("HF_ENDPOINT", origin.error());
  settings.home = home_of(environment);
  const auto cache = first_of(environment, {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"});
  settings.cache = cache ? expanded(*cache, environment) : settings.home / "hub";
  const auto file = first_of(environment, {"HF_TOKEN_PATH"});
  if (!is_switched_on(environment("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) {
    auto found =
        TRY(discover_token(environment, file ? expanded(*file, environment) : settings.home / "token"));
    settings.token = std::move(found.value);
    settings.token_source = std::move(found.source);
  }
  settings.offline =
      is_switched_on(environment("HF_HUB_OFFLINE")) || is_switched_on(environment("TRANSFORMERS_OFFLINE"));
  return settings;
}

}  // namespace alcove::hub
