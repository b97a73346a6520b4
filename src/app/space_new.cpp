// alcove space new · push: what a Space is to be, compared with what it is, and only the difference sent.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <sstream>

#include "app/exit_code.h"
#include "app/space_commands.h"
#include "app/space_files.h"
#include "app/space_target.h"
#include "app/space_watch.h"
#include "app/transfer_line.h"
#include "base/base64.h"
#include "hub/listing.h"
#include "hub/push.h"
#include "hub/readme.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

struct NewOptions {
  std::string kind, owner, name, hardware;
  SpaceSources sources;
  bool is_private = false, is_public = false, yes = false, dry_run = false, no_wait = false;
  std::vector<std::string> secrets, variables, volumes;
};

struct PushOptions {
  std::string space, folder, message = "Update from Alcove", parent;
  SpaceSources sources{.kind = SpaceKind::Other};
  bool dry_run = false, no_wait = false, keep = false;
};

// ---- what differs

struct Desired {
  bool is_private = false;
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

// The address in a file that an earlier run wrote, which may have ended before it knew the address.
Result<void> refresh_gateway_file(const fs::path& path, const std::string& host) {
  std::ifstream in(path);
  std::string line, token;
  bool right = false;
  while (std::getline(in, line)) {
    right = right || line == "HF_SPACE_URL=" + host;
    if (line.starts_with("HF_SPACE_TOKEN=")) token = line.substr(line.find('=') + 1);
  }
  if (right || token.empty()) return {};
  return write_gateway_file(path, host, token);
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
  return fail(ErrorKind::BadInput, fmt::format("there is no hardware {:?}; there is {}", name, names));
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
  if (desired.is_private != now.is_private) TRY(space.set_visibility(desired.is_private));
  return {};
}

struct Sent {
  std::size_t commits = 0;
};

void tell_files(const std::vector<hub::PushedFile>& changed, const std::vector<std::string>& removed) {
  for (const auto& file : changed)
    fmt::print("{} {}  {}\n", file.large ? "upload" : "commit", file.local.path, size_text(file.local.size));
  for (const auto& path : removed) fmt::print("delete {}\n", path);
}

Result<Sent> send_files(const SpaceTarget& target, hub::Push what, bool exists) {
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
  const auto send = [&] {
    TransferLine line;  // cleared before the next thing is said
    what.progress = line.progress();
    return hub::send(session, target.space.repo(), what, plan);
  };
  const auto pushed = TRY(send());
  fmt::print(stderr, "{} sent, {} as they were, {} removed; commit {:.12}\n",
             count_text(plan.changed.size(), "file"), plan.unchanged.size(), what.removed.size(),
             pushed.commit);
  return Sent{pushed.commits};
}

std::string file_sums(const std::vector<hub::LocalFile>& files) {
  std::uint64_t bytes = 0;
  std::string parts;
  for (const char* folder : {"program/", "models/", "index/"}) {
    std::uint64_t sum = 0;
    for (const auto& file : files) sum += file.path.starts_with(folder) ? file.size : 0;
    if (sum > 0)
      parts += fmt::format("{}{} {}", parts.empty() ? " (" : ", ",
                           std::string_view(folder).substr(0, std::string_view(folder).size() - 1),
                           size_text(sum));
  }
  for (const auto& file : files) bytes += file.size;
  return fmt::format("{}, {}{}", count_text(files.size(), "file"), size_text(bytes),
                     parts.empty() ? "" : parts + ")");
}

void print_plan(const NewOptions& options, const hub::Repo& repo, const hub::Hardware& hardware,
                const Desired& desired, bool exists, const std::vector<hub::LocalFile>& files) {
  const auto price = hardware.dollars_per_hour > 0
                         ? fmt::format("${:.2f} per hour while it starts or runs", hardware.dollars_per_hour)
                         : std::string("nothing per hour; the account's plan covers it");
  fmt::print(stderr, "{} {}\n  files     {}\n  hardware  {}: {}\n  seen by   {}\n",
             exists ? "update" : "create", repo.id, file_sums(files), hardware.name, price,
             desired.is_private ? "those who may see it on the Hub"
                                : "everybody, and used by those who have its ALCOVE_TOKEN");
  for (const auto& secret : desired.secrets) fmt::print(stderr, "  secret    {}\n", secret.key);
  for (const auto& variable : desired.variables)
    fmt::print(stderr, "  variable  {}={}\n", variable.key, variable.value);
  for (const auto& volume : desired.volumes) fmt::print(stderr, "  volume    {}\n", hub::text_of(volume));
  if (options.sources.kind == SpaceKind::PaperFinder && desired.volumes.empty() && !exists)
    fmt::print(stderr,
               "  volume    none, so a restart empties its index; --volume bucket:{}/papers:/data keeps it\n",
               repo.owner());
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

// What no flag said is asked where somebody is there to answer, and else taken from the guides.
std::string said_or_asked(const NewOptions& options, const std::string& said, const char* question,
                          const std::string& fallback) {
  if (!said.empty()) return said;
  return options.yes ? fallback : ask(question, fallback);
}

Result<void> ask_what_and_where(NewOptions& options, const hub::Account& account) {
  if (options.kind.empty() && (options.yes || !at_a_terminal()))
    return fail(ErrorKind::BadInput, "which Space? `alcove space new answer-sheet`, or paper-finder");
  options.kind =
      said_or_asked(options, options.kind, "Which Space, answer-sheet or paper-finder", "answer-sheet");
  const bool sheets = options.kind == "answer-sheet";
  if (!sheets && options.kind != "paper-finder")
    return fail(ErrorKind::BadInput,
                fmt::format("there is no Space {:?}: answer-sheet or paper-finder", options.kind));
  options.sources.kind = sheets ? SpaceKind::AnswerSheet : SpaceKind::PaperFinder;
  options.owner = said_or_asked(options, options.owner, "Owner", account.name);
  options.name =
      said_or_asked(options, options.name, "Name", sheets ? "answer-sheet-ml" : "openreview-finder");
  if (!options.sources.models.empty()) return {};
  const auto models =
      said_or_asked(options, "", "Models: a folder, or OWNER/NAME on the Hub", sheets ? "models" : "");
  if (!models.empty()) options.sources.models = {models};
  return {};
}

// A Space that is there keeps what no flag names.
Result<void> ask_how(NewOptions& options, const std::optional<hub::SpaceInfo>& now) {
  if (now) {
    if (options.hardware.empty()) options.hardware = now->runtime.requested_hardware;
    if (!options.is_private && !options.is_public) options.is_private = now->is_private;
    if (options.hardware.empty()) options.hardware = "cpu-basic";
    return {};
  }
  if (!options.is_private && !options.is_public) {
    const auto visibility = said_or_asked(options, "", "Visibility, public or private", "public");
    options.is_private = visibility == "private";
    if (!options.is_private && visibility != "public")
      return fail(ErrorKind::BadInput, fmt::format("{:?} is neither public nor private", visibility));
  }
  options.hardware =
      said_or_asked(options, options.hardware, "Hardware (`alcove space hardware` lists it)", "cpu-basic");
  if (options.sources.kind == SpaceKind::PaperFinder && options.volumes.empty())
    if (const auto volume =
            said_or_asked(options, "", "Volume for the index, such as bucket:OWNER/papers:/data", "");
        !volume.empty())
      options.volumes = {volume};
  if (!options.secrets.empty()) return {};
  std::istringstream names(said_or_asked(options, "", "Names of secrets it needs, with blanks between", ""));
  for (std::string name; names >> name;) options.secrets.push_back(name);
  return {};
}

Result<Desired> desired_of(const NewOptions& options) {
  Desired desired{.is_private = options.is_private, .hardware = options.hardware};
  for (const auto& key : options.secrets) desired.secrets.push_back(TRY(secret_from_outside(key)));
  for (const auto& text : options.variables) desired.variables.push_back(TRY(variable_of(text)));
  for (const auto& text : options.volumes) desired.volumes.push_back(TRY(hub::parse_volume(text)));
  return desired;
}

// The token that keeps strangers out of a public Space: made once, and again when its secret is gone.
Result<std::optional<std::string>> token_for(const hub::Space& space, bool exists, const Desired& desired) {
  if (desired.is_private ||
      std::ranges::find(desired.secrets, "ALCOVE_TOKEN", &hub::Setting::key) != desired.secrets.end())
    return std::nullopt;
  if (exists) {
    const auto names = TRY(space.secrets());
    if (std::ranges::find(names, "ALCOVE_TOKEN") != names.end()) return std::nullopt;
  }
  return TRY(random_token());
}

// What would be refused later, and costs nothing to find out now.
Result<void> check_files(const SpaceTarget& target, const std::vector<hub::LocalFile>& files) {
  return hub::check_readme(target.session, target.space.repo(), files, [](const std::string& warning) {
    fmt::print(stderr, "the Hub minds README.md: {}\n", warning);
  });
}

Result<void> make_or_settle(const SpaceTarget& target, const std::optional<hub::SpaceInfo>& now,
                            const Desired& desired) {
  TRY(hub::Space::make_buckets(target.session, desired.volumes));
  if (now) return settle(target.space, *now, desired);
  TRY(target.space.create({.is_private = desired.is_private,
                           .hardware = desired.hardware,
                           .secrets = desired.secrets,
                           .variables = desired.variables,
                           .volumes = desired.volumes}));
  return {};
}

Result<void> create_space(NewOptions options) {
  auto settings = TRY(hub_settings());
  const auto account = TRY(hub::Session(settings).whoami());
  TRY(ask_what_and_where(options, account));
  const auto repo = TRY(hub::parse_repo(options.owner + "/" + options.name, hub::RepoKind::Space));
  SpaceTarget target(std::move(settings), repo);
  const auto now = TRY(existing(target.space));
  TRY(ask_how(options, now));
  auto desired = TRY(desired_of(options));
  const auto hardware = TRY(find_hardware(target.session, options.hardware));
  TRY(check_rights(target.session, repo, account, now.has_value(), hardware.dollars_per_hour > 0));

  const auto scratch = TRY(TemporaryFolder::make());
  hub::Push what{.summary = "Set up by Alcove"};
  {
    TransferLine line;
    const hub::FetchOptions fetch{.progress = line.progress()};
    auto sources = options.sources;
    sources.cuda = hardware.gpu;
    what.files = TRY(gather_files(sources, target.session, scratch.path(), fetch));
  }
  print_plan(options, repo, hardware, desired, now.has_value(), what.files);
  TRY(confirm(options));
  if (options.dry_run)
    target.session.rehearse([](const std::string& line) { fmt::print("{}\n", line); });
  else
    TRY(check_files(target, what.files));

  const auto token = TRY(token_for(target.space, now.has_value(), desired));
  if (token) {
    desired.secrets.push_back({"ALCOVE_TOKEN", *token});
    // Written before the Space knows it: a token that is lost would lock its owner out.
    if (!options.dry_run) TRY(write_gateway_file(gateway_file(repo), "", *token));
  }
  TRY(make_or_settle(target, now, desired));
  const auto sent = TRY(send_files(target, std::move(what), now.has_value()));
  if (options.dry_run) return {};
  if (!options.no_wait) TRY(watch(target.space, {.just_pushed = sent.commits > 0}));
  const auto info = TRY(target.space.info());
  TRY(refresh_gateway_file(gateway_file(repo), info.host));
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
  const auto scratch = TRY(TemporaryFolder::make());
  std::ranges::move(TRY(gather_models(options.sources, target->session, scratch.path(), {})),
                    std::back_inserter(what.files));
  std::ranges::move(TRY(gather_index(options.sources)), std::back_inserter(what.files));
  const auto head = TRY(hub::commit_of(target->session, target->space.repo(), "main"));
  const auto there = TRY(hub::list_files(target->session, target->space.repo(), head));
  if (!options.keep) what.removed = vanished(there, what.files);
  // What was compared is what the change is made to.
  if (what.parent.empty()) what.parent = head;
  if (!options.dry_run) TRY(check_files(*target, what.files));
  const auto sent = TRY(send_files(*target, std::move(what), true));
  if (options.dry_run) return {};
  if (sent.commits == 0) fmt::print(stderr, "nothing differs\n");
  if (!options.no_wait) TRY(watch(target->space, {.just_pushed = sent.commits > 0}));
  fmt::print("{}\n", TRY(target->space.info()).host);
  return {};
}

constexpr const char* kModelsHelp =
    "becomes models/: a folder, OWNER/NAME of a model on the Hub, or https://…/FILE#sha256=… (several)";

int finish(const Result<void>& done) { return done ? kDone : report(done.error()); }

}  // namespace

void add_space_new(CLI::App& command, Run& run) {
  auto made = std::make_shared<NewOptions>();
  auto* creating = command.add_subcommand(
      "new", "Create a Space, upload everything, wait until it runs; run again, it changes what differs");
  creating->add_option("KIND", made->kind, "answer-sheet or paper-finder")
      ->check(CLI::IsMember({"answer-sheet", "paper-finder"}));
  creating->add_option("--owner", made->owner, "user or organisation; else the token's own");
  creating->add_option("--name", made->name, "else answer-sheet-ml or openreview-finder");
  creating->add_option("--models", made->sources.models, kModelsHelp);
  creating->add_option("--program", made->sources.program,
                       "folder with the program to run there, or https://…/alcove.tar.gz#sha256=…, which the "
                       "image fetches; else this one");
  creating->add_option("--index", made->sources.index,
                       "paper finder: the --data folder of an index made here");
  creating->add_option("--files", made->sources.files,
                       "a folder with a Dockerfile and README.md of your own");
  creating->add_option("--hardware", made->hardware, "see `alcove space hardware`; else cpu-basic");
  creating->add_option("--volume", made->volumes,
                       "bucket:OWNER/NAME:/data; a bucket that is not there is made");
  creating->add_option("--secret", made->secrets,
                       "name of an environment variable whose value becomes a secret");
  creating->add_option("--variable", made->variables, "KEY=VALUE, public");
  auto* visible =
      creating->add_flag("--private", made->is_private, "only accounts that may see it can use it");
  creating->add_flag("--public", made->is_public, "everybody may see it; what a new one is")
      ->excludes(visible);
  creating->add_flag("--yes", made->yes, "do not ask");
  creating->add_flag("--dry-run", made->dry_run, "show the requests, secrets masked, and send none");
  creating->add_flag("--no-wait", made->no_wait, "do not wait until it runs");
  creating->footer(
      "What no flag says is asked at a terminal. A Space that is there keeps what no flag names; secrets "
      "that "
      "are named are sent again, since the Hub never shows them.");
  creating->callback([=, &run] { run = [=] { return finish(create_space(*made)); }; });

  auto pushed = std::make_shared<PushOptions>();
  auto* pushing =
      command.add_subcommand("push", "Make the Space's files those of a folder, and wait until it runs");
  pushing->add_option("SPACE", pushed->space, "OWNER/NAME")->required();
  pushing->add_option("FOLDER", pushed->folder, "with the Dockerfile at its root")->required();
  pushing->add_option("--models", pushed->sources.models, kModelsHelp);
  pushing->add_option("--index", pushed->sources.index,
                      "paper finder: the --data folder of an index made here");
  pushing->add_option("--message", pushed->message, "title of the commit")->capture_default_str();
  pushing->add_option("--parent", pushed->parent, "refuse when the Space is no longer at this commit");
  pushing->add_flag("--keep", pushed->keep, "delete nothing that is there and not here");
  pushing->add_flag("--dry-run", pushed->dry_run, "show what would be sent, and send nothing");
  pushing->add_flag("--no-wait", pushed->no_wait, "do not wait until it runs");
  pushing->callback([=, &run] { run = [=] { return finish(push_folder(*pushed)); }; });
}

}  // namespace alcove::app
