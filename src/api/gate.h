#pragma once
// Who may come into the gateway: sessions of people, tokens of programs, and before the first account whoever
// the contract lets in.

#include "api/routes.h"
#include "gateway/accounts.h"

namespace alcove::api {

struct GateSettings {
  Tokens tokens;                 // with every right: ALCOVE_TOKEN and the token file
  bool guard_figures = false;    // figures want the right to read too
  bool require_account = false;  // nobody comes in unnamed, not even before the first account
};

// Safe from any thread.
class Gate {
 public:
  Gate(GateSettings settings, gateway::AccountBook& accounts)
      : settings_(std::move(settings)), accounts_(accounts) {}

  // 401 for whoever has to say who they are, 403 for whoever may not, or whose page did not send the
  // session's word along; none: come in.
  std::optional<Reply> refuse(const Request& head, const Route& route);
  // Who was let in, for the trail; "office" where nobody is asked.
  std::string who(const Request& request);

  // /session, /accounts, /tokens.
  std::vector<Route> routes(const std::function<void(Answer, std::function<void()>)>& elsewhere);

 private:
  struct Caller {
    std::optional<gateway::Admitted> admitted;
    bool by_cookie = false, presented = false;  // something was presented, sound or not
  };
  Result<Caller> caller(const Request& request);

  Reply session(const Request&);                                            // GET /session: who is here
  Reply sign_in(const Request&);                                            // POST /session
  Reply sign_out(const Request&);                                           // DELETE /session
  Reply set_up(const Request&);                                             // POST /session/setup
  Reply choose_password(const Request&);                                    // POST /session/password
  Reply list(const Request&);                                               // GET /accounts
  Reply add(const Request&);                                                // POST /accounts
  Reply change(const Request&);                                             // PUT /accounts/{name}
  Reply link(const Request&);                                               // POST /accounts/{name}/link
  Reply remove(const Request&);                                             // DELETE /accounts/{name}
  Reply add_token(const Request&);                                          // POST /tokens
  Reply remove_token(const Request&);                                       // DELETE /tokens/{name}
  Reply let_in(const Request& request, const Result<std::string>& secret);  // with a session of that secret

  const GateSettings settings_;
  gateway::AccountBook& accounts_;
};

// What a guarded route wants.
gateway::Right right_of(const Route& route);

}  // namespace alcove::api
