#pragma once
// The Space that reads sheets elsewhere: whether it is there, waking it ahead of need, and asking it to read.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "gateway/space_address.h"
#include "gateway/space_reply.h"
#include "net/http_client.h"

namespace alcove::gateway {

struct SpaceSettings {
  SpaceAddress address;
  std::string token;                                // of the Space itself (its ALCOVE_TOKEN); empty: none
  std::string hub_token;                            // for a private Space; goes to it as X-HF-Authorization
  std::chrono::milliseconds reading{30'000};        // one sheet in one exchange; proxies cut at 60 s
  std::chrono::milliseconds job{300'000};           // one sheet by the Space's job interface
  std::chrono::milliseconds probe{10'000};          // one look at whether it is there
  std::chrono::milliseconds first_look{200};        // before the second look; doubles
  std::chrono::milliseconds longest_wake{150'000};  // a Space that starts for longer is taken for dead
  std::chrono::milliseconds open_circuit{
      30'000};                  // after three readings in a row that failed; doubles to ten times that
  std::function<void()> awake;  // called from the probing thread when it has become so
};

struct SheetToRead {
  std::string uuid;  // one for all tries of a sheet: the Space may know by it that it has read it
  std::string file_name, exam_type, password;
  Bytes content;
};

// Safe from any thread.
class Space {
 public:
  struct View {
    SpaceState state = SpaceState::Unknown;
    std::string why, reason;  // as in Verdict
    std::string url, logs;
    std::int64_t cold_starts = 0;
    double cold_start_seconds = 0;  // of all of them
    bool circuit_open = false;
  };

  explicit Space(SpaceSettings settings);
  ~Space();

  View view() const;
  // Somebody will want it soon: look now, and often, unless it was heard of just now.
  void wake();
  bool may_read() const;  // awake, and the circuit closed
  // Until it is neither unknown nor waking, `limit` is over, or `stop` is set.
  void wait_while_waking(std::chrono::milliseconds limit, const std::stop_token& stop);

  // The reading, or that the sheet cannot be read (Outcome::error). Unavailable when it did not come to that,
  // its code the verdict's reason, its sentence with the link to the logs; Overloaded when the Space is full.
  Result<Outcome> read(const SheetToRead& sheet, const std::stop_token& stop);

 private:
  using Clock = std::chrono::steady_clock;
  void probe_on(const std::stop_token& stop);
  Verdict look(const std::stop_token& stop);
  void take(Verdict verdict);  // of a probe
  void note_failure(const Verdict& verdict);
  void note_success();
  net::Request request(std::string method, const std::string& path, const std::stop_token& stop) const;
  Result<net::Reply> post(const SheetToRead& sheet, const std::stop_token& stop) const;
  std::optional<Outcome> read_as_job(const SheetToRead& sheet, const std::stop_token& stop) const;

  const SpaceSettings settings_;
  const net::Client client_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Verdict verdict_;
  Clock::time_point heard_{};         // the last answer of any kind that counts
  Clock::time_point wanted_until_{};  // somebody waits: look often
  Clock::time_point waking_since_{};
  Clock::time_point open_until_{};
  std::chrono::milliseconds pause_;  // before the next look
  int failures_ = 0;                 // readings in a row
  bool look_now_ = true;
  std::int64_t cold_starts_ = 0;
  double cold_start_seconds_ = 0;
  std::atomic<bool> is_alcove_{false};  // it may be asked for more than the contract has
  std::jthread prober_;                 // last: it uses the rest
};

}  // namespace alcove::gateway
