#pragma once
// The formats of readers.h, one function each. They give papers as they stand in the file; read_papers()
// names those without an id and takes out the doubles.

#include <map>
#include <optional>

#include "papers/readers.h"

namespace alcove::papers {

Result<ReadPapers> read_json_papers(
    std::string_view content);  // an array, {"notes": [...]}, one object a line
Result<ReadPapers> read_csv_papers(std::string_view content);  // with a heading
Result<ReadPapers> read_bibtex_papers(std::string_view content);
Result<ReadPapers> read_ris_papers(std::string_view content);

// Fields by the names that tables, JSON and BibTeX give them ("booktitle", "conference" and "journal" are a
// venue). Lists are parted by ";", or by "," when there is no ";" and commas cannot be part of a value.
Paper paper_from_fields(const std::map<std::string, std::string>& fields);

// A JSON text cut by its brackets, unparsed: the entries of an array, of {"notes": […]} or of lines; and the
// value of an object's own key.
std::vector<std::string_view> json_entries(std::string_view content);
std::optional<std::string_view> json_member(std::string_view object, std::string_view key);

}  // namespace alcove::papers
