#include "gateway/readers.h"

#include <fmt/format.h>

#include <array>

namespace alcove::gateway {
namespace {

constexpr std::array kPolicies{std::pair{Policy::RemoteFirst, std::string_view("remote-first")},
                               std::pair{Policy::Fastest, std::string_view("fastest")},
                               std::pair{Policy::LocalFirst, std::string_view("local-first")},
                               std::pair{Policy::RemoteOnly, std::string_view("remote-only")}};

void learn(std::atomic<double>& lately, double milliseconds) { lately = 0.7 * lately + 0.3 * milliseconds; }

bool is_of_the_sheet(const Error& error) {
  return error.kind != ErrorKind::Unavailable && error.kind != ErrorKind::Overloaded &&
         error.kind != ErrorKind::Internal && error.kind != ErrorKind::NotFound;
}

}  // namespace

Result<Policy> parse_policy(std::string_view name) {
  for (const auto& [policy, word] : kPolicies)
    if (word == name) return policy;
  return fail(ErrorKind::BadInput,
              fmt::format("{} is no policy; choose remote-first, fastest, local-first or remote-only", name));
}

std::string_view name_of(Policy policy) {
  for (const auto& [each, word] : kPolicies)
    if (each == policy) return word;
  return {};
}

std::string Readers::advice() const {
  if (!any())
    return "nothing can read sheets here: set HF_SPACE_URL to a Space, or give a folder with models "
           "(--models)";
  if (space_ == nullptr) return "the models cannot be used; the log says why";
  const auto view = space_->view();
  return fmt::format("the Space is {}{}{}; its logs: {}", name_of(view.state), view.why.empty() ? "" : ": ",
                     view.why, view.logs);
}

bool Readers::remote_goes_first() const {
  if (space_ == nullptr || settings_.policy == Policy::LocalFirst) return false;
  if (settings_.policy != Policy::Fastest) return true;
  return space_->may_read() && remote_ms_ < local_ms_;
}

Result<Outcome> Readers::read(const SheetToRead& sheet, std::chrono::milliseconds age,
                              const std::stop_token& stop) {
  const bool remote_first = remote_goes_first();
  auto first = remote_first ? read_there(sheet, age, stop) : read_here(sheet);
  const bool has_second = remote_first ? can_read_here() : space_ != nullptr;
  if (!first && has_second && !stop.stop_requested()) {
    const auto reason = first.error().code.empty() ? std::string("unavailable") : first.error().code;
    auto second = remote_first ? read_here(sheet) : read_there(sheet, age, stop);
    if (second) {
      second->fallback = reason;
      figures_.fell_back(reason);
    }
    // Of two that could not, the first choice's reason is the one somebody has to mend.
    if (second || !remote_first) first = std::move(second);
  }
  if (first) figures_.read_by(name_of(first->served_by));
  return first;
}

Result<Outcome> Readers::read_there(const SheetToRead& sheet, std::chrono::milliseconds age,
                                    const std::stop_token& stop) {
  if (age < settings_.hold) {
    space_->wake();
    space_->wait_while_waking(settings_.hold - age, stop);
  }
  if (!space_->may_read()) {
    const auto view = space_->view();
    return fail(ErrorKind::Unavailable, advice(),
                view.circuit_open ? "circuit_open" : std::string(name_of(view.state)));
  }
  auto outcome = space_->read(sheet, stop);
  if (outcome) learn(remote_ms_, outcome->milliseconds);
  return outcome;
}

Result<Outcome> Readers::read_here(const SheetToRead& sheet) {
  if (!can_read_here()) return fail(ErrorKind::Unavailable, advice(), "no_models");
  const auto started = std::chrono::steady_clock::now();
  const auto text = here_(sheet);
  if (!text && !is_of_the_sheet(text.error())) return std::unexpected(text.error());
  auto outcome = text ? outcome_of_json(200, *text) : Outcome{.error = text.error()};
  if (!outcome) return fail(ErrorKind::Internal, "the local reading is not what it should be");
  outcome->served_by = Server::Local;
  outcome->milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count();
  learn(local_ms_, outcome->milliseconds);
  return *std::move(outcome);
}

}  // namespace alcove::gateway
