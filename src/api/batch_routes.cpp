#include "api/batch_routes.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "api/status.h"
#include "api/stream_head.h"

namespace alcove::api {
namespace {

// One line of JSON a file.
class Lines final : public BatchSink {
 public:
  explicit Lines(std::shared_ptr<Outflow> out) : out_(std::move(out)) {}
  bool wanted() override { return out_->send({}); }
  void result(const Json& line) override { out_->send(to_text(line) + '\n'); }
  void end() override { out_->end(); }

 private:
  const std::shared_ptr<Outflow> out_;
};

// The number of the last event a client saw; 0 for none, or for what is no number.
std::size_t last_event(const Request& request) {
  const auto asked = form_value(request.query, "last_event_id");
  const std::string text(asked ? std::string_view(*asked) : request.header("last-event-id"));
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

void BatchRoutes::with_upload(Request request, Answer answer, Use use) {
  const auto held = std::make_shared<const Request>(std::move(request));
  space_.submit(
      [this, held, answer, use = std::move(use)](sheets::SheetReader&, double) {
        if (answer.gone()) return answer.send(error_reply({ErrorKind::Unavailable, "the client hung up"}));
        auto upload = BatchUpload::of(held, limits_);
        if (!upload) return answer.send(error_reply(upload.error()));
        use(*std::move(upload), *held, answer);
      },
      [this, answer](const Error& error) { answer.send(busy_reply(error, space_.retry_after())); },
      answer.gone);
}

void BatchRoutes::stream(Request request, Answer answer) {
  with_upload(std::move(request), std::move(answer), [this](auto upload, const Request&, const Answer& back) {
    read_batch(space_, desk_, std::move(upload),
               std::make_shared<Lines>(back.stream(stream_head("application/x-ndjson"))));
  });
}

void BatchRoutes::put_job(Request request, Answer answer) {
  with_upload(std::move(request), std::move(answer),
              [this](auto upload, const Request& asked, const Answer& back) {
                const auto put = jobs_.put(asked.parameter, upload->digest(), upload->size());
                if (!put) return back.send(refused(put.error()));
                back.send(accepted(*put));
                if (put->is_new) read_batch(space_, desk_, std::move(upload), put->job);
              });
}

Reply BatchRoutes::refused(const Error& error) const {
  if (error.kind == ErrorKind::Overloaded) return busy_reply(error, space_.retry_after());
  return error_reply(error, error.code == "other_content" ? 409 : http_status(error.kind));
}

// 202 while it is being read; 200 once there is nothing to wait for.
Reply BatchRoutes::accepted(const JobStore::Put& put) {
  Reply reply{.status = put.job->done() ? 200 : 202, .body = put.job->to_text(), .headers = {}};
  reply.set_header("Location", "/jobs/" + put.job->id());
  reply.set_header("Cache-Control", "no-store");
  if (reply.status == 202) reply.set_header("Retry-After", std::to_string(space_.retry_after()));
  return reply;
}

void BatchRoutes::job(Request request, Answer answer) {
  const auto job = jobs_.find(request.parameter);
  if (!job) return answer.send(error_reply(job.error()));
  Reply reply{.body = (*job)->to_text(), .headers = {}};
  reply.set_header("Cache-Control", "no-store");
  if (!(*job)->done()) reply.set_header("Retry-After", std::to_string(space_.retry_after()));
  answer.send(std::move(reply));
}

void BatchRoutes::events(Request request, Answer answer) {
  const auto job = jobs_.find(request.parameter);
  if (!job) return answer.send(error_reply(job.error()));
  const auto after = last_event(request);
  // What tells a browser's EventSource not to ask again.
  if ((*job)->nothing_after(after)) return answer.send({.status = 204, .headers = {}});
  (*job)->follow(answer.stream(stream_head("text/event-stream")), after);
}

void BatchRoutes::remove_job(Request request, Answer answer) {
  const auto removed = jobs_.remove(request.parameter);
  answer.send(removed ? Reply{.status = 204, .headers = {}} : error_reply(removed.error()));
}

}  // namespace alcove::api
