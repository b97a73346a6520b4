#pragma once
// What the answer-sheet Space answers: one table of routes, one function each.

#include <chrono>
#include <functional>
#include <string>

#include "api/batch_routes.h"
#include "api/gradio.h"
#include "api/metrics.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/sheet_desk.h"
#include "api/sheet_space.h"
#include "api/sheet_upload.h"
#include "imaging/decode_pool.h"

namespace alcove::api {

struct ServiceSettings {
  Door door;                              // tokens are wanted by whatever reads sheets
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
  std::vector<Route> make_routes();
  void predict(GradioCall call);
  void root(Request, Answer);
  void health(Request, Answer);
  void ready(Request, Answer);
  void model_ready(Request, Answer);
  void status(Request, Answer);
  void metrics(Request, Answer);
  void extract(Request, Answer);
  void extract_base64(Request, Answer);

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
  Gradio gradio_;
  const Routes routes_;
};

}  // namespace alcove::api
