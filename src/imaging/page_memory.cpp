#include "imaging/page_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace alcove::imaging {

namespace {

constexpr std::size_t kLargePage = std::size_t{2} << 20;  // bytes, of x86-64
constexpr std::size_t kFront = 4096;
static_assert(kFront >= kPixelFront);

std::uint8_t* after(void* memory, std::size_t bytes) { return static_cast<std::uint8_t*>(memory) + bytes; }

// At a large page's start, behind a small page that is this process's alone.
std::uint8_t* map(const Descriptor& memory) {
  constexpr std::size_t kRoom = kLargePage + PageMemory::kBytes;
  void* const room =
      ::mmap(nullptr, kRoom + kLargePage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(room);
  const std::size_t before = (address + kLargePage - 1) / kLargePage * kLargePage - address;
  if (before > 0) ::munmap(room, before);
  ::munmap(after(room, before + kRoom), kLargePage - before);
  std::uint8_t* const bytes = after(room, before + kLargePage);
  const bool mapped = ::mprotect(bytes - kFront, kFront, PROT_READ | PROT_WRITE) == 0 &&
                      ::mmap(bytes, PageMemory::kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                             memory.number(), 0) != MAP_FAILED;
  if (!mapped) {
    ::munmap(after(room, before), kRoom);
    return nullptr;
  }
  ::madvise(bytes, PageMemory::kBytes, MADV_HUGEPAGE);  // a wish; without it the memory is as good
  return bytes;
}

// The worker's end of the socket is held by the worker and by its keeper, who lets go of it when the worker is
// dead. Whatever comes through it before is not believed; one that keeps talking is not dead.
bool is_dead(const Descriptor& worker) {
  constexpr int kMostWords = 8;
  for (int word = 0; word < kMostWords && hears(worker, std::chrono::steady_clock::now()); ++word)
    if (!receive_message(worker)) return true;
  return false;
}

}  // namespace

std::unique_ptr<PageMemory> PageMemory::make() {
  Descriptor memory(::memfd_create("alcove-page", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // Of a size that nobody can change: reading beyond the end would end this process.
  if (!memory || ::ftruncate(memory.number(), kBytes) != 0 ||
      ::fcntl(memory.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return nullptr;
  auto ours = view_of(memory);
  if (ours) ours->descriptor_ = std::move(memory);
  return ours;
}

std::unique_ptr<PageMemory> PageMemory::view_of(const Descriptor& memory) {
  std::uint8_t* const bytes = map(memory);
  return std::unique_ptr<PageMemory>(bytes ? new PageMemory(bytes) : nullptr);
}

std::size_t PageMemory::written() const {
  constexpr std::size_t kBlock = 512;  // bytes, of st_blocks
  struct stat now{};
  if (::fstat(descriptor_.number(), &now) != 0) return kBytes;
  return std::min(kBytes, static_cast<std::size_t>(now.st_blocks) * kBlock);
}

PageMemory::~PageMemory() { ::munmap(bytes_ - kLargePage, kLargePage + kBytes); }

std::unique_ptr<PageMemory> PageShelf::take() {
  for (;;) {
    Left left;
    {
      const std::scoped_lock lock(mutex_);
      if (left_.empty()) break;
      left = std::move(left_.back());
      left_.pop_back();
    }
    if (is_dead(left.worker)) return std::move(left.memory);
  }
  return PageMemory::make();
}

void PageShelf::put(std::unique_ptr<PageMemory> memory, Descriptor worker) {
  const std::scoped_lock lock(mutex_);
  if (memory && left_.size() < most_) left_.push_back({std::move(memory), std::move(worker)});
}

Image PageShelf::image(int width, int height, std::unique_ptr<PageMemory> memory, Descriptor worker) {
  const auto bytes = memory->bytes();
  auto page = std::make_unique<Shown>(shared_from_this(), std::move(memory), std::move(worker));
  const LentPixels lent(bytes, page.release(), [](void* owner) {
    const std::unique_ptr<Shown> done(static_cast<Shown*>(owner));
    done->shelf->put(std::move(done->memory), std::move(done->worker));
  });
  return unwritten_image(width, height, 3);
}

}  // namespace alcove::imaging
