#pragma once
// The routes of the answer-sheet Space: one table, one function each.

#include <chrono>
#include <functional>
#include <string>

#include "api/batch_routes.h"
#include "api/metrics.h"
#include "api/server.h"
#include "api/sheet_desk.h"
#include "api/sheet_space.h"
#include "api/sheet_upload.h"
#include "api/tokens.h"
#include "imaging/decode_pool.h"

namespace alcove::api {

struct ServiceSettings {
  Tokens tokens;                          // one of them is wanted by whatever reads sheets; empty: none is
  bool guard_metrics = false;             // by /metrics and /status too
  std::uint64_t body_limit = 52'428'800;  // of one request, bytes
  // Of a sheet in the queue; after that nobody is there to hear of it.
  std::chrono::seconds longest_wait{300};
  BatchLimits batch;
  JobLimits jobs;
  std::function<imaging::PoolStatus()> decode_workers;  // empty: files are opened in this process
};

class SheetService final : public Service {
 public:
  SheetService(ServiceSettings settings, SheetSpace& space, ReadPage read);

  std::optional<Reply> refuse(const Request& head) override;
  void handle(Request request, Answer answer) override;
  void finished(const Finished& request) override;
  int retry_after() const override { return space_.retry_after(); }

 private:
  // Who may: everybody; with a token if figures are guarded; with a token.
  enum class Access { Open, Figures, Sheets };
  struct Route;
  struct Match;
  static const Route kRoutes[];
  static Match find(Method method, std::string_view path);
  static std::string allowed_methods(std::string_view path);  // "GET, POST"; empty: there is no such path

  void root(Request, Answer);
  void asset(Request, Answer);
  void health(Request, Answer);
  void ready(Request, Answer);
  void model_ready(Request, Answer);
  void status(Request, Answer);
  void metrics(Request, Answer);
  void preflight(Request, Answer);
  void extract(Request, Answer);
  void extract_base64(Request, Answer);
  void extract_batch(Request, Answer);
  void put_job(Request, Answer);
  void job(Request, Answer);
  void job_events(Request, Answer);
  void remove_job(Request, Answer);

  bool may(Access access, const Request& request) const;
  using ParseUpload = Result<SheetUpload> (*)(const Request&);
  void read_upload(Request request, Answer answer, ParseUpload parse);
  Reply reading_reply(const Request& request, ParseUpload parse, sheets::SheetReader& reader,
                      double queued_seconds) const;
  Reply unavailable(const Error& error) const;

  const ServiceSettings settings_;
  SheetSpace& space_;
  Metrics metrics_;
  const SheetDesk desk_;
  BatchRoutes batches_;
};

}  // namespace alcove::api
