#include "imaging/pixel_memory.h"

#include <sys/mman.h>

#include <cstdlib>

namespace alcove::imaging {
namespace {

constexpr std::size_t kLargePage = std::size_t{2} << 20;  // bytes, of x86-64

// In front of what is handed out.
struct alignas(16) Front {
  std::size_t mapped = 0;            // bytes, of which this is the start; 0: from malloc, or lent
  std::shared_ptr<void> owner = {};  // of what was lent
};
static_assert(sizeof(Front) <= kPixelFront);

struct Lent {
  std::span<std::uint8_t> bytes;
  std::shared_ptr<void> owner;
};
thread_local Lent lent;

std::size_t whole_pages(std::size_t bytes) { return (bytes + kLargePage - 1) / kLargePage * kLargePage; }

// Mapped for one sheet's page and unmapped after it: a malloc that is asked for aligned megabytes by several
// threads ends up holding ten times what is in use.
void* map_large_pages(std::size_t bytes) {
  void* mapped =
      ::mmap(nullptr, bytes + kLargePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const from = static_cast<std::uint8_t*>(mapped);
  const auto address = reinterpret_cast<std::uintptr_t>(from);
  const std::size_t before = whole_pages(address) - address;
  if (before > 0) ::munmap(from, before);
  if (before < kLargePage) ::munmap(from + before + bytes, kLargePage - before);
  ::madvise(from + before, bytes, MADV_HUGEPAGE);  // a wish; without it the memory is as good
  return from + before;
}

}  // namespace

LentPixels::LentPixels(std::span<std::uint8_t> bytes, std::shared_ptr<void> owner) {
  lent = {bytes, std::move(owner)};
}

LentPixels::~LentPixels() { lent = {}; }

void* take_pixel_memory(std::size_t bytes) {
  if (lent.owner && bytes <= lent.bytes.size())
    return new (lent.bytes.data() - sizeof(Front)) Front{.owner = std::exchange(lent.owner, nullptr)} + 1;
  const std::size_t mapped = bytes >= kLargePage ? whole_pages(bytes + sizeof(Front)) : 0;
  void* memory = mapped > 0 ? map_large_pages(mapped) : std::malloc(bytes + sizeof(Front));
  if (memory == nullptr) throw std::bad_alloc();
  return new (memory) Front{.mapped = mapped} + 1;
}

void give_pixel_memory(void* memory) {
  Front* const front = static_cast<Front*>(memory) - 1;
  const Front had = std::move(*front);
  front->~Front();
  if (had.mapped > 0)
    ::munmap(front, had.mapped);
  else if (!had.owner)
    std::free(front);
}

}  // namespace alcove::imaging
