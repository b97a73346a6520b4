#include "papers/openreview.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/mapped_file.h"
#include "base/sha256.h"
#include "base/version.h"
#include "net/url.h"
#include "papers/formats.h"

namespace alcove::papers {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::string_view kLoginAdvice =
    "set OPENREVIEW_USERNAME and OPENREVIEW_PASSWORD, or OPENREVIEW_TOKEN; or import a file of notes that "
    "you "
    "have: alcove papers import notes.json";
constexpr std::size_t kMostPages = 1'000;  // of 1,000 notes each

std::string text_in(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// The value of content.KEY of a group.
std::string content_text(const Json& group, const char* key) {
  const auto content = group.find("content");
  if (content == group.end() || !content->is_object() || !content->contains(key)) return "";
  const auto& field = (*content)[key];
  return field.is_object() ? text_in(field, "value") : field.is_string() ? field.get<std::string>() : "";
}

// What an error reply says; v2, v1 and no JSON at all.
struct Refusal {
  std::string name;
  std::string message;
};
Refusal refusal_in(const net::Reply& reply) {
  const auto body = parse_json(reply.body);
  if (!body || !body->is_object()) return {"", fmt::format("status {}", reply.status)};
  if (auto message = text_in(*body, "message"); !message.empty()) return {text_in(*body, "name"), message};
  const auto errors = body->find("errors");
  if (errors != body->end() && errors->is_array() && !errors->empty() && errors->front().is_object())
    return {text_in(errors->front(), "type"), text_in(errors->front(), "message")};
  return {text_in(*body, "name"), fmt::format("status {}", reply.status)};
}

// Asks one question at a time, no faster than allowed, and logs in once.
class Api {
 public:
  explicit Api(const OpenReviewSettings& settings) : settings_(settings), token_(settings.token) {}

  // The body of a 2xx reply whose JSON is whole.
  Result<std::string> get(const std::string& url) {
    if (token_.empty() && !settings_.username.empty()) TRY(log_in());
    for (int number = 1;; ++number) {
      const auto reply = send({.url = url});
      if (reply && reply->status == 401 && !settings_.username.empty() && !logged_in_again_) {
        logged_in_again_ = true;  // the token ran out; once
        TRY(log_in());
        continue;
      }
      if (reply && reply->status / 100 == 2 && is_whole(reply->body)) return reply->body;
      if (reply && is_final(reply->status)) return refused(*reply);
      const auto wait = wait_after(reply, number);
      if (!wait || number >= settings_.tries || settings_.stop.stop_requested()) return gave_up(reply, url);
      net::wait_for(*wait, settings_.stop);
    }
  }

 private:
  Result<net::Reply> send(net::Request request) {
    if (asked_) net::wait_for(settings_.pause, settings_.stop);
    asked_ = true;
    request.headers = {{"User-Agent", fmt::format("alcove/{}", kVersion)}, {"Accept", "application/json"}};
    if (!token_.empty())
      request.headers.push_back(
          {"Authorization", token_.starts_with("Bearer ") ? token_ : "Bearer " + token_});
    if (request.method == "POST") request.headers.push_back({"Content-Type", "application/json"});
    request.limits = {.total = std::chrono::minutes(5), .silence = std::chrono::seconds(60)};
    request.redirects = net::Redirects::SameOrigin;
    request.compressed = true;
    request.stop = settings_.stop;
    return client_.send(request);
  }

  static bool is_whole(const std::string& body) {
    const auto start = body.find_first_not_of(" \t\r\n");
    if (start == std::string::npos || body[start] != '{') return false;
    const auto end = body.find_last_not_of(" \t\r\n");
    return body[end] == '}' && Json::accept(body);
  }

  // 403 is for ever: asking again would only look like an attack.
  static bool is_final(int status) { return status / 100 == 4 && status != 408 && status != 429; }

  std::optional<milliseconds> wait_after(const Result<net::Reply>& reply, int number) const {
    if (reply && reply->status == 429) {
      const auto asked = openreview_wait(*reply, std::chrono::system_clock::now());
      if (asked && *asked > settings_.patience) return std::nullopt;
      if (asked) return *asked + std::chrono::seconds(1);
    }
    if (!reply && reply.error().code == "tls") return std::nullopt;
    return std::min(settings_.pause * (1 << number),
                    std::chrono::duration_cast<milliseconds>(settings_.patience));
  }

  static std::unexpected<Error> refused(const net::Reply& reply) {
    const auto [name, message] = refusal_in(reply);
    if (reply.status == 403 &&
        (name == "ChallengeRequiredError" || reply.body.find("challengeUrl") != std::string::npos))
      return fail(ErrorKind::Unavailable,
                  fmt::format("OpenReview asks guests to solve a challenge in a browser; {}", kLoginAdvice),
                  "challenge");
    if (reply.status == 401 || reply.status == 403)
      return fail(ErrorKind::Unavailable,
                  fmt::format("OpenReview refuses this ({}); {}", message, kLoginAdvice), "refused");
    if (reply.status == 404) return fail(ErrorKind::NotFound, message, "not_found");
    return fail(ErrorKind::Unavailable, fmt::format("OpenReview refuses the request: {}", message));
  }

  static std::unexpected<Error> gave_up(const Result<net::Reply>& reply, const std::string& url) {
    constexpr std::string_view kKept = "what came so far is kept, the same command goes on from there";
    if (!reply)
      return fail(reply.error().kind, fmt::format("{}; {}", reply.error().message, kKept),
                  reply.error().code);
    if (reply->status == 429)
      return fail(ErrorKind::Unavailable,
                  fmt::format("OpenReview has had enough requests for now: {}; {}",
                              refusal_in(*reply).message, kKept),
                  "rate_limit");
    if (reply->status / 100 == 2)
      return fail(ErrorKind::Unavailable,
                  fmt::format("{} sends something else than OpenReview's answers, is a proxy in between? {}",
                              net::shown(url), kKept),
                  "no_json");
    return fail(ErrorKind::Unavailable,
                fmt::format("OpenReview does not answer (status {}); {}", reply->status, kKept));
  }

  Result<void> log_in() {
    token_.clear();
    const Json question{{"id", settings_.username}, {"password", settings_.password}};
    const auto reply =
        TRY(send({.method = "POST", .url = settings_.api + "/login", .body = to_text(question)}));
    const auto body = parse_json(reply.body);
    if (reply.status / 100 != 2 || !body)
      return fail(
          ErrorKind::Unavailable,
          fmt::format("OpenReview does not log {} in: {}; check OPENREVIEW_USERNAME and OPENREVIEW_PASSWORD",
                      settings_.username, refusal_in(reply).message),
          "login");
    if (body->contains("mfaPending"))
      return fail(ErrorKind::Unavailable,
                  fmt::format("the account {} wants a second factor; use an account without one, or a token "
                              "in OPENREVIEW_TOKEN",
                              settings_.username),
                  "mfa");
    token_ = text_in(*body, "token");
    if (token_.empty()) return fail(ErrorKind::Unavailable, "OpenReview's login gave no token", "login");
    return {};
  }

  const OpenReviewSettings& settings_;
  net::Client client_;
  std::string token_;
  bool asked_ = false;
  bool logged_in_again_ = false;
};

// The pages of one question in a folder: 0001.json, 0002.json, …, and `done` when there are no more.
class PageCache {
 public:
  PageCache(const OpenReviewSettings& settings, const std::string& question)
      : enabled_(!settings.cache.empty()) {
    folder_ = settings.cache / "openreview" / sha256_hex(as_bytes(question)).substr(0, 16);
    std::error_code unknown;
    const auto last = fs::last_write_time(folder_ / "done", unknown);
    // A finished fetch is good for a while; an unfinished one for a day, before notes have moved too far.
    const auto age = fs::file_time_type::clock::now() - last;
    const bool is_done = !unknown;
    const auto begun = fs::last_write_time(file(1), unknown);
    const bool stale = is_done
                           ? age > settings.fresh
                           : !unknown && fs::file_time_type::clock::now() - begun > std::chrono::hours(24);
    if (stale) fs::remove_all(folder_, unknown);
    done_ = is_done && !stale;
  }

  bool is_done() const { return enabled_ && done_; }

  std::optional<std::string> page(std::size_t number) const {
    if (!enabled_) return std::nullopt;
    const auto page = MappedFile::open(file(number));
    return page ? std::optional<std::string>(as_text(page->bytes())) : std::nullopt;
  }

  Result<void> keep(std::size_t number, const std::string& body) const {
    if (!enabled_) return {};
    TRY(write(file(number), body));
    return {};
  }

  Result<void> finish() const { return enabled_ ? write(folder_ / "done", "") : Result<void>(); }

 private:
  fs::path file(std::size_t number) const { return folder_ / fmt::format("{:04}.json", number); }

  // Whole or not at all.
  Result<void> write(const fs::path& path, const std::string& text) const {
    std::error_code failure;
    fs::create_directories(folder_, failure);
    const auto part = path.string() + ".part";
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (out.good()) fs::rename(part, path, failure);
    if (!out.good() || failure)
      return fail(ErrorKind::Unavailable,
                  fmt::format("{} cannot be written; is its disk full?", path.string()), "disk_full");
    return {};
  }

  fs::path folder_;
  bool enabled_;
  bool done_ = false;
};

class Fetch {
 public:
  Fetch(const OpenReviewSettings& settings, const std::string& venue, bool all_submissions,
        const FetchProgress& progress, const PageOfPapers& page)
      : settings_(settings), api_(settings), all_(all_submissions), progress_(progress), page_(page) {
    fetched_.id = venue;
  }

  Result<FetchedVenue> run() {
    const auto group = TRY(find_group());
    if (group.is_newer) {
      TRY(read_notes(settings_.api, all_ ? "invitation=" + encoded(group.submissions)
                                         : "content.venueid=" + encoded(fetched_.id)));
      if (!fetched_.papers.empty() || total_ > 0) return std::move(fetched_);
    }
    TRY(read_older());
    return std::move(fetched_);
  }

 private:
  struct Group {
    bool is_newer = true;
    std::string submissions;  // the invitation all papers answer
  };

  static std::string encoded(const std::string& text) { return net::percent_encoded(text); }

  Result<Group> find_group() {
    Group group{.submissions = fetched_.id + "/-/Submission"};
    const auto body = api_.get(fmt::format("{}/groups?id={}", settings_.api, encoded(fetched_.id)));
    // The challenge may guard groups and not notes, or the other way round.
    if (!body && body.error().code == "challenge") return group;
    if (!body && body.error().kind == ErrorKind::NotFound) return unknown_venue();
    if (!body) return std::unexpected(body.error());
    const auto entries = json_member(*body, "groups");
    const auto list = entries ? json_entries(*entries) : std::vector<std::string_view>();
    if (list.empty()) return unknown_venue();
    const auto found = TRY(parse_json(list.front()));
    if (!found.is_object()) return unknown_venue();
    group.is_newer = !text_in(found, "domain").empty();
    if (auto named = content_text(found, "submission_id"); !named.empty())
      group.submissions = std::move(named);
    return group;
  }

  std::unexpected<Error> unknown_venue() const {
    return fail(ErrorKind::NotFound, fmt::format("OpenReview has no venue {}; give its id as its page's "
                                                 "address shows it, such as NeurIPS.cc/2025/Conference",
                                                 fetched_.id));
  }

  // Old venues: the venue's id where notes have one, else what the invitation of blind or open submissions
  // brought.
  Result<void> read_older() {
    if (!all_) {
      TRY(read_notes(settings_.older_api, "content.venueid=" + encoded(fetched_.id)));
      if (!fetched_.papers.empty()) return {};
    }
    for (const auto* name : {"Blind_Submission", "Submission", "blind_submission", "submission"}) {
      TRY(read_notes(settings_.older_api, "invitation=" + encoded(fetched_.id + "/-/" + name)));
      if (!all_) std::erase_if(fetched_.papers, [](const Paper& paper) { return !is_accepted(paper); });
      if (!fetched_.papers.empty()) return {};
    }
    return {};
  }

  static bool is_accepted(const Paper& paper) {
    for (const auto* no : {"submitted", "withdrawn", "rejected", "desk rejected"})
      if (paper.decision == no) return false;
    return true;
  }

  Result<void> read_notes(const std::string& host, const std::string& filter) {
    const auto question = fmt::format("{}/notes?{}&limit=1000&sort=id", host, filter);
    const PageCache cache(settings_, question);
    seen_.clear();
    total_ = 0;
    std::string after;
    for (std::size_t number = 1; number <= kMostPages; ++number) {
      auto page = cache.page(number);
      if (!page && cache.is_done()) return {};
      if (!page) {
        page =
            TRY(api_.get(question + (after.empty() ? "&count=true"
                                                   : fmt::format("&after={}&count=false", encoded(after)))));
        TRY(cache.keep(number, *page));
      }
      if (number == 1) total_ = count_in(*page);
      const auto before = fetched_.papers.size();
      const auto last = TRY(add_page(*page));
      TRY(hand_on(before));
      if (progress_ && !progress_(seen_.size(), total_))
        return fail(ErrorKind::Unavailable, "ended; what came so far is kept", "cancelled");
      // All that were counted are in, or nothing new came. A short page alone is no end.
      if (last.empty() || last == after || (total_ > 0 && seen_.size() >= total_)) return cache.finish();
      after = last;
    }
    return fail(ErrorKind::TooLarge, "OpenReview's list does not end");
  }

  // What came after the first `before` papers.
  Result<void> hand_on(std::size_t before) const {
    if (!page_) return {};
    std::vector<Paper> accepted;
    for (const auto& paper : std::span(fetched_.papers).subspan(before))
      if (is_accepted(paper)) accepted.push_back(paper);
    return accepted.empty() ? Result<void>() : page_(accepted);
  }

  static std::size_t count_in(std::string_view page) {
    const auto count = json_member(page, "count");
    return count ? std::strtoull(std::string(*count).c_str(), nullptr, 10) : 0;
  }

  // The last note's id; empty when the page had none.
  Result<std::string> add_page(const std::string& page) {
    std::string last;
    const auto notes = json_member(page, "notes");
    if (!notes) return last;
    for (const auto entry : json_entries(*notes)) {
      const auto note = TRY(parse_json(entry));
      last = text_in(note, "id");
      if (last.empty() || !seen_.insert(last).second) continue;
      if (auto paper = paper_from_json(note)) {
        if (paper->venue_id.empty()) paper->venue_id = fetched_.id;
        fetched_.papers.push_back(*std::move(paper));
      }
    }
    return last;
  }

  const OpenReviewSettings& settings_;
  Api api_;
  bool all_;
  const FetchProgress& progress_;
  const PageOfPapers& page_;
  FetchedVenue fetched_;
  std::unordered_set<std::string> seen_;
  std::size_t total_ = 0;
};

}  // namespace

std::string venue_id_in(const std::string& text) {
  auto at = text.find("?id=");
  if (at == std::string::npos) at = text.find("&id=");
  if (at == std::string::npos) return tidy(text);
  auto id = text.substr(at + 4, text.find_first_of("&#", at + 4) - at - 4);
  for (std::size_t slash; (slash = id.find("%2F")) != std::string::npos;) id.replace(slash, 3, "/");
  return id;
}

bool is_venue_id(const std::string& id) {
  return !id.empty() && id.size() <= 300 && id.find_first_of(" \"<>") == std::string::npos;
}

Result<FetchedVenue> fetch_venue(const OpenReviewSettings& settings, const std::string& venue,
                                 bool all_submissions, const FetchProgress& progress,
                                 const PageOfPapers& page) {
  const auto id = venue_id_in(venue);
  if (!is_venue_id(id))
    return fail(ErrorKind::BadInput,
                fmt::format("\"{}\" is no venue's id; one looks like NeurIPS.cc/2025/Conference", venue));
  return Fetch(settings, id, all_submissions, progress, page).run();
}

}  // namespace alcove::papers
