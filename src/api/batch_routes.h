#pragma once
// The routes for many sheets at once: results as they come, or a job to come back for.

#include "api/batch.h"
#include "api/job_store.h"
#include "api/server.h"

namespace alcove::api {

// One function a route, called on socket threads.
class BatchRoutes {
 public:
  BatchRoutes(SheetSpace& space, const SheetDesk& desk, BatchLimits limits, JobLimits jobs)
      : space_(space), desk_(desk), limits_(limits), jobs_(jobs) {}

  void stream(Request, Answer);      // POST /extract/batch
  void put_job(Request, Answer);     // PUT /jobs/{id}
  void job(Request, Answer);         // GET /jobs/{id}
  void events(Request, Answer);      // GET /jobs/{id}/events
  void remove_job(Request, Answer);  // DELETE /jobs/{id}

  std::size_t jobs() const { return jobs_.size(); }
  const BatchLimits& limits() const { return limits_; }

 private:
  // Parses on a worker, since a large form takes longer than a socket thread may; `use` gets what came.
  using Use = std::function<void(std::shared_ptr<const BatchUpload>, const Request&, const Answer&)>;
  void with_upload(Request request, Answer answer, Use use);
  Reply refused(const Error& error) const;
  Reply accepted(const JobStore::Put& put);

  SheetSpace& space_;
  const SheetDesk& desk_;
  const BatchLimits limits_;
  JobStore jobs_;
};

}  // namespace alcove::api
