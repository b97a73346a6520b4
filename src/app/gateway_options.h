#pragma once
// What every command of the gateway asks for: its data folder, its database, its secrets.

#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace alcove::app {

// Empty when it is not set.
std::string environment(const char* name);
inline std::string database_address() { return environment("DATABASE_URL"); }

// --data and ALCOVE_DATA; `folder` holds the default and has to outlive the parser.
CLI::Option* add_data_option(CLI::App& command, std::string& folder);

}  // namespace alcove::app
