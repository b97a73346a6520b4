// Which model an import or a search goes with.

#include <fmt/format.h>

#include <cstdio>

#include "app/papers_command.h"
#include "base/mapped_file.h"
#include "papers/paper.h"
#include "store/paper_folder.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

// Where the model lies is a hint for the next command and no part of the index: another machine has another
// folder.
fs::path note_file(const PapersOptions& options) { return options.index() / "model.txt"; }

std::string noted_model(const PapersOptions& options) {
  const auto note = MappedFile::open(note_file(options));
  return note ? papers::tidy(as_text(note->bytes())) : "";
}

}  // namespace

fs::path PapersOptions::index() const { return store::index_folder(data); }

Result<std::shared_ptr<papers::Embedder>> load_model(const PapersOptions& options) {
  const auto model = options.model.empty() ? noted_model(options) : options.model;
  if (model.empty()) return std::shared_ptr<papers::Embedder>();
  papers::EmbedderSettings settings{
      .model = model, .adapter = options.adapter, .query_adapter = options.query_adapter};
  settings.engine = TRY(engine_settings(options.engine));
  auto embedder = papers::load_embedder(settings);
  if (embedder) return std::shared_ptr<papers::Embedder>(*std::move(embedder));
  if (!options.model.empty()) return std::unexpected(std::move(embedder).error());
  // A folder that was only remembered may be gone; words still find papers.
  fmt::print(stderr, "alcove: no search by meaning: {}\n", embedder.error().message);
  return std::shared_ptr<papers::Embedder>();
}

void note_model(const PapersOptions& options) {
  if (options.model.empty()) return;
  std::error_code unknown;
  const auto path = fs::absolute(options.model, unknown);
  if (auto* file = std::fopen(note_file(options).c_str(), "we")) {
    std::fputs((path.string() + "\n").c_str(), file);
    std::fclose(file);
  }
}

}  // namespace alcove::app
