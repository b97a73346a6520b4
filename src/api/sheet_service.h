#pragma once
// The routes of the answer-sheet Space: one table, one function each.

#include <functional>
#include <string>

#include "api/metrics.h"
#include "api/server.h"
#include "api/sheet_page.h"
#include "api/sheet_space.h"
#include "api/sheet_upload.h"

namespace alcove::api {

struct ServiceSettings {
  std::string token;                      // bearer token of /extract*; empty: none is asked for
  std::uint64_t body_limit = 52'428'800;  // of one request, bytes
};

class SheetService final : public Service {
 public:
  SheetService(ServiceSettings settings, SheetSpace& space, ReadPage read);

  std::optional<Reply> refuse(const Request& head) override;
  void handle(Request request, Answer answer) override;
  void finished(const Finished& request) override;

 private:
  struct Route;
  static const Route kRoutes[];
  static const Route* find(Method method, std::string_view path);

  void root(Request, Answer);
  void health(Request, Answer);
  void status(Request, Answer);
  void ready(Request, Answer);
  void metrics(Request, Answer);
  void preflight(Request, Answer);
  void asset(Request, Answer);
  void extract(Request, Answer);
  void extract_base64(Request, Answer);

  using ParseUpload = Result<SheetUpload> (*)(const Request&);
  void read_upload(Request request, Answer answer, ParseUpload parse);
  Reply reading_reply(const Request& request, ParseUpload parse, sheets::SheetReader& reader,
                      double queued_seconds);
  Reply unavailable(const Error& error) const;

  const ServiceSettings settings_;
  SheetSpace& space_;
  const ReadPage read_;
  Metrics metrics_;
};

}  // namespace alcove::api
