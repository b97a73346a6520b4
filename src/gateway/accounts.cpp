#include "gateway/accounts.h"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/sha256.h"
#include "gateway/class_lists.h"
#include "gateway/clock.h"
#include "store/migrations.h"

namespace alcove::gateway {
namespace {

using std::chrono::seconds;

// OWASP asks for at least 19 MiB and two passes; more memory would hurt a small host.
constexpr unsigned long long kPasses = 3;
constexpr std::size_t kMemory = 32 << 20;
constexpr int kMostInLine = 3;  // who waits for a password to be checked keeps a thread
constexpr int kFailuresAllowed = 5, kFailuresAMinute = 60;
constexpr seconds kFirstLock{30}, kLongestLock{15 * 60};
constexpr std::size_t kMostRemembered = 10'000;  // names with failures, and secrets that were looked up
constexpr seconds kRemembered{2};

constexpr std::array kAccountSchema{store::Migration{"accounts", R"(
CREATE TABLE accounts (
  name TEXT PRIMARY KEY,
  hash TEXT NOT NULL,                  -- argon2id, with its salt and cost
  role TEXT NOT NULL,                  -- viewer, staff, administrator
  created_at BIGINT NOT NULL);
CREATE TABLE sessions (
  digest TEXT PRIMARY KEY,             -- SHA-256 of the cookie
  account TEXT NOT NULL,
  csrf TEXT NOT NULL,
  expires_at BIGINT NOT NULL);
CREATE TABLE access_tokens (
  name TEXT PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  rights TEXT NOT NULL,
  created_at BIGINT NOT NULL);
CREATE TABLE setup (digest TEXT PRIMARY KEY);
)"},
                                    store::Migration{"accounts that rest, and links to come in", R"(
ALTER TABLE accounts ADD COLUMN active BIGINT NOT NULL DEFAULT 1;
CREATE TABLE links (
  account TEXT PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,         -- SHA-256 of the word
  expires_at BIGINT NOT NULL);
)"}};

constexpr std::array<std::pair<std::string_view, Right>, 4> kRights{{{"read", Right::Read},
                                                                     {"upload", Right::Upload},
                                                                     {"review", Right::Review},
                                                                     {"administer", Right::Administer}}};

// A place in a short line, as long as this lives.
class Place {
 public:
  explicit Place(std::atomic<int>& line) : line_(line), number_(++line) {}
  Place(const Place&) = delete;
  ~Place() { --line_; }
  bool is_free() const { return number_ <= kMostInLine; }

 private:
  std::atomic<int>& line_;
  const int number_;
};

std::string digest_of(const std::string& secret) { return sha256_hex(as_bytes(secret)); }

std::string random_word() {
  std::array<unsigned char, 32> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  std::string word;
  for (const auto byte : bytes) word += fmt::format("{:02x}", byte);
  return word;
}

Result<std::string> hash_of(const std::string& password) {
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), kPasses, kMemory,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(ErrorKind::Overloaded, "there is no memory to check a password; try again in a moment");
  return std::string(hash.data());
}

Result<void> check_name(const std::string& name) {
  const bool is_clean =
      std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '/'; });
  if (!name.empty() && name.size() <= kMostName && is_clean && name.front() != ' ' && name.back() != ' ')
    return {};
  return fail(ErrorKind::BadInput, fmt::format("a name has 1 to {} characters, without slashes", kMostName),
              "bad_name");
}

Result<void> check_password(const std::string& password) {
  if (password.size() >= kLeastPassword && password.size() <= kMostPassword) return {};
  return fail(ErrorKind::BadInput, fmt::format("a password has at least {} characters", kLeastPassword),
              "short_password");
}

Result<void> check_role(const std::string& role) {
  if (rights_of_role(role)) return {};
  return fail(ErrorKind::BadInput, "a role is viewer, staff or administrator", "bad_role");
}

}  // namespace

std::optional<Rights> rights_of_role(std::string_view role) {
  if (role == "viewer") return Rights{Right::Read};
  if (role == "staff") return Rights{Right::Read, Right::Upload, Right::Review};
  if (role == "administrator") return Rights{Right::Read, Right::Upload, Right::Review, Right::Administer};
  return std::nullopt;
}

std::optional<Rights> parse_rights(std::string_view text) {
  Rights rights;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const auto row = std::ranges::find(kRights, word, &std::pair<std::string_view, Right>::first);
    if (row == kRights.end()) return std::nullopt;
    rights.push_back(row->second);
  }
  return rights.empty() ? std::nullopt : std::optional(rights);
}

