#include "imaging/pixel_memory.h"

#include <sys/mman.h>

#include <cstdlib>

namespace alcove::imaging {
namespace {

struct Lender {
  void* owner = nullptr;
  LentPixels::GiveBack give_back = nullptr;  // none: nobody
};

// In front of what is handed out.
struct alignas(16) Front {
  std::size_t mapped = 0;  // bytes, of which this is the start; 0: from malloc, or lent
  Lender lender = {};
};
static_assert(sizeof(Front) <= kPixelFront);

struct Lent {
  std::span<std::uint8_t> bytes;
  Lender lender;
};
thread_local Lent lent;

std::size_t whole_pages(std::size_t bytes) { return (bytes + kLargePage - 1) / kLargePage * kLargePage; }

}  // namespace

// Mapped for one sheet's page and unmapped after it: a malloc that is asked for aligned megabytes by several
// threads ends up holding ten times what is in use.
std::uint8_t* map_large_pages(std::size_t bytes, int protection) {
  void* const mapped =
      ::mmap(nullptr, bytes + kLargePage, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const from = static_cast<std::uint8_t*>(mapped);
  const auto address = reinterpret_cast<std::uintptr_t>(from);
  const std::size_t before = whole_pages(address) - address;
  if (before > 0) ::munmap(from, before);
  if (before < kLargePage) ::munmap(from + before + bytes, kLargePage - before);
  ::madvise(from + before, bytes, MADV_HUGEPAGE);  // a wish; without it the memory is as good
  return from + before;
}

LentPixels::LentPixels(std::span<std::uint8_t> bytes, void* owner, GiveBack give_back) {
  lent = {bytes, {owner, give_back}};
}

LentPixels::~LentPixels() {
  if (const auto still = std::exchange(lent.lender, {}); still.give_back) still.give_back(still.owner);
}

void* take_pixel_memory(std::size_t bytes) {
  if (lent.lender.give_back && bytes <= lent.bytes.size())
    return new (lent.bytes.data() - sizeof(Front)) Front{.lender = std::exchange(lent.lender, {})} + 1;
  const std::size_t mapped = bytes >= kLargePage ? whole_pages(bytes + sizeof(Front)) : 0;
  void* memory =
      mapped > 0 ? map_large_pages(mapped, PROT_READ | PROT_WRITE) : std::malloc(bytes + sizeof(Front));
  if (memory == nullptr) throw std::bad_alloc();
  return new (memory) Front{.mapped = mapped} + 1;
}

void give_pixel_memory(void* memory) {
  Front* const front = static_cast<Front*>(memory) - 1;
  if (front->lender.give_back)
    front->lender.give_back(front->lender.owner);
  else if (front->mapped > 0)
    ::munmap(front, front->mapped);
  else
    std::free(front);
}

}  // namespace alcove::imaging
