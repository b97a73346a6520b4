#pragma once
// Memory for pages. A page is some megabytes that are written once from end to end: nothing clears them
// first, and they come in large pieces where the system has them, because touching fresh memory in pieces of
// 4 KiB costs more than decoding into it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

namespace alcove::imaging {

// `bytes`, a multiple of it, at a large page's start, in large pages where the system has them; to be
// unmapped. Null: there is no memory.
constexpr std::size_t kLargePage = std::size_t{2} << 20;  // bytes, of x86-64
std::uint8_t* map_large_pages(std::size_t bytes, int protection);

void* take_pixel_memory(std::size_t bytes);  // throws std::bad_alloc
void give_pixel_memory(void* memory);

// Memory of somebody else's for the next pixels that this thread takes, if they fit; `give_back` is called
// once they are done with, or with this if they never came. One at a time.
constexpr std::size_t kPixelFront = 32;  // bytes in front of it that are there to be written, too
class LentPixels {
 public:
  // A plain function: the sanitizer looks at the type of what has virtual ones, which takes a call that a
  // decode worker may not make.
  using GiveBack = void (*)(void* owner);
  LentPixels(std::span<std::uint8_t> bytes, void* owner, GiveBack give_back);
  ~LentPixels();
  LentPixels(const LentPixels&) = delete;
  LentPixels& operator=(const LentPixels&) = delete;
};

template <class Value>
struct PixelMemory {
  using value_type = Value;
  PixelMemory() = default;
  template <class Other>
  explicit PixelMemory(const PixelMemory<Other>&) {}

  Value* allocate(std::size_t count) { return static_cast<Value*>(take_pixel_memory(count * sizeof(Value))); }
  void deallocate(Value* values, std::size_t) { give_pixel_memory(values); }
  // A value that is not given is not written.
  void construct(Value*) {}
  template <class... Given>
  void construct(Value* place, Given&&... given) {
    std::construct_at(place, std::forward<Given>(given)...);
  }
  bool operator==(const PixelMemory&) const = default;
};

using Pixels = std::vector<std::uint8_t, PixelMemory<std::uint8_t>>;

}  // namespace alcove::imaging
