#pragma once
// What `alcove --version` says: number, commit, compiler, the libraries it was built with, what lies beside
// it.

#include <string>

namespace alcove::app {

std::string version_text();

}  // namespace alcove::app
