#pragma once
// What a server answers to: a table of routes, who may ask, the files of its page, and what all of them
// share.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/metrics.h"
#include "api/server.h"
#include "api/tokens.h"

namespace alcove::api {

// Who may: everybody; with a token if figures are guarded; with a token if there are any; with a token, and
// nobody when there is none.
enum class Access { Open, Figures, Guarded, Owner };

struct Route {
  Method method;
  std::string path;  // one segment may be `{name}`; it is in Request::parameter
  Access access;
  std::function<void(Request, Answer)> handle;
};

struct Door {
  Tokens tokens;               // one of them is wanted where access is Guarded; empty: none is
  bool guard_figures = false;  // a token is wanted for figures too
  bool log_probes = false;     // else those that went well are left out of the log: they come for ever
};

// Safe from any thread once made.
class Routes {
 public:
  // `dialects` are for the clients of other programs, which have documents of their own: endpoints() leaves
  // them out.
  Routes(Door door, std::vector<Route> routes, std::vector<Route> dialects = {});

  // 401 for whoever may not, 403 where nobody may; nothing where there is no such route, which handle() says.
  std::optional<Reply> refuse(const Request& head) const;
  // The route, else a file of the page, a preflight, 404 or 405.
  void handle(Request request, Answer answer) const;
  // Counts and logs it under the route's own path: any other path is a stranger's text, and could be
  // somebody's file name.
  void finished(const Finished& request, Metrics& metrics) const;

  const Route* find(Method method, std::string_view path) const;  // null: there is none
  std::vector<std::string> endpoints() const;                     // "GET /status"

 private:
  bool may(Access access, const Request& request) const;
  std::string allowed_methods(std::string_view path) const;  // "GET, POST"; empty: there is no such path

  const Door door_;
  std::vector<Route> routes_;
  const std::size_t own_;  // of them come first
};

// One of the program's own files, with its policy, as a browser may already have it. The file has to be
// there.
Reply asset_reply(const Request& request, std::string_view path);

}  // namespace alcove::api
