#include "hub/readme.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "hub/fields.h"

namespace alcove::hub {

std::optional<std::string> front_matter(const std::string& readme, std::string_view key) {
  std::istringstream lines(readme);
  std::string line;
  if (!std::getline(lines, line) || !line.starts_with("---")) return std::nullopt;
  while (std::getline(lines, line) && !line.starts_with("---")) {
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ':') continue;
    auto value = line.substr(key.size() + 1);
    value.erase(0, value.find_first_not_of(" \"'"));
    value.erase(value.find_last_not_of(" \"'\r") + 1);
    return value;
  }
  return std::nullopt;
}

Result<void> check_readme(const Session& session, const Repo& repo, const std::vector<LocalFile>& files,
                          const std::function<void(const std::string& warning)>& tell) {
  const auto readme = std::ranges::find(files, "README.md", &LocalFile::path);
  if (readme == files.end()) return {};
  std::ifstream in(readme->file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  auto request = session.request("POST", "/api/validate-yaml");
  request.headers.push_back({"Content-Type", "application/json"});
  request.repeatable = true;
  request.body = to_text({{"content", text.str()}, {"repoType", word_of(repo.kind)}});
  // A Hub that does not do this, or not now, is no reason not to push: the push itself is judged too.
  const auto reply = net::send_patiently(session.client(), request, {.tries = 1});
  const auto json = reply ? parse_json(reply->body) : std::unexpected(reply.error());
  if (!json) return {};
  if (reply->status == 400)
    for (const auto& error : member(*json, "errors"))
      return fail(
          ErrorKind::BadInput,
          fmt::format("the Hub does not take {}: {}", readme->file.string(), text_or(error, "message")),
          "bad_readme");
  for (const auto& warning : member(*json, "warnings")) tell(text_or(warning, "message"));
  return {};
}

}  // namespace alcove::hub
