#include "app/space_target.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/mapped_file.h"
#include "hub/fetch.h"
#include "hub/keyless.h"
#include "net/url.h"

namespace alcove::app {
namespace {

constexpr std::size_t kMostSecretBytes = 64 << 10;

std::string line_from_input() {
  std::string line;
  std::getline(std::cin, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// What is typed meanwhile does not appear on the screen.
std::string unseen_line() {
  termios before{};
  const bool hidden = ::tcgetattr(STDIN_FILENO, &before) == 0;
  auto silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  if (hidden) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  auto line = line_from_input();
  if (hidden) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fputs("\n", stderr);
  }
  return line;
}

}  // namespace

Result<hub::Settings> hub_settings() {
  const auto environment = hub::process_environment();
  return hub::with_keyless_login(TRY(hub::read_settings(environment)), environment);
}

Result<std::unique_ptr<SpaceTarget>> open_space(const std::string& name) {
  auto repo = TRY(hub::parse_repo(name, hub::RepoKind::Space));
  return std::make_unique<SpaceTarget>(TRY(hub_settings()), std::move(repo));
}

net::Request visit(const SpaceTarget& target, const hub::SpaceInfo& info, const std::string& path) {
  net::Request request{.url = info.host + path, .limits = {.total = std::chrono::seconds(20)}};
  const auto& token = target.session.settings().token;
  const auto origin = net::origin_of(info.host);
  const bool safe = origin && (origin->scheme == "https" || net::is_loopback(*origin));
  if (info.is_private && safe && !token.empty())
    request.headers.push_back({"X-HF-Authorization", "Bearer " + token});
  return request;
}

Result<hub::Setting> secret_from_outside(const std::string& key) {
  if (const auto equals = key.find('='); equals != std::string::npos)
    return fail(
        ErrorKind::BadInput,
        fmt::format("a secret's value is not written on the command line, where others can read it: set the "
                    "environment variable {0} and give --secret {0}, or pipe it in",
                    key.substr(0, equals)));
  TRY(hub::check_key(key));
  if (auto value = hub::process_environment()(key.c_str()); value && !value->empty())
    return hub::Setting{key, *std::move(value)};
  if (at_a_terminal()) fmt::print(stderr, "Value of {} (it is not shown): ", key);
  auto value = unseen_line();
  if (value.empty() || value.size() > kMostSecretBytes)
    return fail(
        ErrorKind::BadInput,
        fmt::format("there is no value for {0}: set the environment variable {0}, or pipe it in", key));
  return hub::Setting{key, std::move(value)};
}

Result<hub::Setting> variable_of(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos)
    return fail(ErrorKind::BadInput, fmt::format("{:?} is no variable; it is written KEY=VALUE", text));
  hub::Setting setting{text.substr(0, equals), text.substr(equals + 1)};
  TRY(hub::check_key(setting.key));
  return setting;
}

std::string count_text(std::size_t count, const char* thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

bool at_a_terminal() { return ::isatty(STDIN_FILENO) == 1; }

std::string ask(const std::string& question, const std::string& fallback) {
  if (!at_a_terminal()) return fallback;
  fmt::print(stderr, "{}{}: ", question, fallback.empty() ? "" : fmt::format(" [{}]", fallback));
  auto answer = line_from_input();
  return answer.empty() && std::cin ? fallback : answer;
}

std::string text_in_space(const SpaceTarget& target, const std::string& revision, const std::string& path) {
  const auto file = hub::fetch_file(target.session, target.space.repo(), revision, path);
  if (!file) return {};
  const auto text = MappedFile::open(*file);
  return text ? std::string(as_text(text->bytes())) : std::string();
}

}  // namespace alcove::app
