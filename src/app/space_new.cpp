// alcove space new · push: what a Space is to be, compared with what it is, and only the difference sent.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/exit_code.h"
#include "app/space_commands.h"
#include "app/space_files.h"
#include "app/space_target.h"
#include "app/space_watch.h"
#include "app/transfer_line.h"
#include "base/base64.h"
#include "hub/listing.h"
#include "hub/push.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

struct NewOptions {
  std::string kind, owner, name, hardware = "cpu-basic";
  SpaceSources sources;
  bool is_private = false, yes = false, dry_run = false, no_wait = false;
  std::vector<std::string> secrets, variables, volumes;
};

struct PushOptions {
  std::string space, folder, message = "Update from Alcove", parent;
  SpaceSources sources;
  bool dry_run = false, no_wait = false, keep = false;
};

// ---- what differs

struct Desired {
  std::string hardware;
  std::vector<hub::Setting> secrets, variables;
  std::vector<hub::Volume> volumes;
};

// A secret that nobody gave and that nobody ever has to see.
Result<std::string> random_token() {
  std::string bytes(32, '\0');
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return fail(ErrorKind::Internal, "this machine gives no random bytes");
  auto text = encode_base64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  while (text.ends_with('=')) text.pop_back();
  return text;
}

fs::path gateway_file(const hub::Repo& repo) {
  const auto environment = hub::process_environment();
  const auto config = environment("XDG_CONFIG_HOME").value_or(environment("HOME").value_or(".") + "/.config");
  return fs::path(config) / "alcove" / fmt::format("{}--{}.env", repo.owner(), repo.name());
}

// What the gateway needs, in a file that its owner alone may read: the token is printed nowhere.
Result<void> write_gateway_file(const fs::path& path, const std::string& host, const std::string& token) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  const auto text = fmt::format("HF_SPACE_URL={}\nHF_SPACE_TOKEN={}\n", host, token);
  const bool written = file >= 0 && ::fchmod(file, 0600) == 0 &&
                       ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) ::close(file);
  if (!written) return fail(ErrorKind::BadInput, fmt::format("{} cannot be written", path.string()));
  return {};
}

// ---- checks before a byte goes up

Result<void> check_rights(const hub::Session& session, const hub::Repo& repo, const hub::Account& account,
                          bool exists, bool paid_hardware) {
  const bool own = repo.owner() == account.name;
  if (!own && std::ranges::find(account.organisations, repo.owner()) == account.organisations.end())
    return fail(ErrorKind::BadInput,
                fmt::format("the token of {} belongs to {}, who may not create {}; choose --owner {}",
                            session.settings().token_source, account.name, repo.id, account.name),
                "no_right");
  if (account.role == "read")
    return fail(
        ErrorKind::BadInput,
        fmt::format("the token of {} may only read; make one with the role write at {}/settings/tokens",
                    session.settings().token_source, session.settings().endpoint),
        "no_right");
  if (!exists && own && !account.paid && !paid_hardware) {
    auto about = session.about(repo);
    return std::unexpected(hub::error_of({.status = 402}, about));
  }
  return {};
}

Result<hub::Hardware> find_hardware(const hub::Session& session, const std::string& name) {
  const auto listed = TRY(hub::Space::hardware(session));
  const auto found = std::ranges::find(listed, name, &hub::Hardware::name);
  if (found != listed.end()) return *found;
  std::string names;
  for (const auto& one : listed) names += (names.empty() ? "" : ", ") + one.name;
  return fail(ErrorKind::BadInput, fmt::format("there is no hardware {:?}; there are {}", name, names));
}

// Absent is an answer here.
Result<std::optional<hub::SpaceInfo>> existing(const hub::Space& space) {
  auto info = space.info();
  if (info) return *std::move(info);
  if (info.error().code == "repo_not_found") return std::nullopt;
  return std::unexpected(info.error());
}

// ---- doing it

Result<void> settle(const hub::Space& space, const hub::SpaceInfo& now, const Desired& desired) {
  const auto variables = TRY(space.variables());
  for (const auto& wanted : desired.variables) {
    const auto found = variables.find(wanted.key);
    if (found == variables.end() || found->second != wanted.value) TRY(space.set_variable(wanted));
  }
  for (const auto& secret : desired.secrets) TRY(space.set_secret(secret));
  if (!desired.volumes.empty() && desired.volumes != now.runtime.volumes)
    TRY(space.set_volumes(desired.volumes));
  if (desired.hardware != now.runtime.requested_hardware) TRY(space.set_hardware(desired.hardware));
  return {};
}

