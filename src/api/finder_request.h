#pragma once
// What somebody asks the paper finder, out of an address.

#include "api/http.h"
#include "papers/finder.h"

namespace alcove::api {

// ?q=… with the fields of papers/query.h in it, mode=both|meaning|words, n=, offset=, weight=0..1, explain=1,
// facets= (values of each field, 0 for none), like= and unlike= (ids, repeated), and the filters venue, year,
// decision, area, keyword, author and title, each repeated as often as one likes. BadInput names the
// parameter.
Result<papers::SearchRequest> search_request(std::string_view query);

}  // namespace alcove::api
