#pragma once
// `alcove read --compare URL`: the same files read here and by another server.

#include <filesystem>
#include <string>
#include <vector>

#include "imaging/decoder.h"
#include "sheets/pipeline.h"

namespace alcove::app {

struct OtherServer {
  std::string url;     // its root, or its /extract
  std::string format;  // table, json or csv
};

// Reads each file here, posts it to the server, prints what agrees, what differs and by how much, and both
// times. Gives the exit code: 0 when everything agrees.
int read_and_compare(const std::vector<std::filesystem::path>& files, sheets::SheetReader& reader,
                     imaging::Decoder& decoder, const sheets::SheetOptions& options,
                     const OtherServer& server);

}  // namespace alcove::app
