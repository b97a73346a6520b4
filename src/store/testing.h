#pragma once
// For tests: a folder of their own, and a PostgreSQL server in it that ends with the test.

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "store/connection.h"

namespace alcove::store {

class TestFolder {
 public:
  TestFolder() {
    auto name = (std::filesystem::temp_directory_path() / "alcove-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TestFolder(const TestFolder&) = delete;
  ~TestFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Debian's PostgreSQL (package `postgresql`), on a socket in a folder of its own. It refuses to run as root,
// and runs as its own user then.
class TestPostgres {
 public:
  TestPostgres() {
    if (const auto* user = ::getpwnam("postgres"); user != nullptr && ::geteuid() == 0) {
      user_ = user->pw_uid;
      group_ = user->pw_gid;
      if (::chown(folder_.path().c_str(), user_, group_) != 0) std::abort();
    }
    make_data();
    run();
  }
  ~TestPostgres() { stop(); }

  std::string url() const {
    return fmt::format("postgresql://alcove@/postgres?host={}", folder_.path().string());
  }

  void run() {
    server_ = start({program("postgres"), "-D", folder_ / "data", "-k", folder_.path().string(), "-c",
                     "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB"});
    for (int look = 0; look < 600 && !Connection::open(url()); ++look)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  void stop() {
    if (server_ > 0) ::kill(server_, SIGQUIT);
    wait(std::exchange(server_, 0));
  }

 private:
  // initdb takes seconds, a copy of what it made does not.
  void make_data() {
    const std::string made = ALCOVE_TEST_FILES "/postgres-data";
    if (!std::filesystem::exists(made)) {
      wait(start({program("initdb"), "-D", folder_ / "data", "--no-sync", "--no-locale", "-E", "UTF8", "-A",
                  "trust", "-U", "alcove"}));
      const auto mine = fmt::format("{}-{}", made, ::getpid());
      wait(start_as_is({"/bin/cp", "-a", folder_ / "data", mine}));
      std::error_code others_were_first;
      std::filesystem::rename(mine, made, others_were_first);
      if (others_were_first) std::filesystem::remove_all(mine);
    } else {
      wait(start_as_is({"/bin/cp", "-a", made, folder_ / "data"}));
    }
  }

  static std::string program(const char* name) {
    for (int version = 30; version >= 15; --version)
      if (auto path = fmt::format("/usr/lib/postgresql/{}/bin/{}", version, name);
          std::filesystem::exists(path))
        return path;
    throw std::runtime_error("no PostgreSQL here: script/bootstrap --test installs it");
  }

  pid_t start(std::vector<std::string> words) const { return start(std::move(words), user_, group_); }
  static pid_t start_as_is(std::vector<std::string> words) { return start(std::move(words), 0, 0); }

  static pid_t start(std::vector<std::string> words, uid_t user, gid_t group) {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t process = ::fork();
    if (process != 0) return process;
    if (user != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(user) != 0))
      ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execv(words[0].c_str(), arguments.data());
    ::_exit(127);
  }
  static void wait(pid_t process) {
    if (process > 0) ::waitpid(process, nullptr, 0);
  }

  TestFolder folder_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  pid_t server_ = 0;
};

}  // namespace alcove::store
