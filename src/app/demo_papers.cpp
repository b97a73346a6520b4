#include "app/demo_papers.h"

#include <fmt/format.h>

#include <chrono>
#include <system_error>

#include "app/papers_command.h"
#include "app/papers_output.h"
#include "base/mapped_file.h"
#include "papers/readers.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kQueries[] = {
    "explain what a black box decided",  // words that none of the papers found has in its title
    "trasnformers year:>=2019",          // with a typing error and a filter
    "author:\"Hinton, G.\" learning from unlabelled data",
};
constexpr std::size_t kShown = 3;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Result<void> show_papers(const fs::path& samples, const fs::path& model, const fs::path& data) {
  PapersOptions options{.data = data.string()};
  std::error_code unreadable;
  if (fs::exists(model, unreadable))
    options.model = model.string();
  else
    fmt::print(
        "\nNo model in {}: papers are found by their words alone (script/bootstrap --papers fetches one).\n",
        model.string());

  const auto file = TRY(MappedFile::open(samples));
  const auto read = TRY(papers::read_papers(as_text(file.bytes()), samples.string()));
  auto start = std::chrono::steady_clock::now();
  const auto done = TRY(import_with_progress(options, read.papers, "", {}));
  fmt::print("\n{} sample papers indexed in {:.1f} s\n", done.papers, seconds_since(start));

  const auto embedder = TRY(load_model(options));
  const auto finder = TRY(papers::Finder::load(options.index(), embedder));
  for (const auto* query : kQueries) {
    papers::SearchRequest request{.limit = kShown};
    request.query = TRY(papers::read_query(query));
    start = std::chrono::steady_clock::now();
    const auto result = TRY(finder->search(request));
    fmt::print("\nalcove papers search '{}'   {:.0f} ms\n", query, 1'000 * seconds_since(start));
    print_result(result, "table", request);
  }
  return {};
}

}  // namespace alcove::app
