#pragma once
// Papers out of files: OpenReview notes (API v1 and v2), paperlists JSON, JSON and JSONL of any tool that
// calls a title `title`, CSV, BibTeX, RIS. Every format gives the same papers; what could not be read is
// said, with its place.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "papers/paper.h"

namespace alcove::papers {

struct Finding {
  std::string where;    // "line 17", "entry 3"
  std::string message;  // "no title; left out"
};

struct ReadPapers {
  std::vector<Paper> papers;  // in the file's order; ids are unique
  std::vector<Finding> findings;
};

// The format is told by the content, and by the name's ending where the content leaves it open. Of two papers
// with one id the later stays, which is said. Unreadable when the file is of no format known, or of none of
// its entries a paper could be made; TooLarge over 1 GiB.
Result<ReadPapers> read_papers(std::string_view content, std::string_view file_name);

// One OpenReview note of either API, paperlists entry or plain object. Nothing for a reply, a deleted note,
// or one without a title. Fields of the wrong type count as absent.
std::optional<Paper> paper_from_json(const Json& object);

}  // namespace alcove::papers
