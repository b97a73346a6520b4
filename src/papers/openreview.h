#pragma once
// A venue's papers from OpenReview: API v2, and v1 for the venues of before 2024.

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "net/retry.h"
#include "papers/paper.h"

namespace alcove::papers {

struct OpenReviewSettings {
  std::string api = "https://api2.openreview.net";
  std::string older_api = "https://api.openreview.net";
  std::string username, password;  // or
  std::string token;               // or none: as a guest
  std::filesystem::path cache;     // pages are kept here, so that an interrupted fetch goes on where it was
  std::chrono::seconds fresh{3'600};       // a finished fetch is used again for so long; 0: never
  std::chrono::milliseconds pause{1'000};  // between two requests
  std::chrono::seconds patience{900};      // a server that asks for a longer wait gets none; the fetch ends
  int tries = 6;                           // of one request
  std::stop_token stop;                    // ends the fetch, waits included
};

// How many papers are in, and of how many where that is known (else 0); false ends the fetch.
using FetchProgress = std::function<bool(std::size_t done, std::size_t total)>;

// The accepted papers of one page, as soon as they are in; an error ends the fetch.
using PageOfPapers = std::function<Result<void>(std::span<const Paper> papers)>;

struct FetchedVenue {
  std::string id;  // "NeurIPS.cc/2025/Conference"
  std::vector<Paper> papers;
};

// `venue` is an id, or the address of the venue's page. Only accepted papers, or all submissions that are
// public. NotFound for an unknown venue; Unavailable, with the way out, when OpenReview wants a login or a
// challenge solved, when it stays overloaded, or when what it sends is no answer: what came so far is kept in
// the cache.
Result<FetchedVenue> fetch_venue(const OpenReviewSettings& settings, const std::string& venue,
                                 bool all_submissions, const FetchProgress& progress = {},
                                 const PageOfPapers& page = {});

// The id in "https://openreview.net/group?id=NeurIPS.cc/2025/Conference#tab", or the text itself.
std::string venue_id_in(const std::string& text);
bool is_venue_id(const std::string& id);

// How long a 429 asks to wait, by headers, by details.resetTime, or by its sentence; nothing when it says
// nothing.
std::optional<std::chrono::seconds> openreview_wait(const net::Reply& reply,
                                                    std::chrono::system_clock::time_point now);

}  // namespace alcove::papers
