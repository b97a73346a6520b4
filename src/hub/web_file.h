#pragma once
// A file at any address of the web, known by the SHA-256 of its content.

#include "hub/lfs.h"

namespace alcove::hub {

struct WebFile {
  std::string url;     // without the part after #
  std::string sha256;  // of the content
  std::string name;    // the address's last part, decoded
};

bool is_web_address(std::string_view text);  // begins with http:// or https://

// "https://host/weights.pt#sha256=HEX". BadInput, saying how the digest is found, for one without it, and for
// an address with characters that none has.
Result<WebFile> parse_web_file(const std::string& text);

// Where it lies below `folder` afterwards; another time it is there already. Goes on where an earlier run
// ended. No token is sent. Unreadable when what arrives has another digest, and nothing of it is kept then.
Result<std::filesystem::path> fetch_web_file(const net::Client& client, const WebFile& file,
                                             const std::filesystem::path& folder,
                                             const TransferProgress& progress);

}  // namespace alcove::hub