struct Sent {
  std::size_t commits = 0;
};

void tell_files(const std::vector<hub::PushedFile>& changed, const std::vector<std::string>& removed) {
  for (const auto& file : changed)
    fmt::print("{} {}  {}\n", file.large ? "PUT" : "commit", file.local.path, size_text(file.local.size));
  for (const auto& path : removed) fmt::print("delete {}\n", path);
}

Result<Sent> send_files(const SpaceTarget& target, hub::Push what, bool exists) {
  TransferLine line;
  what.progress = [&](const std::string& file, std::uint64_t done, std::uint64_t total) {
    line.show(file, done, total);
  };
  const auto& session = target.session;
  if (session.rehearsing() && !exists) {
    for (const auto& file : what.files) fmt::print("upload {}  {}\n", file.path, size_text(file.size));
    return Sent{};
  }
  const auto plan = TRY(hub::compare(session, target.space.repo(), what));
  if (session.rehearsing()) {
    tell_files(plan.changed, what.removed);
    return Sent{};
  }
  const auto pushed = TRY(hub::send(session, target.space.repo(), what, plan));
  fmt::print(stderr, "{} files sent, {} as they were, {} removed; commit {:.12}\n", plan.changed.size(),
             plan.unchanged.size(), what.removed.size(), pushed.commit);
  return Sent{pushed.commits};
}

void print_plan(const NewOptions& options, const hub::Repo& repo, const hub::Hardware& hardware, bool exists,
                const std::vector<hub::LocalFile>& files) {
  std::uint64_t bytes = 0;
  for (const auto& file : files) bytes += file.size;
  const auto price = hardware.dollars_per_hour > 0
                         ? fmt::format("${:.2f} per hour while it runs", hardware.dollars_per_hour)
                         : std::string("no cost by the hour, within the account's plan");
  fmt::print(stderr, "{} {}\n  {} files, {}\n  {}: {}\n", exists ? "update" : "create", repo.id, files.size(),
             size_text(bytes), hardware.name, price);
  if (!exists)
    fmt::print(stderr, "  {}\n", options.is_private ? "private" : "public, behind a generated ALCOVE_TOKEN");
  if (options.sources.kind == SpaceKind::PaperFinder && options.volumes.empty())
    fmt::print(stderr, "  no volume: a restart empties its index (--volume bucket:OWNER/NAME:/data)\n");
}

void print_outcome(const hub::Repo& repo, const std::string& host, bool is_private, SpaceKind kind) {
  const auto file = gateway_file(repo);
  std::error_code failed;
  fmt::print("{}\n", host);
  if (fs::exists(file, failed))
    fmt::print("gateway   set -a; . {}; alcove gateway\n", file.string());
  else
    fmt::print("gateway   HF_SPACE_URL={}\n", host);
  const auto header = is_private ? "-H \"X-HF-Authorization: Bearer $HF_TOKEN\" " : std::string();
  const auto token = fs::exists(file, failed) ? "-H \"Authorization: Bearer $HF_SPACE_TOKEN\" " : "";
  fmt::print(
      "try       curl {}{}{}\n", header, token,
      kind == SpaceKind::AnswerSheet ? fmt::format("-F file=@sheet.pdf {}/extract", host) : host + "/status");
}

Result<void> confirm(const NewOptions& options) {
  if (options.yes || options.dry_run) return {};
  if (!at_a_terminal())
    return fail(ErrorKind::BadInput,
                "nobody is there to confirm this; add --yes, or --dry-run to see the requests");
  const auto answer = ask("Go ahead?", "yes");
  if (answer != "yes" && answer != "y") return fail(ErrorKind::BadInput, "nothing was done");
  return {};
}

Result<Desired> desired_of(const NewOptions& options) {
  Desired desired{.hardware = options.hardware};
  for (const auto& key : options.secrets) desired.secrets.push_back(TRY(secret_from_outside(key)));
  for (const auto& text : options.variables) desired.variables.push_back(TRY(variable_of(text)));
  for (const auto& text : options.volumes) desired.volumes.push_back(TRY(hub::parse_volume(text)));
  return desired;
}

