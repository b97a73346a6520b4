#pragma once
// Who may: accounts of people with their sessions, and tokens of scanners. Home of libsodium.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/connection.h"

namespace alcove::gateway {

enum class Right { Read, Upload, Review, Administer };
// viewer: Read; staff: that, Upload and Review; administrator: all. Of a token: the rights it was made with.
using Rights = std::vector<Right>;
std::optional<Rights> rights_of_role(std::string_view role);
std::optional<Rights> parse_rights(std::string_view comma_separated);  // "upload,read"

struct Admitted {
  std::string who;   // the account, or the token's name
  std::string role;  // "token" for those
  std::string csrf;  // of a session: what a page has to send along with whatever changes something
  Rights rights;

  bool may(Right right) const;
};

struct Account {
  std::string name, role;  // of a token: its rights
  bool active = true;      // false: nobody signs in with it
  bool has_password = true;
};

constexpr std::size_t kLeastPassword = 10, kMostPassword = 1024, kMostName = 64;
constexpr std::chrono::hours kSessionTime{12}, kLinkTime{72};

// Passwords are kept as argon2id, sessions and tokens as SHA-256 of 256 random bits. Safe from any thread,
// and beside other processes, whose changes are seen within two seconds.
class AccountBook {
 public:
  // In the data folder, beside the class lists, or in the database of `address` if that is not empty.
  static Result<std::unique_ptr<AccountBook>> open(const std::filesystem::path& data,
                                                   const std::string& address);

  // From the first account on, everybody has to say who they are.
  Result<bool> in_force();
  // The word of the administrator's one-time link; each call makes a new one. None once there is an account.
  Result<std::optional<std::string>> setup_word();
  // The administrator's account, once. BadInput ("no_setup") for another word, or one that was used.
  Result<void> set_up(const std::string& word, const std::string& name, const std::string& password);

  // A session's secret. BadInput ("wrong_password") alike for a wrong name and a wrong password; Overloaded
  // ("locked_out") for a while after five of them, longer each time, and ("overloaded") while many sign in,
  // or after many wrong passwords within a minute, whoever they were for.
  Result<std::string> sign_in(const std::string& name, const std::string& password);
  void sign_out(const std::string& secret);
  Result<std::optional<Admitted>> session(const std::string& secret);  // none: forged, expired or signed out
  Result<std::optional<Admitted>> token(const std::string& secret);

  Result<void> add(const std::string& name, const std::string& password, const std::string& role);
  // An account without a password, for which link_word() gives the way in.
  Result<void> invite(const std::string& name, const std::string& role);
  // The word of a one-time link with which somebody chooses a new password for it; good for kLinkTime, and
  // each call makes the one before worthless. NotFound ("no_such_account").
  Result<std::string> link_word(const std::string& name);
  // Sets the password and gives the secret of a session, as sign_in(). BadInput ("no_link") for a word that
  // was used, is too old, was never given, or is of an account that was put out of use.
  Result<std::string> choose_password(const std::string& word, const std::string& password);
  // What is given changes, at once for whoever is signed in. False: there is no such account. BadInput
  // ("last_administrator") for what would leave nobody to administer, as for remove().
  Result<bool> change(const std::string& name, const std::optional<std::string>& role,
                      std::optional<bool> active);
  Result<bool> remove(const std::string& name);  // with its sessions
  Result<std::vector<Account>> accounts();
  Result<std::string> add_token(const std::string& name,
                                const std::string& rights);  // gives the secret, once
  Result<bool> remove_token(const std::string& name);
  Result<std::vector<Account>> tokens();

 private:
  using Clock = std::chrono::steady_clock;
  struct Failures {
    int count = 0;
    Clock::time_point until;
  };
  struct Seen {
    std::optional<Admitted> admitted;
    Clock::time_point until;
  };

  explicit AccountBook(store::Connection connection) : connection_(std::move(connection)) {}
  Result<void> check_lock(const std::string& name);
  void count_failure(const std::string& name);
  Result<std::string> make_session(const std::string& name);
  Result<std::optional<Admitted>> look_up(std::string_view sql, const std::string& digest);
  Result<void> insert(const std::string& name, const std::string& hash, const std::string& role);
  Result<void> must_leave_an_administrator();  // in the transaction that changed something

  std::mutex mutex_;    // of all but the hashing
  std::mutex hashing_;  // one at a time: each takes 32 MiB
  std::atomic<int> in_line_{0};
  store::Connection connection_;
  bool in_force_ = false;
  std::map<std::string, Failures> failures_;  // by name
  Failures lately_;                           // of all names; until: the end of their minute
  std::map<std::string, Seen> seen_;          // by digest
};

}  // namespace alcove::gateway
