#pragma once
// What goes to another server and what comes back, as values.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace alcove::net {

struct Header {
  std::string name;  // of a reply: lower case
  std::string value;
};

struct FormPart {  // one part of a multipart form
  std::string name;
  std::string file_name;       // empty: a plain field
  Bytes content;               // borrowed until the request is done
  std::string content_type;    // empty: left to the server
  std::filesystem::path file;  // when set, read from here instead of `content`
};

struct FileSlice {  // part of a file; read while it is sent
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // bytes; a file that turns out shorter ends the request
};

// Bytes made while they are sent.
struct BodyReader {
  std::function<Result<std::size_t>(std::span<std::uint8_t>)> read;  // 0 at the end
  std::optional<std::uint64_t> size;                                 // unknown: sent in chunks
  std::function<Result<void>()> rewind;  // absent: the request cannot be repeated or redirected
};

using RequestBody = std::variant<std::monostate, std::string, FileSlice, BodyReader, std::vector<FormPart>>;

struct Limits {  // zero: no such limit
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds total{60'000};  // from the call to the last byte, redirects included
  std::chrono::milliseconds silence{0};     // no byte either way for this long; checked once a second
  std::size_t body = 64u << 20;             // bytes of a reply kept in memory; more is TooLarge
};

enum class Redirects {
  Follow,      // to anywhere; credentials go to the first origin alone
  SameOrigin,  // a reply that points elsewhere is given back as it is
  Never,
};

struct Reply {
  int status = 0;  // as the server gave it; 4xx and 5xx are replies, not errors
  std::vector<Header> headers;
  std::string body;  // empty where a sink took it
  std::string url;   // that answered, after redirects

  // The first header of this name (lower case), or nothing.
  std::optional<std::string_view> header(std::string_view name) const;
};

// Takes the body of a 2xx reply piece by piece; `head` has status and headers. An error ends the transfer and
// is what the caller gets. Bodies of other statuses stay in Reply::body, within the limit.
using Sink = std::function<Result<void>(const Reply& head, Bytes piece)>;

// Bytes so far, and in total where known (else 0), of what is sent and what is received.
struct Moved {
  std::uint64_t sent = 0, to_send = 0, received = 0, to_receive = 0;
};

struct Request {
  std::string method = "GET";
  std::string url;  // http or https
  std::vector<Header> headers;
  RequestBody body;
  Limits limits;
  Redirects redirects = Redirects::Follow;
  bool compressed = false;  // let the server use gzip; never together with Range
  bool repeatable = false;  // a POST or PATCH that does no harm when it arrives twice
  Sink sink;
  std::function<void(const Moved&)> progress;  // now and then, from the thread that called
  std::stop_token stop;                        // ends the transfer within about a second
};

}  // namespace alcove::net
