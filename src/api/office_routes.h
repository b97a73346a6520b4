#pragma once
// The routes of the office's pages: what waits for a person, what a person says, how an exam stands.

#include "api/page_picture.h"
#include "api/routes.h"
#include "gateway/office.h"

namespace alcove::api {

// Safe from any thread.
class OfficeRoutes {
 public:
  // Work that waits for the disk goes through `elsewhere`, which answers by itself when it is full.
  using Elsewhere = std::function<void(Answer, std::function<void()>)>;
  OfficeRoutes(gateway::OfficeDesk& desk, gateway::Ledger& ledger, Elsewhere elsewhere)
      : desk_(desk), ledger_(ledger), elsewhere_(std::move(elsewhere)) {}

  std::vector<Route> routes();

 private:
  using Work = Reply (OfficeRoutes::*)(const Request&);
  Route route(Method method, std::string path, Work work);

  Reply queue(const Request&);    // GET /review
  Reply sheet(const Request&);    // GET /review/{uuid}
  Reply answer(const Request&);   // POST /review/{uuid}
  Reply hold(const Request&);     // POST /review/{uuid}/hold
  Reply picture(const Request&);  // GET /records/{uuid}/page
  Reply exams(const Request&);    // GET /exams
  Reply exam(const Request&);     // GET /exam?exam_type=&subject_code=&attempt=
  Reply people(const Request&);   // GET /people?q=
  Reply roster(const Request&);   // POST /roster?name=&preview=1

  gateway::OfficeDesk& desk_;
  gateway::Ledger& ledger_;
  const Elsewhere elsewhere_;
  PagePictures pictures_;
};

}  // namespace alcove::api
