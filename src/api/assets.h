#pragma once
// The files of web/, which the program carries in itself.

#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace alcove::api {

struct Asset {
  std::string_view path;  // "/sheet/index.html"
  Bytes content;
  std::string_view content_type;
  std::string etag;     // weak: the same for either form
  std::string gzipped;  // empty where that is not smaller
};

// Null when there is no such file.
const Asset* find_asset(std::string_view path);

// One file as the build put it into the program; see cmake/embed.cmake.
struct EmbeddedFile {
  std::string_view path;
  const unsigned char* begin;
  const unsigned char* end;
};
std::span<const EmbeddedFile> embedded_files();

}  // namespace alcove::api
