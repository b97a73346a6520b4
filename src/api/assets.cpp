#include "api/assets.h"

#include <drogon/utils/Utilities.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/sha256.h"

namespace alcove::api {
namespace {

struct Type {
  std::string_view suffix, content_type;
};

constexpr std::array kTypes{
    Type{".html", "text/html; charset=utf-8"},
    Type{".css", "text/css; charset=utf-8"},
    Type{".js", "text/javascript; charset=utf-8"},
    Type{".json", "application/json"},
    Type{".svg", "image/svg+xml"},
    Type{".jpg", "image/jpeg"},
    Type{".png", "image/png"},
};

std::string gzipped(std::string_view content) {
  auto packed = drogon::utils::gzipCompress(content.data(), content.size());
  return packed.size() < content.size() ? packed : std::string();
}

std::vector<Asset> make_assets() {
  std::vector<Asset> assets;
  for (const auto& file : embedded_files()) {
    const Bytes content{file.begin, file.end};
    const auto type =
        std::ranges::find_if(kTypes, [&](const Type& row) { return file.path.ends_with(row.suffix); });
    assets.push_back({file.path, content,
                      type == kTypes.end() ? "application/octet-stream" : type->content_type,
                      "W/\"" + sha256_hex(content).substr(0, 16) + '"', gzipped(as_text(content))});
  }
  return assets;
}

}  // namespace

const Asset* find_asset(std::string_view path) {
  static const auto assets = make_assets();
  const auto found = std::ranges::find(assets, path, &Asset::path);
  return found == assets.end() ? nullptr : &*found;
}

}  // namespace alcove::api
