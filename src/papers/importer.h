#pragma once
// Papers into an index: what is new is added, what changed is replaced, what is the same costs nothing. The
// index that serves goes on serving until the new one takes its place; what was done before a kill is kept
// for the next call.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "papers/embedder.h"
#include "papers/paper.h"
#include "store/paper_index.h"

namespace alcove::papers {

// A vector that came with a paper, to be kept if it is of the model's making.
struct GivenVector {
  std::string paper;  // id
  std::vector<float> values;
};

struct ImportSettings {
  std::filesystem::path data;    // folder
  Embedder* embedder = nullptr;  // without: papers are found by their words alone until a later import
  std::string whole_venue;       // papers of this venue id that are not among the given ones are taken out
  std::span<const GivenVector> vectors;
  std::size_t most_embedded = SIZE_MAX;  // papers that get a vector in this call
};

struct ImportReport {
  std::size_t added = 0;
  std::size_t changed = 0;
  std::size_t unchanged = 0;
  std::size_t removed = 0;
  std::size_t embedded = 0;
  std::size_t taken_vectors = 0;  // of the given ones
  std::size_t without_vector = 0;
  std::size_t papers = 0;  // in the index now
  bool replaced = false;   // false: nothing changed, the index is the one it was
};

// Called with how many of how many have their vector; false ends the import, whose work is kept.
using ImportProgress = std::function<bool(std::size_t done, std::size_t total)>;

// When each venue was last taken in as a whole, in seconds since 1970.
Result<std::map<std::string, std::int64_t>> venue_times(store::PaperIndex& index);

// The index in settings.data with these papers in it. Unavailable while another process imports, or when
// `progress` ended it, or on a full disk.
Result<ImportReport> import_papers(const ImportSettings& settings, std::span<const Paper> papers,
                                   const ImportProgress& progress = {});

}  // namespace alcove::papers
