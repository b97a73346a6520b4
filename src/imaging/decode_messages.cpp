#include "imaging/decode_messages.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <type_traits>

#include "imaging/codecs.h"

namespace alcove::imaging {

namespace {

// No PDF has a longer one: the standard ends at 127 bytes.
constexpr std::size_t kLongestPassword = 1000;
constexpr std::size_t kLongestSentence = 400;
constexpr std::size_t kLongestCode = 40;

template <class... Numbers>
void put(std::string& message, const Numbers&... numbers) {
  static_assert((std::is_arithmetic_v<Numbers> && ...));
  (message.append(reinterpret_cast<const char*>(&numbers), sizeof numbers), ...);
}

enum class Tag : std::uint8_t { Started = 's', Page = 'p', Cut = 'c', Error = 'e', Ended = 'x' };

Result<WorkerStarted> parse_started(ByteReader& in) { return WorkerStarted{TRY(in.little_endian<int>())}; }

Result<PageAt> parse_page(ByteReader& in, const DecodeLimits& limits) {
  PageAt page;
  page.address = TRY(in.little_endian<std::uint64_t>());
  page.width = TRY(in.little_endian<int>());
  page.height = TRY(in.little_endian<int>());
  page.pages = TRY(in.little_endian<int>());
  const auto within = [](int number, int most) { return number >= 1 && number <= most; };
  if (!within(page.width, limits.side) || !within(page.height, limits.side) ||
      !within(page.pages, limits.pages) ||
      std::uint64_t{1} * static_cast<unsigned>(page.width) * static_cast<unsigned>(page.height) >
          limits.pixels)
    return fail(ErrorKind::Unreadable, "the worker's page is of no possible size", "damaged");
  return page;
}

Result<CutAt> parse_cut(ByteReader& in, const DecodeLimits& limits) {
  CutAt cut;
  cut.address = TRY(in.little_endian<std::uint64_t>());
  cut.bytes = TRY(in.little_endian<std::uint64_t>());
  cut.pages = TRY(in.little_endian<int>());
  if (cut.bytes == 0 || cut.pages < 1 || cut.pages > limits.pages)
    return fail(ErrorKind::Unreadable, "the worker's pages are of no possible size", "damaged");
  return cut;
}

bool is_caused_by_a_file(ErrorKind kind) {
  return kind == ErrorKind::Unreadable || kind == ErrorKind::TooLarge || kind == ErrorKind::Unsupported ||
         kind == ErrorKind::Unavailable;
}

Result<Error> parse_error(ByteReader& in) {
  const auto kind = static_cast<ErrorKind>(TRY(in.little_endian<std::uint8_t>()));
  const auto code_bytes = TRY(in.little_endian<std::uint8_t>());
  const auto code = as_text(TRY(in.take(code_bytes)));
  const auto sentence = as_text(TRY(in.take(in.remaining())));
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
  if (!is_caused_by_a_file(kind) || code.size() > kLongestCode || sentence.size() > kLongestSentence ||
      !std::ranges::all_of(code, is_word) || !std::ranges::all_of(sentence, is_plain))
    return fail(ErrorKind::Unreadable, "the worker's error is not one of ours", "damaged");
  return Error{kind, std::string(sentence), std::string(code)};
}

Result<WorkerEnded> parse_ended(ByteReader& in) {
  WorkerEnded ended;
  ended.wait_status = TRY(in.little_endian<int>());
  ended.memory = TRY(in.little_endian<std::uint64_t>());
  ended.cpu_seconds = TRY(in.little_endian<std::uint64_t>());
  return ended;
}

std::string message_of(const WorkerStarted& worker) {
  std::string message(1, static_cast<char>(Tag::Started));
  put(message, worker.process);
  return message;
}

std::string message_of(const PageAt& page) {
  std::string message(1, static_cast<char>(Tag::Page));
  put(message, page.address, page.width, page.height, page.pages);
  return message;
}

std::string message_of(const CutAt& cut) {
  std::string message(1, static_cast<char>(Tag::Cut));
  put(message, cut.address, cut.bytes, cut.pages);
  return message;
}

std::string message_of(const Error& error) {
  std::string message(1, static_cast<char>(Tag::Error));
  put(message, static_cast<std::uint8_t>(error.kind), static_cast<std::uint8_t>(error.code.size()));
  return message + error.code + error.message.substr(0, kLongestSentence);
}

std::string message_of(const WorkerEnded& ended) {
  std::string message(1, static_cast<char>(Tag::Ended));
  put(message, ended.wait_status, ended.memory, ended.cpu_seconds);
  return message;
}

}  // namespace

std::string to_message(const PageRequest& request) {
  const auto& options = request.options;
  std::string message;
  put(message, request.file_bytes, options.limits.pixels, options.limits.side, options.limits.pages,
      options.page, options.dpi, request.cut_to);
  return message + options.password.substr(0, kLongestPassword);
}

Result<PageRequest> parse_request(Bytes message) {
  ByteReader in(message);
  PageRequest request;
  request.file_bytes = TRY(in.little_endian<std::uint64_t>());
  request.options.limits.pixels = TRY(in.little_endian<std::uint64_t>());
  request.options.limits.side = TRY(in.little_endian<int>());
  request.options.limits.pages = TRY(in.little_endian<int>());
  request.options.page = TRY(in.little_endian<int>());
  request.options.dpi = TRY(in.little_endian<double>());
  request.cut_to = TRY(in.little_endian<int>());
  request.options.password = as_text(TRY(in.take(in.remaining())));
  return request;
}

std::string to_message(const PageLent& lent) {
  std::string message;
  put(message, lent.written);
  return message;
}

Result<PageLent> parse_lent(Bytes message) {
  ByteReader in(message);
  return PageLent{TRY(in.little_endian<std::uint64_t>())};
}

std::string to_message(const WorkerReply& reply) {
  return std::visit([](const auto& what) { return message_of(what); }, reply);
}

Result<WorkerReply> parse_reply(Bytes message, const DecodeLimits& limits) {
  ByteReader in(message);
  switch (static_cast<Tag>(TRY(in.little_endian<std::uint8_t>()))) {
    case Tag::Started: return TRY(parse_started(in));
    case Tag::Page: return TRY(parse_page(in, limits));
    case Tag::Cut: return TRY(parse_cut(in, limits));
    case Tag::Error: return TRY(parse_error(in));
    case Tag::Ended: return TRY(parse_ended(in));
  }
  return fail(ErrorKind::Unreadable, "the worker's reply is of no known kind", "damaged");
}

Error reason_of(const WorkerEnded& ended, std::uint64_t memory_limit, std::uint64_t cpu_limit) {
  const int signal = WIFSIGNALED(ended.wait_status) ? WTERMSIG(ended.wait_status) : 0;
  if (signal == SIGXCPU || ended.cpu_seconds >= cpu_limit) return too_slow();
  // Killed from outside: the system ran out of memory, and workers are what it takes first. Others abort when
  // they get no more of it.
  if (signal == SIGKILL || ended.memory > memory_limit / 2) return too_much_memory();
  return broken();
}

}  // namespace alcove::imaging
