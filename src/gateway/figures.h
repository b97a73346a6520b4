#pragma once
// What the gateway counts, as Prometheus reads it.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace alcove::gateway {

// Safe from any thread.
class Figures {
 public:
  void uploaded(bool known) { add(known ? "again" : "new", uploads_); }
  void read_by(std::string_view server) { add(server, reads_); }        // "remote", "local"
  void fell_back(std::string_view reason) { add(reason, fallbacks_); }  // a word of ours
  void recorded(std::string_view status) { add(status, records_); }

  std::string text() const;  // text format 0.0.4

 private:
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  void add(std::string_view label, Counts& counts);

  mutable std::mutex mutex_;
  Counts uploads_, reads_, fallbacks_, records_;
};

}  // namespace alcove::gateway
