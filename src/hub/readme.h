#pragma once
// README.md, whose first lines tell the Hub what a repository is.

#include <functional>
#include <optional>

#include "hub/folder.h"
#include "hub/session.h"

namespace alcove::hub {

// A field between the two lines of three dashes at the very start, without quotes: "sdk", "app_port".
std::optional<std::string> front_matter(const std::string& readme, std::string_view key);

// Lets the Hub look at the README.md among the files before anything is sent, where there is one. BadInput
// with its words for one it would refuse; what it only minds is told.
Result<void> check_readme(const Session& session, const Repo& repo, const std::vector<LocalFile>& files,
                          const std::function<void(const std::string& warning)>& tell);

}  // namespace alcove::hub