bool Admitted::may(Right right) const { return std::ranges::find(rights, right) != rights.end(); }

Result<std::unique_ptr<AccountBook>> AccountBook::open(const std::filesystem::path& data,
                                                       const std::string& address) {
  if (sodium_init() < 0) return fail(ErrorKind::Internal, "libsodium cannot be used on this machine");
  if (address.empty()) ::mkdir(data.c_str(), 0700);  // when that fails, the next line says why
  auto connection = TRY(store::Connection::open(address.empty() ? (data / kListsFile).string() : address));
  TRY(store::migrate(connection, "accounts", kAccountSchema));
  return std::unique_ptr<AccountBook>(new AccountBook(std::move(connection)));
}

Result<bool> AccountBook::in_force() {
  const std::lock_guard lock(mutex_);
  if (!in_force_) in_force_ = TRY(connection_.first("SELECT name FROM accounts LIMIT 1")).has_value();
  return in_force_;
}

Result<std::optional<std::string>> AccountBook::setup_word() {
  if (TRY(in_force())) return std::nullopt;
  auto word = random_word();
  const std::lock_guard lock(mutex_);
  const auto written = connection_.transaction([&]() -> Result<void> {
    TRY(connection_.execute("DELETE FROM setup"));
    TRY(connection_.execute("INSERT INTO setup (digest) VALUES ($1)", digest_of(word)));
    return {};
  });
  if (!written) return std::unexpected(written.error());
  return word;
}

Result<void> AccountBook::set_up(const std::string& word, const std::string& name,
                                 const std::string& password) {
  TRY(check_name(name));
  TRY(check_password(password));
  const auto refused = [] {
    return fail(ErrorKind::BadInput,
                "this link was used already, or a later start of the gateway printed another one",
                "no_setup");
  };
  {
    // A stranger's word costs no hashing.
    const std::lock_guard lock(mutex_);
    if (!TRY(connection_.first("SELECT digest FROM setup WHERE digest = $1", digest_of(word))))
      return refused();
  }
  const auto hash = TRY(hash_of(password));
  const std::lock_guard lock(mutex_);
  return connection_.transaction([&]() -> Result<void> {
    const auto used = TRY(connection_.execute("DELETE FROM setup WHERE digest = $1", digest_of(word)));
    if (used == 0) return refused();
    return insert(name, hash, "administrator");
  });
}

Result<void> AccountBook::insert(const std::string& name, const std::string& hash, const std::string& role) {
  const auto written =
      TRY(connection_.execute("INSERT INTO accounts (name, hash, role, created_at) VALUES ($1, $2, $3, $4) "
                              "ON CONFLICT (name) DO NOTHING",
                              name, hash, role, now_ms()));
  if (written == 0)
    return fail(ErrorKind::BadInput, "there is an account of that name already", "name_taken");
  return {};
}

Result<void> AccountBook::check_lock(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (lately_.count >= kFailuresAMinute && lately_.until > Clock::now())
    return fail(ErrorKind::Overloaded, "too many wrong passwords at this moment; try again in a minute",
                "overloaded");
  const auto found = failures_.find(name);
  if (found == failures_.end() || found->second.until <= Clock::now()) return {};
  const auto left = std::chrono::ceil<seconds>(found->second.until - Clock::now());
  return fail(ErrorKind::Overloaded,
              fmt::format("too many wrong passwords for this name; try again in {} s", left.count()),
              "locked_out");
}

void AccountBook::count_failure(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (lately_.until <= Clock::now()) lately_ = {0, Clock::now() + seconds(60)};
  ++lately_.count;
  if (failures_.size() >= kMostRemembered) failures_.clear();
  auto& failures = failures_[name];
  if (++failures.count < kFailuresAllowed) return;
  const int doublings = std::min(failures.count - kFailuresAllowed, 6);
  failures.until = Clock::now() + std::min(kFirstLock * (1 << doublings), kLongestLock);
}