// The token that keeps strangers out of a public Space: made once, and again when its secret is gone.
Result<std::optional<std::string>> token_for(const NewOptions& options, const hub::Space& space, bool exists,
                                             const Desired& desired) {
  if (options.is_private ||
      std::ranges::find(desired.secrets, "ALCOVE_TOKEN", &hub::Setting::key) != desired.secrets.end())
    return std::nullopt;
  if (exists) {
    const auto names = TRY(space.secrets());
    if (std::ranges::find(names, "ALCOVE_TOKEN") != names.end()) return std::nullopt;
  }
  return TRY(random_token());
}

Result<void> create_space(const NewOptions& options) {
  auto settings = TRY(hub_settings());
  const auto account = TRY(hub::Session(settings).whoami());
  const auto fallback_name =
      options.sources.kind == SpaceKind::AnswerSheet ? "answer-sheet-ml" : "openreview-finder";
  const auto owner = options.owner.empty() ? ask("Owner", account.name) : options.owner;
  const auto name = options.name.empty() ? ask("Name", fallback_name) : options.name;
  auto repo = TRY(hub::parse_repo(owner + "/" + name, hub::RepoKind::Space));
  SpaceTarget target(std::move(settings), repo);
  auto desired = TRY(desired_of(options));
  const auto hardware = TRY(find_hardware(target.session, options.hardware));
  const auto now = TRY(existing(target.space));
  TRY(check_rights(target.session, repo, account, now.has_value(), hardware.dollars_per_hour > 0));

  const auto scratch = TRY(TemporaryFolder::make());
  hub::Push what{.summary = "Set up by Alcove"};
  auto sources = options.sources;
  sources.cuda = hardware.gpu;
  what.files = TRY(gather_files(sources, target.session, scratch.path(), {}));
  print_plan(options, repo, hardware, now.has_value(), what.files);
  TRY(confirm(options));
  if (options.dry_run) target.session.rehearse([](const std::string& line) { fmt::print("{}\n", line); });

  const auto token = TRY(token_for(options, target.space, now.has_value(), desired));
  if (token) {
    desired.secrets.push_back({"ALCOVE_TOKEN", *token});
    // Written before the Space knows it: a token that is lost would lock its owner out.
    if (!options.dry_run) TRY(write_gateway_file(gateway_file(repo), "", *token));
  }
  if (now)
    TRY(settle(target.space, *now, desired));
  else
    TRY(target.space.create({.is_private = options.is_private,
                             .hardware = desired.hardware,
                             .secrets = desired.secrets,
                             .variables = desired.variables,
                             .volumes = desired.volumes}));
  const auto sent = TRY(send_files(target, std::move(what), now.has_value()));
  if (options.dry_run) return {};
  if (!options.no_wait) TRY(watch(target.space, {.just_pushed = sent.commits > 0}));
  const auto info = TRY(target.space.info());
  if (token) TRY(write_gateway_file(gateway_file(repo), info.host, *token));
  print_outcome(repo, info.host, info.is_private, options.sources.kind);
  return {};
}

// ---- push

// What lies on the Hub and no longer here. Models and the program stay unless new ones came along: a push
// from CI has neither.
std::vector<std::string> vanished(const std::vector<hub::RepoFile>& there,
                                  const std::vector<hub::LocalFile>& here) {
  const auto sends = [&](std::string_view prefix) {
    return std::ranges::any_of(here, [&](const auto& file) { return file.path.starts_with(prefix); });
  };
  std::vector<std::string> gone;
  for (const auto& file : there) {
    bool stays = file.path == ".gitattributes" ||
                 std::ranges::find(here, file.path, &hub::LocalFile::path) != here.end();
    for (const char* prefix : {"models/", "program/", "index/"})
      stays = stays || (file.path.starts_with(prefix) && !sends(prefix));
    if (!stays) gone.push_back(file.path);
  }
  return gone;
}

