#pragma once
// The memory that a worker leaves its page in: ours too, so that no pixel is copied, and used for one page
// after the other, so that it need not be touched for the first time.
//
// A worker may have been taken over by its file. It can write here for as long as it lives, which spoils its
// own page and nothing else: pixels may have any value, and memory goes to another worker only after its last
// one is surely dead, who clears it before it has seen a file.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "imaging/descriptors.h"
#include "imaging/image.h"

namespace alcove::imaging {

class PageMemory {
 public:
  // An A4 page at 200 dpi takes 11.6 MB. Of a larger one the worker keeps the pixels, to be fetched from it.
  static constexpr std::size_t kBytes = std::size_t{16} << 20;

  static std::unique_ptr<PageMemory> make();                             // null: there is none to be had
  static std::unique_ptr<PageMemory> view_of(const Descriptor& memory);  // a worker's; null: it cannot be had
  ~PageMemory();
  PageMemory(const PageMemory&) = delete;
  PageMemory& operator=(const PageMemory&) = delete;

  std::span<std::uint8_t> bytes() const { return {bytes_, kBytes}; }
  const Descriptor& descriptor() const { return descriptor_; }  // not open in a view

  // A page of that many bytes was left at its start. False: there is no memory for what was not written of
  // it, the reading of which would end this process. What lies behind every page so far is taken away.
  bool hold(std::size_t bytes);
  std::size_t written() const { return written_; }  // by large pages, from its start

 private:
  explicit PageMemory(std::uint8_t* bytes) : bytes_(bytes) {}

  Descriptor descriptor_;
  std::size_t written_ = 0;
  std::uint8_t* const bytes_;  // a page of this process's own lies in front of them
};

// Page memory between two workers. Safe from any thread.
class PageShelf : public std::enable_shared_from_this<PageShelf> {
 public:
  explicit PageShelf(std::size_t most);

  // For a worker that is still to be forked; null: there is none to be had.
  std::unique_ptr<PageMemory> take();
  // The page that the worker left in it, width * height * 3 <= PageMemory::kBytes, and which is back here
  // when the image is gone. None: there is no memory for it.
  std::optional<Image> image(int width, int height, std::unique_ptr<PageMemory> memory, Descriptor worker);

 private:
  struct Left {
    std::unique_ptr<PageMemory> memory;
    Descriptor worker;  // the socket of who had it
  };
  struct Shown {
    std::shared_ptr<PageShelf> shelf;
    Left left;
  };
  void put(Left left);

  const std::size_t most_;
  std::mutex mutex_;
  std::vector<Left> left_;
};

}  // namespace alcove::imaging
