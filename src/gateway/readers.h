#pragma once
// Who reads a sheet: the Space, or this program itself.

#include <atomic>
#include <functional>

#include "gateway/figures.h"
#include "gateway/space.h"

namespace alcove::gateway {

enum class Policy {
  RemoteFirst,  // the Space, waiting for it up to a limit while it wakes; then here
  Fastest,      // whichever has been faster lately, of those that are there
  LocalFirst,   // here; the Space when that fails
  RemoteOnly,
};
Result<Policy> parse_policy(std::string_view name);
std::string_view name_of(Policy policy);

// Reads a sheet in this process; loads the models on first need. The contract's JSON with status 200, or an
// error as the decoder gives it; Unavailable when the models cannot be used. Safe from any thread.
using ReadHere = std::function<Result<std::string>(const SheetToRead&)>;

struct ReadersSettings {
  Policy policy = Policy::RemoteFirst;
  std::chrono::milliseconds hold{
      50'000};  // how long a sheet waits for a Space that wakes before it is read here
};

// Safe from any thread.
class Readers {
 public:
  // Either may be missing: `space` null, `here` empty.
  Readers(ReadersSettings settings, Space* space, ReadHere here, Figures& figures)
      : settings_(settings), space_(space), here_(std::move(here)), figures_(figures) {}

  bool can_read_here() const { return here_ && settings_.policy != Policy::RemoteOnly; }
  bool any() const { return space_ != nullptr || can_read_here(); }
  // Whether a sheet taken up now would be read, or at least waited for with a way out.
  bool ready() const { return can_read_here() || (space_ != nullptr && space_->may_read()); }
  Space* space() const { return space_; }
  const ReadersSettings& settings() const { return settings_; }
  // What whoever cannot be served is told to do.
  std::string advice() const;

  // The outcome, with whoever read it and why the first choice did not. Unavailable or Overloaded: later,
  // perhaps.
  Result<Outcome> read(const SheetToRead& sheet, std::chrono::milliseconds age, const std::stop_token& stop);

 private:
  bool remote_goes_first() const;
  Result<Outcome> read_there(const SheetToRead& sheet, std::chrono::milliseconds age,
                             const std::stop_token& stop);
  Result<Outcome> read_here(const SheetToRead& sheet);

  const ReadersSettings settings_;
  Space* const space_;
  const ReadHere here_;
  Figures& figures_;
  std::atomic<double> remote_ms_{1000}, local_ms_{2000};  // lately; guesses until something was read
};

}  // namespace alcove::gateway
