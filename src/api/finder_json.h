#pragma once
// The paper finder's answers as JSON.

#include "base/json.h"
#include "papers/finder.h"

namespace alcove::api {

// {"query", "mode", "total", "offset", "results": […], "facets": {…}, "relax": […], "notes": […]}. A result
// is the paper, without abstract and BibTeX unless it is to be whole, with a snippet, score, cosine,
// similarity and its ranks; with `explain` also why it was found.
Json search_json(const papers::SearchRequest& request, const papers::SearchResult& result,
                 bool whole = false);

// Everything there is of it; authors and keywords are lists even when empty.
Json paper_json(const papers::Paper& paper);

}  // namespace alcove::api
