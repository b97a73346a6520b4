#pragma once
// Papers in the formats that other programs take.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "papers/paper.h"

namespace alcove::papers {

enum class ExportFormat { Json, JsonLines, Csv, Bibtex, Ris, CslJson, Markdown };

std::optional<ExportFormat> export_format(std::string_view name);  // json, jsonl, csv, bib, ris, csl-json, md
std::string_view export_format_names();                            // for a sentence: "json, jsonl, …"

// All papers as one text. JSON, JSONL and CSV are read back by read_papers() as the same papers.
std::string export_papers(std::span<const Paper> papers, ExportFormat format);

// One object; keys without a value are left out.
Json to_json(const Paper& paper);

// In export_bibtex.cpp. Keys are unique, ASCII, and the same for the same papers in the same order; the entry
// a venue gives out is kept but for its key.
std::string to_bibtex(std::span<const Paper> papers);

}  // namespace alcove::papers
