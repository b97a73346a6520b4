#include "api/gateway_jobs.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "api/status.h"
#include "gateway/intake.h"

namespace alcove::api {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookShared{500};    // for records that other processes write
constexpr milliseconds kHeartbeat{10'000};  // between signs of life to those that follow
constexpr std::int64_t kRecordsAtOnce = 200;
constexpr std::int64_t kRecordsShown = 10'000;

Json line_of(const gateway::Record& record) {
  auto answer = scan_upload_answer(record);
  Json line{{"index", record.batch_index}, {"file", record.original_filename}, {"status", answer.status}};
  line.update(answer.body);
  return line;
}

std::int64_t last_event(const Request& request) {
  const auto asked = form_value(request.query, "last_event_id");
  const std::string text(asked ? std::string_view(*asked) : request.header("last-event-id"));
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0 ? number : 0;
}

Reply no_such_job() {
  return error_reply(
      {ErrorKind::NotFound, "there is no such job; send it with PUT /jobs/{id}", "no_such_job"});
}

}  // namespace

GatewayJobs::GatewayJobs(gateway::Gateway& gateway, gateway::Ledger& ledger, BatchLimits limits)
    : gateway_(gateway), ledger_(ledger), limits_(limits) {
  teller_ = std::jthread([this](const std::stop_token& stop) { tell(stop); });
}

GatewayJobs::~GatewayJobs() = default;

Reply GatewayJobs::put(std::shared_ptr<const Request> request) {
  const auto& id = request->parameter;
  if (!is_sound_id(id))
    return error_reply({ErrorKind::BadInput,
                        "a job's id has 1 to 128 letters, digits, dots, dashes and underscores",
                        "bad_job_id"});
  const auto upload = BatchUpload::of(request, limits_);
  if (!upload) return error_reply(upload.error());
  const auto& split = (*upload)->split();
  if (!split.empty() && split != "covers" && split != "no")
    return error_reply({ErrorKind::BadInput,
                        "split has to be `covers`, to begin a new sheet at each cover page of a PDF, or `no`",
                        "bad_split"});
  const auto job = ledger_.put_job(id, (*upload)->digest(), static_cast<std::int64_t>((*upload)->size()));
  if (!job)
    return error_reply(job.error(),
                       job.error().code == "other_content" ? 409 : http_status(job.error().kind));
  // Every file again when the same job is sent again: what was taken in before a crash is known, the rest is
  // new.
  if (job->recorded < job->files)
    for (std::size_t i = 0; i < (*upload)->size(); ++i)
      if (const auto taken = take(**upload, i, id); !taken) return error_reply(taken.error());
  auto reply = show(id);
  if (reply.status == 200 && job->recorded < job->files) reply.status = 202;
  reply.set_header("Location", "/jobs/" + id);
  return reply;
}

// What is no sheet gets its record too: a stack in which one file was not read must say which.
Result<void> GatewayJobs::take(const BatchUpload& batch, std::size_t index, const std::string& id) {
  const auto file = batch.file(index);
  auto upload = file ? gateway::check_upload(file->file(), batch.name(index), file->exam_type, file->password)
                     : Result<gateway::Upload>(std::unexpected(file.error()));
  if (!upload) {
    upload = gateway::Upload{.file_name = gateway::harmless_name(batch.name(index)),
                             .exam_type = std::string(gateway::kUsualExam),
                             .mime_type = "application/octet-stream",
                             .refusal = upload.error(),
                             .content = file ? file->file() : Bytes()};
  }
  upload->batch = id;
  // A job that is a single PDF is a stack: one sheet alone has /scan-upload.
  upload->is_stack = upload->mime_type == "application/pdf" &&
                     (batch.split().empty() ? batch.size() == 1 : batch.split() == "covers");
  upload->batch_index = static_cast<std::int64_t>(index);
  TRY(gateway_.accept(*upload));
  return {};
}

Reply GatewayJobs::show(const std::string& id) {
  const auto job = ledger_.job(id);
  if (!job) return error_reply(job.error());
  if (!*job) return no_such_job();
  const auto records = ledger_.job_records(id, 0, kRecordsShown);
  if (!records) return error_reply(records.error());
  auto results = Json::array();
  for (const auto& record : *records) results.push_back(line_of(record));
  const bool done = (*job)->recorded >= (*job)->files;
  auto reply = json_reply(200, {{"id", id},
                                {"state", done ? "done" : "reading"},
                                {"files", (*job)->files},
                                {"read", (*job)->recorded},
                                {"results", std::move(results)}});
  reply.set_header("Cache-Control", "no-store");
  if (!done) reply.set_header("Retry-After", "2");
  return reply;
}

void GatewayJobs::follow(const Request& request, const Answer& answer) {
  const auto job = ledger_.job(request.parameter);
  if (!job) return answer.send(error_reply(job.error()));
  if (!*job) return answer.send(no_such_job());
  const auto after = last_event(request);
  // What tells a browser's EventSource not to ask again.
  if (after > (*job)->files && (*job)->recorded >= (*job)->files)
    return answer.send({.status = 204, .headers = {}});
  Reply head{.content_type = "text/event-stream", .headers = {}};
  head.set_header("Cache-Control", "no-store");
  head.set_header("X-Accel-Buffering", "no");  // proxies hand it on as it comes
  auto out = answer.stream(std::move(head));
  {
    const std::lock_guard lock(mutex_);
    followers_.push_back({request.parameter, std::move(out), after});
    news_.insert(request.parameter);
  }
  changed_.notify_all();
}

void GatewayJobs::recorded(const gateway::Record& record) {
  if (record.batch.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    news_.insert(record.batch);
  }
  changed_.notify_all();
}

bool GatewayJobs::catch_up(Follower& follower) {
  const auto records = ledger_.job_records(follower.job, follower.last, kRecordsAtOnce);
  if (!records) return follower.out->send(": the database is away, wait\n\n");
  for (const auto& record : *records) {
    if (!follower.out->send(fmt::format("id: {}\nevent: result\ndata: {}\n\n", record.batch_sequence,
                                        to_text(line_of(record)))))
      return false;
    follower.last = record.batch_sequence;
  }
  // Asked each time: a stack has more sheets than were known at first.
  const auto job = ledger_.job(follower.job);
  if (!job || !*job || follower.last < (*job)->files) return true;
  follower.out->send(
      fmt::format("id: {}\nevent: done\ndata: {{\"files\":{}}}\n\n", follower.last + 1, (*job)->files));
  follower.out->end();
  return false;
}

void GatewayJobs::tell(const std::stop_token& stop) {
  auto beat = std::chrono::steady_clock::now() + kHeartbeat;
  while (!stop.stop_requested()) {
    std::set<std::string> news;
    std::list<Follower> mine;
    bool all = false;
    {
      std::unique_lock lock(mutex_);
      const bool woken = changed_.wait_for(lock, stop, kLookShared, [this] { return !news_.empty(); });
      all = !woken && ledger_.shared();
      news.swap(news_);
      mine.swap(followers_);  // so that nobody waits for the database; others come to an empty list meanwhile
    }
    const bool beats = std::chrono::steady_clock::now() >= beat;
    if (beats) beat += kHeartbeat;
    for (auto follower = mine.begin(); follower != mine.end();) {
      bool stays = true;
      while (stays && (all || news.contains(follower->job))) {
        const auto before = follower->last;
        stays = catch_up(*follower);
        if (follower->last - before < kRecordsAtOnce) break;
      }
      if (stays && beats) stays = follower->out->send(": here\n\n");
      follower = stays ? std::next(follower) : mine.erase(follower);
    }
    const std::lock_guard lock(mutex_);
    followers_.splice(followers_.end(), mine);
  }
  for (const auto& follower : followers_) follower.out->end();
}

}  // namespace alcove::api