Result<std::string> AccountBook::sign_in(const std::string& name, const std::string& password) {
  if (name.size() > kMostName || password.size() > kMostPassword)
    return fail(ErrorKind::BadInput, "name or password is wrong", "wrong_password");
  TRY(check_lock(name));
  const Place place(in_line_);
  if (!place.is_free())
    return fail(ErrorKind::Overloaded, "many are signing in at this moment; try again in a moment",
                "overloaded");
  const std::unique_lock one(hashing_);
  TRY(check_lock(name));  // those before in the line may have locked it
  std::string hash;
  {
    const std::lock_guard lock(mutex_);
    const auto row = TRY(connection_.first("SELECT hash FROM accounts WHERE name = $1 AND active = 1", name));
    if (row) hash = row->text(0);
  }
  // A name that does not exist takes as long as one that does.
  static const auto kNobody = hash_of(random_word()).value_or("");
  const auto& compared = hash.empty() ? kNobody : hash;
  const bool fits = crypto_pwhash_str_verify(compared.c_str(), password.data(), password.size()) == 0;
  if (!fits || hash.empty()) {
    count_failure(name);
    return fail(ErrorKind::BadInput, "name or password is wrong", "wrong_password");
  }
  const std::lock_guard lock(mutex_);
  failures_.erase(name);
  return make_session(name);
}

Result<std::string> AccountBook::make_session(const std::string& name) {
  auto secret = random_word();
  const auto now = now_ms();
  const auto lasts = std::chrono::milliseconds(kSessionTime).count();
  TRY(connection_.execute("DELETE FROM sessions WHERE expires_at < $1", now));
  TRY(connection_.execute("INSERT INTO sessions (digest, account, csrf, expires_at) VALUES ($1, $2, $3, $4)",
                          digest_of(secret), name, random_word(), now + lasts));
  return secret;
}

void AccountBook::sign_out(const std::string& secret) {
  const auto digest = digest_of(secret);
  const std::lock_guard lock(mutex_);
  seen_.erase(digest);
  (void)connection_.execute("DELETE FROM sessions WHERE digest = $1", digest);  // else its time ends it
}

Result<std::optional<Admitted>> AccountBook::look_up(std::string_view sql, const std::string& digest) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (const auto found = seen_.find(digest); found != seen_.end() && found->second.until > now)
    return found->second.admitted;
  const auto row = TRY(connection_.first(sql, digest, now_ms()));
  Seen seen{.admitted = {}, .until = now + kRemembered};
  if (row) {
    const bool is_token = row->text(1) == "token";
    auto rights = is_token ? parse_rights(row->text(2)) : rights_of_role(row->text(1));
    seen.admitted =
        Admitted{row->text(0), row->text(1), is_token ? "" : row->text(2), rights.value_or(Rights{})};
  }
  if (seen_.size() >= kMostRemembered) seen_.clear();
  seen_.insert_or_assign(digest, seen);
  return seen.admitted;
}

Result<std::optional<Admitted>> AccountBook::session(const std::string& secret) {
  return look_up(
      "SELECT accounts.name, accounts.role, sessions.csrf FROM sessions JOIN accounts ON accounts.name = "
      "sessions.account WHERE sessions.digest = $1 AND sessions.expires_at > $2 AND accounts.active = 1",
      digest_of(secret));
}

Result<std::optional<Admitted>> AccountBook::token(const std::string& secret) {
  return look_up("SELECT name, 'token', rights FROM access_tokens WHERE digest = $1 AND created_at <= $2",
                 digest_of(secret));
}

Result<void> AccountBook::add(const std::string& name, const std::string& password, const std::string& role) {
  TRY(check_name(name));
  TRY(check_password(password));
  TRY(check_role(role));
  const auto hash = TRY(hash_of(password));
  const std::lock_guard lock(mutex_);
  return insert(name, hash, role);
}

Result<void> AccountBook::invite(const std::string& name, const std::string& role) {
  TRY(check_name(name));
  TRY(check_role(role));
  const std::lock_guard lock(mutex_);
  return insert(name, "", role);
}

Result<std::string> AccountBook::link_word(const std::string& name) {
  auto word = random_word();
  const auto until = now_ms() + std::chrono::milliseconds(kLinkTime).count();
  const std::lock_guard lock(mutex_);
  if (!TRY(connection_.first("SELECT name FROM accounts WHERE name = $1", name)))
    return fail(ErrorKind::NotFound, "there is no such account", "no_such_account");
  TRY(connection_.execute(
      "INSERT INTO links (account, digest, expires_at) VALUES ($1, $2, $3) ON CONFLICT "
      "(account) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at",
      name, digest_of(word), until));
  return word;
}

