#pragma once
// The routes of the office's pages: what waits for a person, what a person says, how an exam stands.

#include "api/page_picture.h"
#include "api/routes.h"
#include "gateway/office.h"

namespace alcove::api {

// Safe from any thread.
class OfficeRoutes {
 public:
  // Seams of the service: work that waits for the disk goes `elsewhere`, which answers by itself when it is
  // full; `who` names the caller that was let in.
  struct Service {
    using Line = std::function<void(Answer, std::function<void()>)>;
    Line elsewhere;
    // The same for what takes long, and is to hold up nobody else: opening pages, and sending what a caller
    // may take slowly.
    Line looking, at_leisure;
    std::function<std::string(const Request&)> who;
  };
  OfficeRoutes(gateway::OfficeDesk& desk, gateway::Ledger& ledger, PagePictures& pictures, Service service)
      : desk_(desk), ledger_(ledger), pictures_(pictures), service_(std::move(service)) {}

  std::vector<Route> routes();

 private:
  using Work = Reply (OfficeRoutes::*)(const Request&);
  Route route(Method method, std::string path, Work work,
              Service::Line Service::* line = &Service::elsewhere);

  Reply queue(const Request&);    // GET /review
  Reply sheet(const Request&);    // GET /review/{uuid}
  Reply answer(const Request&);   // POST /review/{uuid}
  Reply hold(const Request&);     // POST /review/{uuid}/hold
  Reply picture(const Request&);  // GET /records/{uuid}/page
  Reply exams(const Request&);    // GET /exams
  Reply exam(const Request&);     // GET /exam?exam_type=&subject_code=&attempt=
  Reply people(const Request&);   // GET /people?q=
  Reply roster(const Request&);   // POST /roster?name=&preview=1
  // GET /export?format=csv|jsonl|zip|moodle&exam_type=&subject_code=&attempt=; archives go out piece by piece
  void take_out(const Request&, const Answer&);

  gateway::OfficeDesk& desk_;
  gateway::Ledger& ledger_;
  PagePictures& pictures_;
  const Service service_;
};

// 404 for an id that no sheet has.
Reply no_such_record();

}  // namespace alcove::api