Result<void> push_folder(const PushOptions& options) {
  const auto target = TRY(open_space(options.space));
  if (options.dry_run) target->session.rehearse([](const std::string& line) { fmt::print("{}\n", line); });
  hub::Push what{.summary = options.message, .parent = options.parent};
  what.files = TRY(hub::list_folder(options.folder));
  if (!options.sources.models.empty())
    std::ranges::move(TRY(hub::list_folder(options.sources.models, "models/")),
                      std::back_inserter(what.files));
  if (!options.sources.index.empty())
    std::ranges::move(TRY(hub::list_folder(options.sources.index, "index/")), std::back_inserter(what.files));
  const auto head = TRY(hub::commit_of(target->session, target->space.repo(), "main"));
  const auto there = TRY(hub::list_files(target->session, target->space.repo(), head));
  if (!options.keep) what.removed = vanished(there, what.files);
  // What was compared is what the change is made to.
  if (what.parent.empty()) what.parent = head;
  const auto sent = TRY(send_files(*target, std::move(what), true));
  if (options.dry_run) return {};
  if (sent.commits == 0) fmt::print(stderr, "nothing differs\n");
  if (!options.no_wait) TRY(watch(target->space, {.just_pushed = sent.commits > 0}));
  fmt::print("{}\n", TRY(target->space.info()).host);
  return {};
}

int finish(const Result<void>& done) { return done ? kDone : report(done.error()); }

}  // namespace

void add_space_new(CLI::App& command, Run& run) {
  auto made = std::make_shared<NewOptions>();
  auto* creating = command.add_subcommand(
      "new", "Create a Space, upload everything, wait until it runs; run again, it changes what differs");
  creating->add_option("KIND", made->kind, "answer-sheet or paper-finder")
      ->check(CLI::IsMember({"answer-sheet", "paper-finder"}))
      ->required();
  creating->add_option("--owner", made->owner, "user or organisation; else the token's own");
  creating->add_option("--name", made->name, "else answer-sheet-ml or openreview-finder");
  creating->add_option("--models", made->sources.models, "a folder, or OWNER/NAME of a model on the Hub");
  creating->add_option("--program", made->sources.program,
                       "folder with the program to run there; else this one");
  creating->add_option("--index", made->sources.index, "paper finder: a folder with an index made here");
  creating->add_option("--files", made->sources.files,
                       "a folder with a Dockerfile and README.md of your own");
  creating->add_option("--hardware", made->hardware, "see `alcove space hardware`")->capture_default_str();
  creating->add_option("--volume", made->volumes, "bucket:OWNER/NAME:/data");
  creating->add_option("--secret", made->secrets,
                       "name of an environment variable whose value becomes a secret");
  creating->add_option("--variable", made->variables, "KEY=VALUE, public");
  creating->add_flag("--private", made->is_private, "only accounts that may see it can use it");
  creating->add_flag("--yes", made->yes, "do not ask");
  creating->add_flag("--dry-run", made->dry_run, "show the requests, secrets masked, and send none");
  creating->add_flag("--no-wait", made->no_wait, "do not wait until it runs");
  creating->callback([=, &run] {
    made->sources.kind = made->kind == "answer-sheet" ? SpaceKind::AnswerSheet : SpaceKind::PaperFinder;
    if (made->sources.kind == SpaceKind::AnswerSheet && made->sources.models.empty())
      made->sources.models = "models";
    run = [=] { return finish(create_space(*made)); };
  });

  auto pushed = std::make_shared<PushOptions>();
  auto* pushing =
      command.add_subcommand("push", "Make the Space's files those of a folder, and wait until it runs");
  pushing->add_option("SPACE", pushed->space, "OWNER/NAME")->required();
  pushing->add_option("FOLDER", pushed->folder, "with the Dockerfile at its root")->required();
  pushing->add_option("--models", pushed->sources.models, "folder that becomes models/");
  pushing->add_option("--index", pushed->sources.index, "folder that becomes index/");
  pushing->add_option("--message", pushed->message, "title of the commit")->capture_default_str();
  pushing->add_option("--parent", pushed->parent, "refuse when the Space is no longer at this commit");
  pushing->add_flag("--keep", pushed->keep, "delete nothing that is there and not here");
  pushing->add_flag("--dry-run", pushed->dry_run, "show what would be sent, and send nothing");
  pushing->add_flag("--no-wait", pushed->no_wait, "do not wait until it runs");
  pushing->callback([=, &run] { run = [=] { return finish(push_folder(*pushed)); }; });
}

}  // namespace alcove::app
