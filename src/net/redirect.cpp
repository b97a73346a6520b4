#include "net/redirect.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

#include "net/url.h"

namespace alcove::net {
namespace {

bool is_named(const Header& header, std::initializer_list<const char*> names) {
  return std::ranges::any_of(names,
                             [&](const char* name) { return strcasecmp(header.name.c_str(), name) == 0; });
}

bool points_elsewhere(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void turn_into_get(Request& request) {
  request.method = "GET";
  request.body = {};
  std::erase_if(request.headers, [](const Header& header) {
    return is_named(header, {"content-type", "content-length", "content-encoding"});
  });
}

}  // namespace

Result<std::optional<Request>> next_request(const Request& request, const Reply& reply, Trail& trail) {
  const auto location = reply.header("location");
  if (!points_elsewhere(reply.status) || !location || request.redirects == Redirects::Never)
    return std::nullopt;
  const auto target = resolve(request.url, std::string(*location));
  const auto there = target ? origin_of(*target) : std::unexpected(target.error());
  if (!there)
    return fail(ErrorKind::Unavailable,
                fmt::format("{} redirects to something that is no http address", shown(request.url)),
                "redirects");
  const auto here = TRY(origin_of(request.url));
  if (request.redirects == Redirects::SameOrigin && here != *there) return std::nullopt;
  if (here.scheme == "https" && there->scheme != "https")
    return fail(ErrorKind::Unavailable,
                fmt::format("{} redirects out of https to {}", shown(request.url), shown(*target)),
                "redirects");

  Request next = request;
  next.url = *target;
  const bool post = request.method == "POST" && (reply.status == 301 || reply.status == 302);
  if (post || (reply.status == 303 && request.method != "HEAD")) turn_into_get(next);
  if (here != *there)
    std::erase_if(next.headers, [](const Header& header) {
      return is_named(header, {"authorization", "x-hf-authorization", "cookie"});
    });

  trail.seen.insert(request.method + " " + request.url);
  if (trail.seen.contains(next.method + " " + next.url))
    return fail(ErrorKind::Unavailable, fmt::format("{} redirects in a circle", shown(request.url)),
                "redirects");
  if (trail.seen.size() > kMostRedirects)
    return fail(ErrorKind::Unavailable,
                fmt::format("{} redirects more than {} times", shown(request.url), kMostRedirects),
                "redirects");
  return next;
}

}  // namespace alcove::net
