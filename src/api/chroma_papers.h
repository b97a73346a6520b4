#pragma once
// The finder's papers as records of a collection: title and abstract are the document, the rest is metadata.

#include <filesystem>
#include <memory>

#include "store/records.h"

namespace alcove::api {

inline constexpr std::string_view kPapersCollection = "openreview_papers";  // as the original finder named it

// Of the index in this folder, read anew for each question; no records where there is none.
std::unique_ptr<store::RecordSource> paper_records(const std::filesystem::path& data);

}  // namespace alcove::api
