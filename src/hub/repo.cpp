#include "hub/repo.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace alcove::hub {
namespace {

constexpr std::size_t kMostNameBytes = 96;
constexpr std::size_t kMostPathBytes = 1024;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

const char* broken_rule(std::string_view part) {
  if (part.empty()) return "a part of it is empty";
  if (part.size() > kMostNameBytes) return "a part of it is longer than 96 characters";
  if (!std::ranges::all_of(part, [](char c) { return is_word(c) || c == '-' || c == '.'; }))
    return "only letters, digits and - _ . are allowed";
  if (!is_word(part.front()) || !is_word(part.back()))
    return "each part begins and ends with a letter or a digit";
  if (part.find("--") != std::string_view::npos || part.find("..") != std::string_view::npos)
    return "it has -- or .. in it";
  if (part.ends_with(".git")) return "it ends in .git";
  return nullptr;
}

const char* plural_of(RepoKind kind) {
  switch (kind) {
    case RepoKind::Model: return "models";
    case RepoKind::Dataset: return "datasets";
    case RepoKind::Space: return "spaces";
  }
  return "";
}

}  // namespace

const char* word_of(RepoKind kind) {
  switch (kind) {
    case RepoKind::Model: return "model";
    case RepoKind::Dataset: return "dataset";
    case RepoKind::Space: return "space";
  }
  return "";
}

std::string Repo::owner() const {
  const auto slash = id.find('/');
  return slash == std::string::npos ? std::string() : id.substr(0, slash);
}
std::string Repo::name() const { return id.substr(id.find('/') + 1); }
std::string Repo::api_path() const { return fmt::format("/api/{}/{}", plural_of(kind), id); }
std::string Repo::page_path() const {
  return kind == RepoKind::Model ? "/" + id : fmt::format("/{}/{}", plural_of(kind), id);
}
std::string Repo::cache_folder() const {
  auto folder = fmt::format("{}--{}", plural_of(kind), id);
  if (const auto slash = folder.find('/'); slash != std::string::npos) folder.replace(slash, 1, "--");
  return folder;
}

Result<Repo> parse_repo(std::string_view text, RepoKind kind) {
  const auto bad = [&](const char* why) {
    return fail(ErrorKind::BadInput,
                fmt::format("{:?} cannot be the name of a {}: {}", text.substr(0, 200), word_of(kind), why));
  };
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    if (kind == RepoKind::Space) return bad("it is written OWNER/NAME");
    if (const char* why = broken_rule(text)) return bad(why);
    return Repo{kind, std::string(text)};
  }
  for (const auto part : {text.substr(0, slash), text.substr(slash + 1)})
    if (const char* why = broken_rule(part)) return bad(why);
  return Repo{kind, std::string(text)};
}

Result<void> check_path(std::string_view path) {
  const auto bad = [&](const char* why) {
    return fail(ErrorKind::BadInput,
                fmt::format("{:?} is refused as a path in a repository: {}", path.substr(0, 200), why));
  };
  if (path.empty() || path.size() > kMostPathBytes) return bad("it is empty or very long");
  if (path.find('\\') != std::string_view::npos || path.find('\0') != std::string_view::npos)
    return bad("it has a backslash or a zero in it");
  if (path.size() > 1 && path[1] == ':') return bad("it names a drive");
  while (true) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return bad("it would lead out of the repository");
    if (part == ".git") return bad("git's own folder is not part of a repository");
    if (slash == std::string_view::npos) return {};
    path.remove_prefix(slash + 1);
  }
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool is_commit(std::string_view text) { return text.size() == 40 && is_hex(text); }

}  // namespace alcove::hub
