#pragma once
// Foreign files opened in children: a hostile one costs its sender a 422 and nobody else anything.
//
// The pool starts one process, the keeper, which loads and warms the decoders and opens no file. For each
// page the keeper forks a worker, ahead of time, that gives up its rights (imaging/worker_limits.h), opens
// that one page and ends: nothing of one sheet is left when the next one comes, neither memory nor what a
// hostile file may have put there. The file goes in as sealed shared memory, the pixels come out in page
// memory (imaging/page_memory.h); those of a large page are copied out of the worker's own memory.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "imaging/cut_pages.h"
#include "imaging/decode_worker.h"
#include "imaging/decoder.h"
#include "imaging/descriptors.h"
#include "imaging/page_memory.h"

namespace alcove::imaging {

struct PageRequest;

struct PoolSettings {
  int workers = 2;  // pages opened at once; more callers wait
  WorkerLimits limits;
  std::chrono::milliseconds longest_page{20'000};  // then the worker is killed
  // Into the memory of workers; else, and where the host forbids it, they send their pages.
  bool may_look = true;
  std::string keeper = "decode-workers";  // the word at which this program calls keep_decode_workers()
};

struct PoolStatus {
  int workers = 0;
  std::optional<GrantedLimits> granted;  // none while the keeper starts
  std::uint64_t lost = 0;                // workers that were killed or ended without an answer
};

// Safe from any thread.
class DecodePool final : public Decoder {
 public:
  // The keeper starts beside the caller, which need not wait for it.
  explicit DecodePool(PoolSettings settings = {});
  ~DecodePool() override;

  // Beside decode_page()'s errors: Unreadable (code damaged, too_slow, too_much_memory) when the file broke
  // its worker, Unavailable when no worker can be had.
  Result<Page> page(Bytes file, const DecodeOptions& options) override;

  // cut_pages() in a worker, with the same errors beside its own.
  Result<Cut> cut(Bytes file, const CutOptions& options);

  PoolStatus status();

 private:
  using Opened = std::variant<Page, Cut>;  // as the request asks
  struct Worker {
    Descriptor socket;                   // not open: it is still to be ordered
    std::unique_ptr<PageMemory> memory;  // null: it was lent none
  };
  Result<Opened> open(Bytes file, const PageRequest& request);
  Worker take_worker();
  void put_back(Worker worker);
  Worker order_worker();
  void start_keeper();
  void end_keeper();
  std::optional<Result<Opened>> ask(Worker worker, const Descriptor& file, const PageRequest& request);
  Error lose(Error why);

  const PoolSettings settings_;
  const std::shared_ptr<PageShelf> shelf_;
  std::mutex keeper_mutex_;
  Descriptor control_;
  pid_t keeper_ = 0;
  std::optional<GrantedLimits> granted_;

  std::mutex mutex_;
  std::condition_variable came_back_;
  std::deque<Worker> ready_;
  std::uint64_t lost_ = 0;
};

}  // namespace alcove::imaging
