#pragma once
// The routes of the gateway: one table, one function each.

#include <atomic>

#include "api/gate.h"
#include "api/gateway_jobs.h"
#include "api/office_routes.h"
#include "api/routes.h"
#include "api/work_queue.h"
#include "gateway/gateway.h"

namespace alcove::api {

struct GatewayServiceSettings {
  bool log_probes = false;
  std::uint64_t sheet_limit = 52'428'800;  // bytes of a request with one sheet
  std::string space_url;                   // as it was set, even when it is wrong; empty: none
  std::string space_error;                 // why it is wrong
  std::filesystem::path models;
  BatchLimits batch;
};

class GatewayService final : public Service {
 public:
  GatewayService(GatewayServiceSettings settings, gateway::Gateway& gateway, gateway::Ledger& ledger,
                 gateway::Readers& readers, const gateway::Figures& figures, gateway::OfficeDesk& desk,
                 Gate& gate);

  std::optional<Reply> refuse(const Request& head) override;
  void handle(Request request, Answer answer) override {
    routes_.handle(std::move(request), std::move(answer));
  }
  void finished(const Finished& request) override { routes_.finished(request, metrics_); }
  int retry_after() const override { return 2; }
  void drain() { draining_ = true; }  // from now on nothing is taken in
  void recorded(const gateway::Record& record) { jobs_.recorded(record); }

 private:
  std::vector<Route> make_routes();

  void root(Request, Answer);
  void health(Request, Answer);
  void ready(Request, Answer);
  void extract_status(Request, Answer);
  void status(Request, Answer);
  void metrics(Request, Answer);
  void extract(Request, Answer);
  void scan_upload(Request, Answer);
  void scan_log(Request, Answer);
  void records(Request, Answer);
  void record(Request, Answer);
  // The record and its file, read elsewhere, made a reply; what is not there is answered.
  using ReplyOf = std::function<Reply(const gateway::Record&, std::string content)>;
  void with_file(WorkQueue& line, Request request, Answer answer, ReplyOf reply_of);
  void file(Request, Answer);
  void pdf(Request, Answer);
  void put_job(Request, Answer);
  void job(Request, Answer);
  void job_events(Request, Answer);

  using MakeAnswer = RecordAnswer (*)(const gateway::Record&);
  void take_sheet(Request request, Answer answer, MakeAnswer make);
  void accept(const Request& request, const Answer& answer, MakeAnswer make);
  void answer_when_recorded(const gateway::Receipt& receipt, const Answer& answer, MakeAnswer make);
  Reply still_queued(const std::string& uuid) const;
  // On a thread that may wait for the disk; a full line is answered at once.
  void elsewhere(Answer answer, std::function<void()> work);
  static void offer(WorkQueue& line, Answer answer, std::function<void()> work);

  const GatewayServiceSettings settings_;
  gateway::Gateway& gateway_;
  gateway::Ledger& ledger_;
  gateway::Readers& readers_;
  const gateway::Figures& figures_;
  std::atomic<bool> draining_{false};
  Metrics metrics_;
  Gate& gate_;
  GatewayJobs jobs_;
  PagePictures pictures_;
  OfficeRoutes office_;
  const Routes routes_;
  WorkQueue archives_;  // last, with the next two: their threads use the rest
  WorkQueue looks_;
  WorkQueue intake_;
};

}  // namespace alcove::api
