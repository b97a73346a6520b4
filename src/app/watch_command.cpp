// alcove watch: the scanner PC's half. Files that appear in a folder go to the gateway; none is lost on the
// way.

#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <thread>

#include "app/commands.h"
#include "app/exit_code.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "base/sha256.h"
#include "imaging/decode.h"
#include "net/http_client.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLook{500};
constexpr milliseconds kFirstPause{1'000}, kLongestPause{60'000};  // while the gateway cannot be reached
constexpr const char* kJournal = "alcove-journal.jsonl";

volatile sig_atomic_t stop_asked = 0;

struct WatchOptions {
  std::string folder, url = "http://127.0.0.1:8000", exam_type = "CIA1", log = "text";
  double settle = 2;
  bool once = false;
};

// A file that a scanner is still writing grows, or is written once more.
struct Look {
  std::uintmax_t size = 0;
  fs::file_time_type written;
  steady_clock::time_point since;
};

enum class Sent { Taken, Refused, Later };

class Watch {
 public:
  explicit Watch(const WatchOptions& options) : options_(options), folder_(options.folder) {}

  int run() {
    while (stop_asked == 0) {
      bool waiting = false;
      for (const auto& path : sheets()) {
        if (stop_asked != 0) break;
        if (!is_settled(path) || send(path) == Sent::Later) waiting = true;
      }
      if (options_.once && !waiting) return refused_ > 0 ? kNeedsAttention : kDone;
      std::this_thread::sleep_for(kLook);
    }
    return kDone;
  }

 private:
  std::vector<fs::path> sheets() const {
    std::vector<fs::path> found;
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(folder_, unreadable))
      if (entry.is_regular_file(unreadable) && imaging::is_listed_extension(entry.path().filename().string()))
        found.push_back(entry.path());
    std::ranges::sort(found);
    return found;
  }

  bool is_settled(const fs::path& path) {
    std::error_code gone;
    const Look now{fs::file_size(path, gone), fs::last_write_time(path, gone), steady_clock::now()};
    if (gone) return false;
    auto& before = looks_.try_emplace(path, now).first->second;
    if (before.size != now.size || before.written != now.written) before = now;
    return now.size > 0 && now.since - before.since >= std::chrono::duration<double>(options_.settle);
  }

  Sent send(const fs::path& path) {
    if (steady_clock::now() < next_try_) return Sent::Later;
    const auto file = MappedFile::open(path);
    if (!file) return Sent::Later;
    const auto name = path.filename().string();
    const auto sha256 = sha256_hex(file->bytes());
    net::Request request{.method = "POST", .url = options_.url + "/scan-upload"};
    request.headers.push_back({"Prefer", "respond-async"});
    if (const char* token = std::getenv("ALCOVE_TOKEN"); token != nullptr && *token != '\0')
      request.headers.push_back({"Authorization", std::string("Bearer ") + token});
    request.body = std::vector<net::FormPart>{{.name = "file", .file_name = name, .content = file->bytes()},
                                              {.name = "exam_type", .content = as_bytes(options_.exam_type)}};
    const auto reply = client_.send(request);
    const auto sent = judge(reply);
    if (sent == Sent::Later) {
      log(LogLevel::Warning, "watch_waits",
          {{"file", name},
           {"why", reply ? fmt::format("the gateway answers with status {}", reply->status)
                         : reply.error().message}});
      next_try_ = steady_clock::now() + pause_;
      pause_ = std::min(2 * pause_, kLongestPause);
      return sent;
    }
    pause_ = kFirstPause;
    looks_.erase(path);
    note(name, sha256, *reply, sent);
    put_away(path, sha256, sent == Sent::Taken ? "done" : "refused");
    refused_ += sent == Sent::Refused ? 1 : 0;
    return sent;
  }

  // What concerns the file is final; all else (the network, a full gateway, a token) may pass or be mended.
  static Sent judge(const Result<net::Reply>& reply) {
    if (!reply) return Sent::Later;
    if (reply->status == 200 || reply->status == 202) return Sent::Taken;
    const bool of_the_file = reply->status == 400 || reply->status == 413 || reply->status == 422;
    return of_the_file && parse_json(reply->body) ? Sent::Refused : Sent::Later;
  }

  // A line before the file is moved: whoever looks for a sheet finds it in one of the two.
  void note(const std::string& name, const std::string& sha256, const net::Reply& reply, Sent sent) const {
    const auto body = parse_json(reply.body).value_or(Json::object());
    Json line{{"file", name},
              {"sha256", sha256},
              {"status", reply.status},
              {"result", sent == Sent::Taken ? "taken" : "refused"},
              {"artifact_uuid", body.is_object() ? body.value("artifact_uuid", Json()) : Json()},
              {"detail", body.is_object() ? body.value("detail", Json()) : Json()}};
    std::ofstream journal(folder_ / kJournal, std::ios::app);
    journal << to_text(line) << '\n';
    journal.flush();
    log(LogLevel::Info, "watch_sent", {{"file", name}, {"result", line.at("result").get<std::string>()}});
  }

  void put_away(const fs::path& path, const std::string& sha256, const char* where) const {
    std::error_code failed;
    fs::create_directories(folder_ / where, failed);
    auto target = folder_ / where / path.filename();
    // A scanner counts from one again every day.
    if (fs::exists(target, failed))
      target = folder_ / where /
               fmt::format("{}-{}{}", path.stem().string(), sha256.substr(0, 12), path.extension().string());
    fs::rename(path, target, failed);
    // Sent again with the next look, and known to the gateway: nothing is recorded twice.
    if (failed) log(LogLevel::Error, "watch_not_moved", {{"file", path.string()}, {"why", failed.message()}});
  }

  const WatchOptions& options_;
  const fs::path folder_;
  const net::Client client_;
  std::map<fs::path, Look> looks_;
  steady_clock::time_point next_try_{};
  milliseconds pause_ = kFirstPause;
  int refused_ = 0;
};

