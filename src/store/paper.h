#pragma once
// A paper, as every part of the finder hands it on. UTF-8 throughout; what is not known is empty or 0.

#include <cstdint>
#include <string>
#include <vector>

namespace alcove::store {

struct Paper {
  std::string id;  // unique within an index, and never changing: "Ab3dEf9hIj", "vaswani2017attention"
  std::string title;
  std::string abstract;
  std::vector<std::string> authors;     // "First Last"
  std::vector<std::string> author_ids;  // "~First_Last1"; as many as authors, or none
  std::vector<std::string> keywords;
  std::string venue;     // for people, without the decision: "NeurIPS 2025"
  std::string venue_id;  // "NeurIPS.cc/2025/Conference"
  std::string decision;  // "oral", "spotlight", "poster", "submitted", "withdrawn", …
  std::string area;
  std::string summary;  // one sentence; OpenReview's TLDR
  std::string kind;     // BibTeX's word for it: "article" in a journal, "inproceedings", "misc"
  std::string doi;
  std::string url;
  std::string pdf;
  std::string bibtex;  // the entry the venue gives out
  int year = 0;
  std::int64_t modified = 0;  // milliseconds since 1970, as its source says

  bool operator==(const Paper&) const = default;
};

}  // namespace alcove::store
