#include "imaging/decode_worker.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "imaging/codecs.h"
#include "imaging/decode_messages.h"
#include "imaging/page_memory.h"
#include "imaging/worker_memory.h"

namespace alcove::imaging {

namespace {

constexpr int kWorkerSocket = 3;

// The pool has taken the pixels when it hangs up. Where it may not look into other processes it asks for
// them.
void hand_over(const Descriptor& socket, Bytes bytes) {
  if (receive_message(socket)) send_bytes(socket, bytes);
}

std::uint64_t address_of(Bytes bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()); }

void cut_out(const Descriptor& socket, const PageRequest& request, const SharedFile& file) {
  const auto& options = request.options;
  auto cut = file ? cut_pages(file.bytes(), {.first = options.page,
                                             .last = request.cut_to,
                                             .password = options.password,
                                             .most_pages = options.limits.pages})
                  : std::unexpected(too_much_memory());
  if (!cut) {
    send_message(socket, to_message(WorkerReply(std::move(cut).error())));
    return;
  }
  const auto bytes = as_bytes(cut->document);
  if (send_message(socket, to_message(CutAt{address_of(bytes), bytes.size(), cut->pages})))
    hand_over(socket, bytes);
}

// What the pool lent, cleared of the page before. Null: nothing was lent.
std::unique_ptr<PageMemory> take_page_memory(const Message& message) {
  const auto lent = parse_lent(as_bytes(message.text));
  auto memory = lent && message.along ? PageMemory::view_of(message.along) : nullptr;
  if (memory) std::ranges::fill(memory->bytes().first(std::min(PageMemory::kBytes, lent->written)), 0);
  return memory;
}

// What a decoder needs beside the page, PDFium's buffers above all: taken from the system while nobody waits,
// and kept by malloc when it is given back.
void touch_memory() {
  constexpr std::size_t kBeside = std::size_t{8} << 20, kSmallPage = 4096;
  ::mallopt(M_MMAP_THRESHOLD, 2 * kBeside);
  ::mallopt(M_TRIM_THRESHOLD, 4 * kBeside);
  const std::unique_ptr<volatile std::uint8_t[]> memory(new volatile std::uint8_t[kBeside]);
  for (std::size_t at = 0; at < kBeside; at += kSmallPage) memory[at] = 1;
}

void open_page(const Descriptor& socket, const PageRequest& request, const SharedFile& file,
               const PageMemory* memory, DecodeFunction decode) {
  // The first picture of a decoder's is mostly the page itself.
  std::optional<LentPixels> lent;
  if (memory) lent.emplace(memory->bytes(), nullptr, [](void*) {});
  auto page = file ? decode(file.bytes(), request.options) : std::unexpected(too_much_memory());
  if (!page) {
    send_message(socket, to_message(WorkerReply(std::move(page).error())));
    return;
  }
  const auto& pixels = page->image.pixels;
  PageAt at{kInPageMemory, page->image.width, page->image.height, page->pages};
  if (!memory || pixels.size() > PageMemory::kBytes)
    at.address = address_of(pixels);
  else if (pixels.data() != memory->bytes().data())
    std::ranges::copy(pixels, memory->bytes().begin());
  if (send_message(socket, to_message(at)) && at.address != kInPageMemory) hand_over(socket, pixels);
}

void answer(const Descriptor& socket, const Message& message, const PageMemory* memory,
            DecodeFunction decode) try {
  const auto request = parse_request(as_bytes(message.text));
  if (!request) return;
  const SharedFile file(message.along, request->file_bytes);
  if (request->cut_to >= 0)
    cut_out(socket, *request, file);
  else
    open_page(socket, *request, file, memory, decode);
} catch (const std::bad_alloc&) {
  send_message(socket, to_message(WorkerReply(too_much_memory())));
}

// One page, and out.
[[noreturn]] void work(Descriptor given, const WorkerLimits& limits, pid_t keeper, DecodeFunction decode) {
  // Nothing else that the keeper holds comes along: not its control socket, nor other workers' sockets.
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int standard : {0, 1, 2}) ::dup2(nowhere, standard);
  ::dup2(given.number(), kWorkerSocket);
  ::close_range(kWorkerSocket + 1, ~0U, 0);
  const Descriptor socket(kWorkerSocket);

