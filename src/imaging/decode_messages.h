#pragma once
// What the pool and its workers say to each other. A worker may have been taken over by the file it opens, so
// what it says is judged like the file.

#include <cstdint>
#include <string>
#include <variant>

#include "imaging/decode.h"

namespace alcove::imaging {

// Pool to worker; the memory with the file comes along.
struct PageRequest {
  std::uint64_t file_bytes = 0;
  DecodeOptions options;
  int cut_to = -1;  // the last page of those that are wanted as a PDF; none: options.page is drawn
};
std::string to_message(const PageRequest& request);
Result<PageRequest> parse_request(Bytes message);

// Pool to worker, first of all; the page memory comes along, or none.
struct PageLent {
  std::uint64_t written = 0;  // bytes from its start that hold an earlier page
};
std::string to_message(const PageLent& lent);
Result<PageLent> parse_lent(Bytes message);

// Keeper to pool, on the worker's socket: the worker exists. It comes before anything that a file could send,
// because the file is sent after it.
struct WorkerStarted {
  int process = 0;
};
// Worker to pool: the pixels, three channels, lie at the start of the page memory that it was lent, or at an
// address in its own memory. Width, height and pages are within the limits that were given.
constexpr std::uint64_t kInPageMemory = 0;
struct PageAt {
  std::uint64_t address = kInPageMemory;
  int width = 0, height = 0, pages = 0;
};
// Worker to pool: where in its own memory the pages that were cut out lie. Within most_cut_bytes() and the
// limit of pages.
struct CutAt {
  std::uint64_t address = 0, bytes = 0;
  int pages = 0;
};
// What pages of a file may come to: they lie in it already, though perhaps packed.
constexpr std::uint64_t most_cut_bytes(std::uint64_t file_bytes) { return 4 * file_bytes + (1 << 20); }
// Keeper of the workers to pool: one ended without an answer.
struct WorkerEnded {
  int wait_status = 0;       // waitpid's
  std::uint64_t memory = 0;  // the most it held, bytes
  std::uint64_t cpu_seconds = 0;
};
using WorkerReply = std::variant<WorkerStarted, PageAt, CutAt, Error, WorkerEnded>;
std::string to_message(const WorkerReply& reply);
// Unreadable when it is no reply within these limits. An error is of the kinds that a file can cause, its
// words short and plain.
Result<WorkerReply> parse_reply(Bytes message, const DecodeLimits& limits);

// Why the worker ended, for who sent the file: code damaged, too_slow or too_much_memory.
Error reason_of(const WorkerEnded& ended, std::uint64_t memory_limit, std::uint64_t cpu_limit);

}  // namespace alcove::imaging