Result<std::string> AccountBook::choose_password(const std::string& word, const std::string& password) {
  TRY(check_password(password));
  const auto refused = [] {
    return fail(ErrorKind::BadInput, "this link was used already, or is too old; ask for another one",
                "no_link");
  };
  constexpr std::string_view kGood =
      "SELECT links.account FROM links JOIN accounts ON accounts.name = links.account "
      "WHERE links.digest = $1 AND links.expires_at > $2 AND accounts.active = 1";
  {
    // A stranger's word costs no hashing.
    const std::lock_guard lock(mutex_);
    if (!TRY(connection_.first(kGood, digest_of(word), now_ms()))) return refused();
  }
  const std::unique_lock one(hashing_);
  const auto hash = TRY(hash_of(password));
  const std::lock_guard lock(mutex_);
  seen_.clear();
  // With the session, so that a link is never used up by somebody who is not let in.
  return connection_.transaction([&]() -> Result<std::string> {
    const auto row = TRY(connection_.first(kGood, digest_of(word), now_ms()));
    if (!row) return refused();
    const auto name = row->text(0);
    TRY(connection_.execute("DELETE FROM links WHERE account = $1", name));
    TRY(connection_.execute("DELETE FROM sessions WHERE account = $1", name));
    TRY(connection_.execute("UPDATE accounts SET hash = $2 WHERE name = $1", name, hash));
    failures_.erase(name);
    return make_session(name);
  });
}

Result<void> AccountBook::must_leave_an_administrator() {
  if (TRY(connection_.first("SELECT name FROM accounts WHERE role = 'administrator' AND active = 1 AND hash "
                            "<> '' LIMIT 1")))
    return {};
  return fail(ErrorKind::BadInput, "the last administrator stays: make another one first",
              "last_administrator");
}

Result<bool> AccountBook::change(const std::string& name, const std::optional<std::string>& role,
                                 std::optional<bool> active) {
  if (role) TRY(check_role(*role));
  const std::lock_guard lock(mutex_);
  seen_.clear();
  return connection_.transaction([&]() -> Result<bool> {
    if (!TRY(connection_.first("SELECT name FROM accounts WHERE name = $1", name))) return false;
    if (role) TRY(connection_.execute("UPDATE accounts SET role = $2 WHERE name = $1", name, *role));
    if (active)
      TRY(connection_.execute("UPDATE accounts SET active = $2 WHERE name = $1", name, *active ? 1 : 0));
    if (active && !*active) TRY(connection_.execute("DELETE FROM sessions WHERE account = $1", name));
    TRY(must_leave_an_administrator());
    return true;
  });
}

Result<bool> AccountBook::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  seen_.clear();
  return connection_.transaction([&]() -> Result<bool> {
    TRY(connection_.execute("DELETE FROM sessions WHERE account = $1", name));
    TRY(connection_.execute("DELETE FROM links WHERE account = $1", name));
    const bool was_there = TRY(connection_.execute("DELETE FROM accounts WHERE name = $1", name)) > 0;
    if (was_there) TRY(must_leave_an_administrator());
    return was_there;
  });
}

Result<std::vector<Account>> AccountBook::accounts() {
  const std::lock_guard lock(mutex_);
  std::vector<Account> all;
  for (const auto& row : TRY(connection_.query(
           "SELECT name, role, active, CASE WHEN hash <> '' THEN 1 ELSE 0 END FROM accounts ORDER BY name")))
    all.push_back({row.text(0), row.text(1), row.integer(2) != 0, row.integer(3) != 0});
  return all;
}

Result<std::string> AccountBook::add_token(const std::string& name, const std::string& rights) {
  TRY(check_name(name));
  if (!parse_rights(rights))
    return fail(ErrorKind::BadInput, "rights are read, upload, review and administer, with commas between",
                "bad_rights");
  auto secret = random_word();
  const std::lock_guard lock(mutex_);
  const auto written =
      TRY(connection_.execute("INSERT INTO access_tokens (name, digest, rights, created_at) VALUES ($1, $2, "
                              "$3, $4) ON CONFLICT (name) DO "
                              "NOTHING",
                              name, digest_of(secret), rights, now_ms()));
  if (written == 0) return fail(ErrorKind::BadInput, "there is a token of that name already", "name_taken");
  return secret;
}

Result<bool> AccountBook::remove_token(const std::string& name) {
  const std::lock_guard lock(mutex_);
  seen_.clear();
  return TRY(connection_.execute("DELETE FROM access_tokens WHERE name = $1", name)) > 0;
}

Result<std::vector<Account>> AccountBook::tokens() {
  const std::lock_guard lock(mutex_);
  std::vector<Account> all;
  for (const auto& row : TRY(connection_.query("SELECT name, rights FROM access_tokens ORDER BY name")))
    all.push_back({.name = row.text(0), .role = row.text(1)});
  return all;
}

}  // namespace alcove::gateway