int watch(const WatchOptions& options) {
  set_log_format(options.log == "text" ? LogFormat::Text : LogFormat::JsonLines);
  std::error_code failed;
  if (!fs::is_directory(options.folder, failed))
    return report({ErrorKind::NotFound, fmt::format("{} is no folder", options.folder), {}});
  struct sigaction action{};
  action.sa_handler = [](int) { stop_asked = 1; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  return Watch(options).run();
}

}  // namespace

void add_watch(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("watch", "Send what a scanner puts into a folder to the gateway");
  auto options = std::make_shared<WatchOptions>();
  command->add_option("FOLDER", options->folder, "where the scanner writes")->required();
  command->add_option("--gateway", options->url, "address of the gateway")
      ->envname("ALCOVE_GATEWAY_URL")
      ->capture_default_str();
  command->add_option("--exam-type", options->exam_type, "of all sheets in the folder")
      ->envname("ALCOVE_EXAM_TYPE")
      ->capture_default_str();
  command->add_option("--settle", options->settle, "seconds a file has to stay as it is before it is sent")
      ->envname("ALCOVE_SETTLE")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  command->add_option("--log", options->log, "text, or json")
      ->envname("ALCOVE_LOG")
      ->check(CLI::IsMember({"json", "text"}))
      ->capture_default_str();
  command->add_flag("--once", options->once,
                    "end when the folder is empty; exit code 1 when a file was refused");
  command->footer(
      "Taken files are moved to FOLDER/done, refused ones to FOLDER/refused, and FOLDER/alcove-journal.jsonl "
      "has a line "
      "for each.\nWhile the gateway cannot be reached, files wait where they are. ALCOVE_TOKEN in the "
      "environment is "
      "presented to it.");
  command->callback([=, &run] { run = [=] { return watch(*options); }; });
}

}  // namespace alcove::app
