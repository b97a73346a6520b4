#include "imaging/decode_pool.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "imaging/codecs.h"
#include "imaging/decode_messages.h"
#include "imaging/worker_memory.h"

namespace alcove::imaging {

namespace {

using std::chrono::steady_clock;

constexpr int kMoreTries = 3;
constexpr std::chrono::milliseconds kBetweenTries{20};
constexpr std::chrono::milliseconds kFarewell{200};

// All that a keeper needs of our environment. The rest may hold secrets, which no worker has to know.
std::vector<std::string> small_environment() {
  // Large blocks of memory come in large pieces, where the system has them: a page is touched in a tenth of
  // the time. Names of functions are looked up once, by the keeper, rather than in each worker.
  std::vector<std::string> kept{"GLIBC_TUNABLES=glibc.malloc.hugetlb=1", "LD_BIND_NOW=1"};
  for (const char* name : {"ALCOVE_PDFIUM", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"})
    if (const char* value = std::getenv(name)) kept.push_back(std::string(name) + "=" + value);
  return kept;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// This program once more, with the socket as its kControlSocket, in a group of its own, so that a key pressed
// in the terminal does not end it before us. 0: it could not be started.
pid_t spawn(const std::string& word, const Descriptor& socket) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO})
    posix_spawn_file_actions_addopen(&files, standard, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&files, socket.number(), kControlSocket);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::vector<std::string> words{"alcove", word};
  auto environment = small_environment();
  pid_t process = 0;
  const int failed = posix_spawn(&process, "/proc/self/exe", &files, &attributes, pointers_to(words).data(),
                                 pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return failed == 0 ? process : 0;
}

// None: the keeper, and its workers with it, are gone. An error: too slow, or no reply that makes sense.
std::optional<Result<WorkerReply>> receive_reply(const Descriptor& worker, steady_clock::time_point until,
                                                 const DecodeLimits& limits) {
  if (!hears(worker, until)) return std::unexpected(too_slow());
  const auto message = receive_message(worker);
  if (!message) return std::nullopt;
  auto reply = parse_reply(as_bytes(message->text), limits);
  return reply ? std::move(reply) : std::unexpected(broken());
}

// A worker with what lies in its memory.
struct Source {
  const Descriptor& worker;
  pid_t process;
  bool may_look;

  // False: the worker does not have what it promised.
  bool fill(std::uint64_t address, std::span<std::uint8_t> out) const {
    constexpr std::chrono::seconds kPatience{5};
    const auto fetched = may_look ? fetch(process, address, out) : Fetched::Forbidden;
    // An ended worker's number may be another process's by now.
    if (hears(worker, steady_clock::now())) return false;
    if (fetched == Fetched::Forbidden)
      return send_message(worker, "send") && receive_bytes(worker, out, kPatience);
    return fetched == Fetched::All;
  }
};

std::size_t byte_count(const PageAt& at) {
  return std::size_t{3} * static_cast<unsigned>(at.width) * static_cast<unsigned>(at.height);
}

// None: it is not there.
std::optional<Page> fetch_page(const Source& source, const PageAt& at) {
  Page page{unwritten_image(at.width, at.height, 3), at.pages};
  return source.fill(at.address, page.image.pixels) ? std::optional(std::move(page)) : std::nullopt;
}

// None: not what was asked for, or not there.
std::optional<Cut> fetch_cut(const Source& source, const WorkerReply& reply, std::uint64_t file_bytes) {
  const auto* at = std::get_if<CutAt>(&reply);
  if (!at || at->bytes > most_cut_bytes(file_bytes)) return std::nullopt;
  Cut cut{std::string(at->bytes, '\0'), at->pages};
  const std::span out(reinterpret_cast<std::uint8_t*>(cut.document.data()), cut.document.size());
  return source.fill(at->address, out) ? std::optional(std::move(cut)) : std::nullopt;
}

std::string order_of(const WorkerLimits& limits) {
  const StartWorker order{limits};
  return {reinterpret_cast<const char*>(&order), sizeof order};
}

}  // namespace

DecodePool::DecodePool(PoolSettings settings)
    : settings_(std::move(settings)),
      // As many pages are read as are opened.
      shelf_(std::make_shared<PageShelf>(static_cast<std::size_t>(settings_.workers))) {
  start_keeper();
  for (int i = 0; i < settings_.workers; ++i) ready_.push_back(order_worker());
}

DecodePool::~DecodePool() { end_keeper(); }

Result<Page> DecodePool::page(Bytes file, const DecodeOptions& options) {
  if (file.empty()) return decode_page(file, options);  // there is nothing to share
  return std::get<Page>(TRY(open(file, {.file_bytes = file.size(), .options = options})));
}

Result<Cut> DecodePool::cut(Bytes file, const CutOptions& options) {
  if (file.empty()) return cut_pages(file, options);
  const PageRequest request{.file_bytes = file.size(),
                            .options = {.limits = {.pages = options.most_pages},
                                        .password = options.password,
                                        .page = options.first},
                            .cut_to = std::max(options.first, options.last)};
  return std::get<Cut>(TRY(open(file, request)));
}

Result<DecodePool::Opened> DecodePool::open(Bytes file, const PageRequest& request) {
  const auto shared = TRY(share_file(file));
  auto answer = ask(take_worker(), shared, request);
  // The keeper ended, which was not this file's doing: again, with another one. A keeper that is just ending
  // may still take the first order.
  for (int more = 0; !answer && more < kMoreTries; ++more) {
    if (more > 0) std::this_thread::sleep_for(kBetweenTries);
    answer = ask(order_worker(), shared, request);
  }
  put_back(order_worker());
  if (!answer)
    return fail(ErrorKind::Unavailable,
                "no process can be started to open this page in; try again in a moment", "no_decode_worker");
  return *std::move(answer);
}

PoolStatus DecodePool::status() {
  PoolStatus status{.workers = settings_.workers};
  {
    const std::scoped_lock lock(keeper_mutex_);
    if (!granted_ && control_ && hears(control_, steady_clock::now()))
      if (const auto message = receive_message(control_);
          message && message->text.size() == sizeof(KeeperReady))
        granted_ = static_cast<GrantedLimits>(message->text.front());
    status.granted = granted_;
  }
  const std::scoped_lock lock(mutex_);
  status.lost = lost_;
  return status;
}

DecodePool::Worker DecodePool::take_worker() {
  std::unique_lock lock(mutex_);
  came_back_.wait(lock, [&] { return !ready_.empty(); });
  auto worker = std::move(ready_.front());
  ready_.pop_front();
  return worker;
}

void DecodePool::put_back(Worker worker) {
  {
    const std::scoped_lock lock(mutex_);
    ready_.push_back(std::move(worker));
  }
  came_back_.notify_one();
}

// One that need not run yet: what it is asked waits in its socket. None when no keeper can be had.
DecodePool::Worker DecodePool::order_worker() {
  auto ends = socket_pair();
  if (!ends) return {};
  auto memory = shelf_->take();
  const PageLent lent{memory ? memory->written() : 0};
  if (!send_message(ends->first, to_message(lent), memory ? &memory->descriptor() : nullptr)) return {};
  const auto order = order_of(settings_.limits);
  const std::scoped_lock lock(keeper_mutex_);
  if (!send_message(control_, order, &ends->second)) {
    end_keeper();
    start_keeper();
    if (!send_message(control_, order, &ends->second)) return {};
  }
  return {std::move(ends->first), std::move(memory)};
}

void DecodePool::start_keeper() {
  auto ends = socket_pair();
  if (!ends) return;
  keeper_ = spawn(settings_.keeper, ends->second);
  if (keeper_ != 0) control_ = std::move(ends->first);
}

void DecodePool::end_keeper() {
  control_ = Descriptor();
  granted_.reset();
  if (keeper_ != 0) ::waitpid(std::exchange(keeper_, 0), nullptr, 0);
}

// None: there is no such worker, because its keeper ended.
std::optional<Result<DecodePool::Opened>> DecodePool::ask(Worker asked, const Descriptor& file,
                                                          const PageRequest& request) try {
  const auto& worker = asked.socket;
  const auto until = steady_clock::now() + settings_.longest_page;
  const auto& limits = request.options.limits;
  const auto first = receive_reply(worker, until, limits);
  const auto* started = first && *first ? std::get_if<WorkerStarted>(&**first) : nullptr;
  if (!started || !send_message(worker, to_message(request), &file)) return std::nullopt;

  const auto reply = receive_reply(worker, until, limits);
  if (!reply) return std::nullopt;
  if (!*reply) return std::unexpected(lose(reply->error()));
  if (const auto* error = std::get_if<Error>(&**reply)) return std::unexpected(*error);
  if (const auto* ended = std::get_if<WorkerEnded>(&**reply))
    return std::unexpected(lose(reason_of(*ended, settings_.limits.memory, settings_.limits.cpu_seconds)));
  const auto* at = std::get_if<PageAt>(&**reply);
  if (request.cut_to < 0 && at && at->address == kInPageMemory && asked.memory &&
      byte_count(*at) <= PageMemory::kBytes) {
    auto image = shelf_->image(at->width, at->height, std::move(asked.memory), std::move(asked.socket));
    if (!image) return std::unexpected(lose(too_much_memory()));
    return Page{*std::move(image), at->pages};
  }
  const Source source{worker, started->process, settings_.may_look};
  if (request.cut_to >= 0) {
    if (auto cut = fetch_cut(source, **reply, request.file_bytes)) return *std::move(cut);
  } else if (at) {
    if (auto page = fetch_page(source, *at)) return *std::move(page);
  }
  // Of a worker that ended the keeper says so; one that went with its keeper leaves silence behind.
  if (hears(worker, steady_clock::now() + kFarewell) && !receive_message(worker)) return std::nullopt;
  return std::unexpected(lose(broken()));
} catch (const std::bad_alloc&) {
  return std::unexpected(lose(too_much_memory()));
}

Error DecodePool::lose(Error why) {
  const std::scoped_lock lock(mutex_);
  ++lost_;
  return why;
}

}  // namespace alcove::imaging
