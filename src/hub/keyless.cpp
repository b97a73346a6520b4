#include "hub/keyless.h"

#include <fmt/format.h>

#include "hub/fields.h"
#include "net/url.h"

namespace alcove::hub {
namespace {

constexpr const char* kSource = "the CI job's identity";

Result<std::string> job_identity(const Session& session, const Environment& environment) {
  if (const auto given = environment("HF_OIDC_ID_TOKEN"); given && !given->empty()) return *given;
  const auto url = environment("ACTIONS_ID_TOKEN_REQUEST_URL");
  const auto token = environment("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  if (!url || !token || url->empty() || token->empty())
    return fail(ErrorKind::BadInput,
                "HF_OIDC_RESOURCE is set, but this job may not show its identity; give it `permissions: "
                "id-token: write`",
                "bad_token");
  const auto audience = net::percent_encoded(session.settings().endpoint);
  net::Request request{
      .url = fmt::format("{}{}audience={}", *url, url->find('?') == std::string::npos ? "?" : "&", audience),
      .headers = {{"Authorization", "Bearer " + *token}}};
  const auto reply = TRY(net::send_patiently(session.client(), request));
  const auto json = parse_json(reply.body);
  auto identity = json ? text_or(*json, "value") : std::string();
  if (reply.status != 200 || identity.empty())
    return fail(ErrorKind::Unavailable,
                fmt::format("the CI service gives the job no identity (status {})", reply.status),
                "bad_token");
  return identity;
}

}  // namespace

Result<Settings> with_keyless_login(Settings settings, const Environment& environment) {
  const auto resource = environment("HF_OIDC_RESOURCE");
  if (!resource || resource->empty()) return settings;
  settings.token.clear();
  settings.token_source.clear();
  const Session session(settings);
  const Json body{{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
                  {"subject_token_type", "urn:ietf:params:oauth:token-type:id_token"},
                  {"subject_token", TRY(job_identity(session, environment))},
                  {"resource", *resource}};
  const auto about = session.about("the CI login to " + *resource);
  const auto answer = TRY(session.send_json({"POST", "/oauth/token", body}, about, Session::Repeat::Yes));
  settings.token = TRY(clean_token(text_or(answer, "access_token"), kSource));
  settings.token_source = kSource;
  return settings;
}

}  // namespace alcove::hub