  give_up_rights(limits, keeper);
  auto message = receive_message(socket, Along::Accepted);
  const auto memory = message ? take_page_memory(*message) : nullptr;
  touch_memory();
  message.reset();  // with its descriptor: there is room for one
  if ((message = receive_message(socket, Along::Accepted))) answer(socket, *message, memory.get(), decode);
  ::_exit(0);
}

template <class Plain>
std::string bytes_of(const Plain& plain) {
  return {reinterpret_cast<const char*>(&plain), sizeof plain};
}
template <class Plain>
std::optional<Plain> plain_of(const std::string& bytes) {
  Plain plain;
  if (bytes.size() != sizeof plain) return std::nullopt;
  std::memcpy(&plain, bytes.data(), sizeof plain);
  return plain;
}

class Keeper {
 public:
  explicit Keeper(DecodeFunction decode) : control_(kControlSocket), decode_(decode) {}

  // What a worker finds when it has given up its rights here.
  GrantedLimits try_limits() const {
    const pid_t self = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) ::_exit(give_up_rights(WorkerLimits{}, self));
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 0;
    return static_cast<GrantedLimits>(WEXITSTATUS(status));
  }

  bool tell_pool(const KeeperReady& ready) const { return send_message(control_, bytes_of(ready)); }

  // Until the pool hangs up.
  void run() {
    const sigset_t none = [] {
      sigset_t set;
      sigemptyset(&set);
      return set;
    }();
    for (;;) {
      std::vector<pollfd> watched{{control_.number(), POLLIN, 0}};
      for (const auto& worker : workers_)
        watched.push_back({worker.killed ? -1 : worker.socket.number(), POLLRDHUP, 0});
      // The end of a worker interrupts this.
      if (::ppoll(watched.data(), watched.size(), nullptr, &none) > 0) {
        if (watched[0].revents != 0 && !start_worker()) return;
        for (std::size_t i = 1; i < watched.size(); ++i)
          if (watched[i].revents & (POLLHUP | POLLRDHUP)) kill_worker(workers_[i - 1]);
      }
      bury_workers();
    }
  }

 private:
  struct Worker {
    pid_t process = 0;
    Descriptor socket;  // the worker's own end
    bool killed = false;
  };

  // False: the pool is gone. Workers end with this process.
  bool start_worker() {
    auto message = receive_message(control_, Along::Accepted);
    if (!message) return false;
    const auto order = plain_of<StartWorker>(message->text);
    if (!order || !message->along) return true;
    const pid_t self = ::getpid();
    const pid_t process = ::fork();
    if (process == 0) work(std::move(message->along), order->limits, self, decode_);
    if (process < 0) return true;  // the socket closes, which says it
    send_message(message->along, to_message(WorkerStarted{process}));
    workers_.push_back({process, std::move(message->along)});
    return true;
  }

  // Nobody waits for its answer any longer.
  static void kill_worker(Worker& worker) {
    ::kill(worker.process, SIGKILL);
    worker.killed = true;
  }

  void bury_workers() {
    int status = 0;
    rusage used{};
    for (pid_t process = 0; (process = ::wait4(-1, &status, WNOHANG, &used)) > 0;) {
      const auto worker = std::ranges::find(workers_, process, &Worker::process);
      if (worker == workers_.end()) continue;
      // When it has answered, nobody hears this; one that fills its socket must not make us wait.
      offer_message(worker->socket,
                    to_message(WorkerEnded{.wait_status = status,
                                           .memory = static_cast<std::uint64_t>(used.ru_maxrss) * 1024,
                                           .cpu_seconds = static_cast<std::uint64_t>(used.ru_utime.tv_sec +
                                                                                     used.ru_stime.tv_sec)}));
      workers_.erase(worker);
    }
  }

  Descriptor control_;
  DecodeFunction decode_;
  std::vector<Worker> workers_;  // a handful
};

void wake_on_death() {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  ::sigaction(SIGCHLD, &action, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);  // but inside ppoll
}

// So that the system, short of memory, ends a worker rather than the server.
void volunteer() {
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const auto written = ::write(file, "1000", 4);
  ::close(file);
}

}  // namespace

int keep_decode_workers(DecodeFunction decode) {
  ::close_range(kControlSocket + 1, ~0U, 0);
  wake_on_death();
  volunteer();
  Keeper keeper(decode);
  // Once, here, rather than in each worker, which could no longer open the libraries.
  warm_up_heic();
  warm_up_pdf();
  if (!keeper.tell_pool({keeper.try_limits()})) return 0;
  keeper.run();
  return 0;
}

}  // namespace alcove::imaging
