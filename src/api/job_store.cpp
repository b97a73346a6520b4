#include "api/job_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/http.h"

namespace alcove::api {
namespace {

using Clock = std::chrono::steady_clock;

std::unexpected<Error> no_such_job() {
  return fail(ErrorKind::NotFound,
              "no job of this id is here: jobs are kept in memory, for a while and until the server "
              "restarts; send it "
              "again with PUT",
              "no_such_job");
}

}  // namespace

Job::Job(std::string id, std::string digest, std::size_t files)
    : id_(std::move(id)), digest_(std::move(digest)), files_(files) {}

bool Job::done() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

std::uint64_t Job::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

Clock::time_point Job::touched() const {
  const std::lock_guard lock(mutex_);
  return touched_;
}

std::string Job::to_text() const {
  const std::lock_guard lock(mutex_);
  return fmt::format(R"({{"id":"{}","state":"{}","files":{},"read":{},"results":[{}]}})", id_,
                     done_ ? "done" : "reading", files_, lines_.size(), fmt::join(lines_, ","));
}

std::string Job::event(std::size_t number) const {
  if (number <= lines_.size())
    return fmt::format("id: {}\nevent: result\ndata: {}\n\n", number, lines_[number - 1]);
  return fmt::format("id: {}\nevent: done\ndata: {}\n\n", number,
                     alcove::to_text(Json{{"id", id_}, {"files", files_}, {"read", lines_.size()}}));
}

void Job::follow(std::shared_ptr<Outflow> outflow, std::size_t after) {
  const std::lock_guard lock(mutex_);
  std::string past = "retry: 2000\n\n";
  for (auto number = after + 1; number <= lines_.size() + (done_ ? 1 : 0); ++number) past += event(number);
  const bool there = outflow->send(past);
  if (done_ || cancelled_) return outflow->end();
  if (there) followers_.push_back(std::move(outflow));
}

bool Job::nothing_after(std::size_t after) const {
  const std::lock_guard lock(mutex_);
  return done_ && after > lines_.size();
}

void Job::beat() {
  const std::lock_guard lock(mutex_);
  std::erase_if(followers_, [](const auto& outflow) { return !outflow->send(": still reading\n\n"); });
}

void Job::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  for (const auto& outflow : followers_) outflow->end();
  followers_.clear();
}

bool Job::wanted() {
  const std::lock_guard lock(mutex_);
  return !cancelled_;
}

void Job::result(const Json& line) {
  auto text = alcove::to_text(line);
  const std::lock_guard lock(mutex_);
  bytes_ += text.size();
  touched_ = Clock::now();
  lines_.push_back(std::move(text));
  const auto sent = event(lines_.size());
  std::erase_if(followers_, [&](const auto& outflow) { return !outflow->send(sent); });
}

void Job::end() {
  const std::lock_guard lock(mutex_);
  done_ = true;
  touched_ = Clock::now();
  const auto last = event(lines_.size() + 1);
  for (const auto& outflow : followers_) {
    outflow->send(last);
    outflow->end();
  }
  followers_.clear();
}

JobStore::JobStore(JobLimits limits) : limits_(limits), heart_([this] { beat(); }) {}

JobStore::~JobStore() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  heart_.join();
}

Result<JobStore::Put> JobStore::put(const std::string& id, const std::string& digest, std::size_t files) {
  if (!is_sound_id(id))
    return fail(ErrorKind::BadInput, "a job's id is 1 to 128 letters, digits, dots, dashes and underscores",
                "bad_job_id");
  const std::lock_guard lock(mutex_);
  sweep();
  if (const auto found = jobs_.find(id); found != jobs_.end()) {
    if (found->second->digest() == digest) return Put{found->second, false};
    return fail(ErrorKind::BadInput, "this id stands for other files already; choose a new id for these",
                "other_content");
  }
  if (jobs_.size() >= limits_.jobs)
    return fail(ErrorKind::Overloaded,
                fmt::format("{} jobs are being read already; try again in a moment", jobs_.size()),
                "overloaded");
  return Put{jobs_.emplace(id, std::make_shared<Job>(id, digest, files)).first->second, true};
}

Result<std::shared_ptr<Job>> JobStore::find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  sweep();
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return no_such_job();
  return found->second;
}

Result<void> JobStore::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return no_such_job();
  found->second->cancel();
  jobs_.erase(found);
  return {};
}

std::size_t JobStore::size() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

void JobStore::sweep() {
  const auto now = Clock::now();
  std::uint64_t bytes = 0;
  std::vector<std::shared_ptr<Job>> done;
  for (const auto& [id, job] : jobs_) {
    bytes += job->bytes();
    if (job->done()) done.push_back(job);
  }
  std::ranges::sort(done, {}, [](const auto& job) { return job->touched(); });
  for (const auto& job : done) {
    // The count leaves room for one more.
    if (now - job->touched() <= limits_.age && jobs_.size() < limits_.jobs && bytes <= limits_.result_bytes)
      continue;
    bytes -= job->bytes();
    jobs_.erase(job->id());
  }
}

void JobStore::beat() {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, limits_.heartbeat, [this] { return stop_; })) {
    sweep();
    for (const auto& [id, job] : jobs_) job->beat();
  }
}

}  // namespace alcove::api
