#pragma once
// What the paper finder answers: one table of routes, one function each.

#include "api/chroma.h"
#include "api/finder_space.h"
#include "api/finder_tools.h"
#include "api/routes.h"

namespace alcove::api {

constexpr std::uint64_t kFinderBodyLimit = 8 << 20;  // of a question, bytes

class FinderService final : public Service {
 public:
  FinderService(Door door, FinderSpace& space);

  std::optional<Reply> refuse(const Request& head) override;
  void handle(Request request, Answer answer) override;
  void finished(const Finished& request) override { routes_.finished(request, metrics_); }
  int retry_after() const override { return 1; }

 private:
  std::vector<Route> make_routes();
  std::vector<Route> dialects();
  std::optional<Reply> refuse_change(Request request) const;
  void root(Request, Answer);
  void health(Request, Answer);
  void ready(Request, Answer);
  void status(Request, Answer);
  void metrics(Request, Answer);
  void search(Request, Answer);
  void paper(Request, Answer);
  void export_papers(Request, Answer);
  void embeddings(Request, Answer);
  void index(Request, Answer);
  void control_index(Request, Answer);
  Json index_json() const;

  // On a worker, with the index there is.
  void with_index(UseFinder use, std::function<bool()> gone = {});
  using Ask = std::function<Reply(papers::Finder&)>;
  void answer_with_index(Answer answer, Ask ask);

  FinderSpace& space_;
  Metrics metrics_;
  Gradio gradio_;
  Mcp mcp_;
  Chroma chroma_;
  const Routes routes_;
};

}  // namespace alcove::api
