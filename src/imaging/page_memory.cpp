#include "imaging/page_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace alcove::imaging {

namespace {

constexpr std::size_t kFront = 4096;
static_assert(kFront >= kPixelFront);
// MADV_COLLAPSE of Linux 6.1, which older C libraries do not name: large pages out of what is there, also
// where shared memory gets none when it is touched, which is how kernels come.
constexpr int kCollapse = 25;

// At a large page's start, behind a small page that is this process's alone.
std::uint8_t* map(const Descriptor& memory) {
  std::uint8_t* const room = map_large_pages(kLargePage + PageMemory::kBytes, PROT_NONE);
  if (!room) return nullptr;
  std::uint8_t* const bytes = room + kLargePage;
  const bool mapped = ::mprotect(bytes - kFront, kFront, PROT_READ | PROT_WRITE) == 0 &&
                      ::mmap(bytes, PageMemory::kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                             memory.number(), 0) != MAP_FAILED;
  if (!mapped) {
    ::munmap(room, kLargePage + PageMemory::kBytes);
    return nullptr;
  }
  ::madvise(bytes, PageMemory::kBytes, MADV_HUGEPAGE);
  return bytes;
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

bool PageMemory::hold(std::size_t bytes) {
  constexpr off_t kAll = kBytes;
  const std::size_t more = std::min(kBytes, (bytes + kLargePage - 1) / kLargePage * kLargePage);
  const bool grows = more > written_;
  written_ = std::max(written_, more);
  const auto held = static_cast<off_t>(written_);
  const int memory = descriptor_.number();
  if (held < kAll && ::fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, held, kAll - held) != 0)
    return false;
  // Mostly all of it is there, which is told at once; to be made sure of it takes a step for each small page.
  constexpr off_t kBlock = 512;  // bytes, of st_blocks
  struct stat now{};
  if (::fstat(memory, &now) != 0 || (now.st_blocks * kBlock < held && ::fallocate(memory, 0, 0, held) != 0))
    return false;
  if (grows) ::madvise(bytes_, written_, kCollapse);  // a wish
  return true;
}

PageMemory::~PageMemory() { ::munmap(bytes_ - kLargePage, kLargePage + kBytes); }

PageShelf::PageShelf(std::size_t most) : most_(most) { left_.reserve(most); }

std::unique_ptr<PageMemory> PageShelf::take() {
  for (;;) {
    Left left;
    {
      const std::scoped_lock lock(mutex_);
      if (left_.empty()) break;
      left = std::move(left_.back());
      left_.pop_back();
    }
    // The worker's end of the socket is held by the worker and by its keeper, who lets go of it when the
    // worker is dead.
    if (is_abandoned(left.worker)) return std::move(left.memory);
  }
  return PageMemory::make();
}

void PageShelf::put(Left left) {
  const std::scoped_lock lock(mutex_);
  if (left_.size() < most_) left_.push_back(std::move(left));
}

std::optional<Image> PageShelf::image(int width, int height, std::unique_ptr<PageMemory> memory,
                                      Descriptor worker) {
  const auto bytes = memory->bytes();
  if (!memory->hold(std::size_t{3} * static_cast<unsigned>(width) * static_cast<unsigned>(height)))
    return std::nullopt;
  // It has answered: its keeper ends it, should it not end by itself.
  ::shutdown(worker.number(), SHUT_WR);
  auto shown = std::make_unique<Shown>(shared_from_this(), Left{std::move(memory), std::move(worker)});
  const LentPixels lent(bytes, shown.release(), [](void* owner) {
    const std::unique_ptr<Shown> done(static_cast<Shown*>(owner));
    done->shelf->put(std::move(done->left));
  });
  return unwritten_image(width, height, 3);
}

}  // namespace alcove::imaging
