#include "hub/errors.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "net/retry.h"

namespace alcove::hub {
namespace {

constexpr std::size_t kMostWords = 300;

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array() && !value.empty()) return text_of(value.front());
  if (value.is_object() && value.contains("message")) return text_of(value.at("message"));
  return {};
}

std::string from_body(const std::string& body) {
  if (const auto json = parse_json(body); json && json->is_object()) {
    for (const char* key : {"error_description", "error", "errors"})
      if (json->contains(key))
        if (auto text = text_of(json->at(key)); !text.empty()) return text;
    return {};
  }
  const auto first = body.find_first_not_of(" \t\r\n");
  return first == std::string::npos || body[first] == '<' ? std::string() : body.substr(first);
}

std::string with_words(std::string sentence, const std::string& words) {
  return words.empty() ? sentence : fmt::format("{} (the Hub says: {})", sentence, words);
}

Error absent_or_private(const About& about, const std::string&) {
  const auto way_out =
      about.token_source.empty()
          ? std::string("if it is private, set HF_TOKEN")
          : fmt::format("or it is private and the token of {} may not see it", about.token_source);
  return {ErrorKind::NotFound,
          fmt::format("{} does not exist at {}; {}", about.what, about.endpoint, way_out), "repo_not_found"};
}

Error bad_token(const About& about) {
  if (about.token_source.empty())
    return {
        ErrorKind::BadInput,
        fmt::format("{} needs a token: make one with the role write at {}/settings/tokens and set HF_TOKEN",
                    about.what, about.endpoint),
        "bad_token"};
  return {ErrorKind::BadInput,
          fmt::format(
              "the Hub does not accept the token of {}; it was revoked, has expired or is incomplete: make "
              "another at {}/settings/tokens",
              about.token_source, about.endpoint),
          "bad_token"};
}

Error rate_limited(const net::Reply& reply, const About& about) {
  const auto wait = net::asked_wait(reply, std::chrono::system_clock::now());
  return {ErrorKind::Overloaded,
          wait ? fmt::format("the Hub was asked too often about {}; ask again in {:.0f} s", about.what,
                             std::chrono::duration<double>(*wait).count())
               : fmt::format("the Hub was asked too often about {}; ask again in five minutes", about.what),
          "rate_limited"};
}

Error by_status(const net::Reply& reply, const About& about, const std::string& words) {
  switch (reply.status) {
    case 401: return bad_token(about);
    case 402:
      return {ErrorKind::Unsupported,
              with_words(
                  fmt::format("{} needs a paid plan: Docker Spaces take PRO for a user, Team or Enterprise "
                              "for an organisation, see {}/pricing",
                              about.what, about.endpoint),
                  words),
              "plan_required"};
    case 403:
      return {
          ErrorKind::BadInput,
          with_words(fmt::format("the token of {} may not write to {}; make one with the role write (or with "
                                 "write access to it) at {}/settings/tokens",
                                 about.token_source, about.what, about.endpoint),
                     words),
          "no_right"};
    case 404: return {ErrorKind::NotFound, with_words(about.what + " was not found", words), "not_found"};
    case 409:
      return {ErrorKind::BadInput, with_words(about.what + " is already there, or being changed", words),
              "conflict"};
    case 412:
      return {ErrorKind::Unavailable,
              fmt::format("{} has changed meanwhile; look at the change and start again", about.what),
              "parent_moved"};
    case 413:
      return {ErrorKind::TooLarge, with_words(about.what + ": too much in one request", words), "too_large"};
    case 429: return rate_limited(reply, about);
    default: break;
  }
  if (reply.status >= 500)
    return {
        ErrorKind::Unavailable,
        with_words(fmt::format("the Hub has trouble of its own with {} (status {}); try again in a minute",
                               about.what, reply.status),
                   words),
        "busy"};
  return {ErrorKind::BadInput,
          with_words(fmt::format("the Hub refuses {} with status {}", about.what, reply.status), words),
          "refused"};
}

}  // namespace

std::string words_of(const net::Reply& reply) {
  auto words = from_body(reply.body);
  if (words.empty()) words = reply.header("x-error-message").value_or("");
  for (char& c : words)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  if (words.size() > kMostWords) words = words.substr(0, kMostWords) + "…";
  return words;
}

Error error_of(const net::Reply& reply, const About& about) {
  const auto code = reply.header("x-error-code").value_or("");
  const auto message = reply.header("x-error-message").value_or("");
  const auto words = words_of(reply);
  if (code == "RevisionNotFound")
    return {ErrorKind::NotFound, fmt::format("{} has no revision {:?}", about.what, about.revision),
            "revision_not_found"};
  if (code == "EntryNotFound")
    return {ErrorKind::NotFound, fmt::format("{} has no file {:?}", about.what, about.path),
            "entry_not_found"};
  if (code == "GatedRepo")
    return {ErrorKind::NotFound,
            fmt::format("{} is handed out on request only: ask for access at {}/{}{}", about.what,
                        about.endpoint, about.what, about.token_source.empty() ? " and set HF_TOKEN" : ""),
            "gated"};
  if (message == "Access to this resource is disabled.")
    return {ErrorKind::NotFound, about.what + " was disabled by the Hub", "disabled"};
  if (code == "RepoNotFound") return absent_or_private(about, words);
  // An anonymous 401 about a repository hides whether it exists.
  if (reply.status == 401 && about.token_source.empty() && about.what.find('/') != std::string::npos)
    return absent_or_private(about, words);
  return by_status(reply, about, words);
}

}  // namespace alcove::hub
