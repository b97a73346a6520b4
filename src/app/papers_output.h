#pragma once
// What a search found, for people and programs.

#include <string>

#include "base/json.h"
#include "papers/finder.h"

namespace alcove::app {

// On standard output, as table, json, or one of papers::export_format(); notes for people go to standard
// error. Colours and columns cut to width only when standard output is a terminal.
void print_result(const papers::SearchResult& result, const std::string& format,
                  const papers::SearchRequest& request);

// The result as one object: query facts, total, hits with score, cosine, similarity, ranks and explanation.
Json to_json(const papers::SearchResult& result);

}  // namespace alcove::app
