#pragma once
// Where the Hub is, who we are to it, and where its files are kept: from the environment variables its other
// clients use.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"

namespace alcove::hub {

using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment process_environment();

struct Settings {
  std::string endpoint;         // without a slash at its end
  std::filesystem::path home;   // HF_HOME
  std::filesystem::path cache;  // HF_HUB_CACHE, shared with the Hub's other clients
  std::string token;            // empty: none
  std::string token_source;     // the variable or file it came from, for sentences
  bool offline = false;         // HF_HUB_OFFLINE: nothing is asked of any server
};

// BadInput for an endpoint that is no address and for a token nobody could have been given.
Result<Settings> read_settings(const Environment& environment);

// Without the line breaks and blanks that copying adds. BadInput, never quoting it, when what is left is no
// token: blanks inside, control characters, or another beginning than hf_.
Result<std::string> clean_token(std::string_view text, const std::string& source);

// HF_TOKEN, HUGGING_FACE_HUB_TOKEN, then the file `token_file`; an empty one counts as none.
struct FoundToken {
  std::string value, source;
};
Result<FoundToken> discover_token(const Environment& environment, const std::filesystem::path& token_file);

bool is_switched_on(const std::optional<std::string>& value);  // 1, ON, YES, TRUE in any case

}  // namespace alcove::hub
