#include "app/gateway_options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace alcove::app {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

CLI::Option* add_data_option(CLI::App& command, std::string& folder) {
  return command.add_option("--data", folder, "folder of records and files")
      ->envname("ALCOVE_DATA")
      ->capture_default_str();
}

}  // namespace alcove::app
