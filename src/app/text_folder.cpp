#include "app/text_folder.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "models/text_model.h"
#include "papers/embedder.h"

namespace alcove::app {

namespace fs = std::filesystem;

bool is_text_folder(const fs::path& path) {
  return fs::is_directory(path) && fs::exists(path / "config.json");
}

Result<Json> describe_text_folder(const fs::path& path) {
  const auto folder = TRY(models::open_text_folder(path));
  const auto graph = TRY(models::build_text_model(folder, nullptr, models::TextOutputs::VectorAndRows));
  return Json{
      {"file", path.string()},
      {"kind", fs::exists(path / "modules.json") ? "sentence-transformers folder" : "transformers folder"},
      {"architecture", models::describe(folder, nullptr, graph)},
      {"dimensions", folder.width()},
      {"max_tokens", folder.max_tokens},
      {"tensors", graph.tensor_count()},
      {"precision", std::string(graph::name_of(graph.stored_as()))},
      {"sha256", folder.sha256}};
}

Result<std::string> export_text_folder(const fs::path& path) {
  const auto folder = TRY(models::open_text_folder(path));
  return TRY(models::build_text_model(folder, nullptr, models::TextOutputs::VectorAndRows)).write_inlined();
}

Result<std::string> prepare_text_folder(const fs::path& path, const engine::Settings& settings) {
  const auto embedder = TRY(papers::load_embedder({.model = path, .engine = settings}));
  TRY(embedder->prepare(papers::Purpose::Paper));
  return fmt::format("{}; kept in {}\n", embedder->description(), settings.cache.string());
}

}  // namespace alcove::app
