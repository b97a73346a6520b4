#include "net/transfer.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "net/url.h"

namespace alcove::net {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kMostHeaderBytes = 256 << 10;

struct FreeForm {
  void operator()(curl_mime* form) const { curl_mime_free(form); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// What libcurl's callbacks share during one exchange.
struct Exchange {
  const Request& request;
  Reply reply;
  std::size_t header_bytes = 0;
  std::optional<Error> stopped;  // why one of ours ended the transfer
  Clock::time_point last_moved = Clock::now();
  Moved moved;
  int file = -1;
  std::uint64_t file_position = 0;

  explicit Exchange(const Request& what) : request(what) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    if (file >= 0) ::close(file);
  }
  void stop(ErrorKind kind, std::string message, std::string code = {}) {
    if (!stopped) stopped = Error{kind, std::move(message), std::move(code)};
  }
};

Exchange& exchange_of(void* pointer) { return *static_cast<Exchange*>(pointer); }

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// One line of a head. A status line starts over, since "100 Continue" may come before the head that counts.
std::size_t on_header(char* data, std::size_t size, std::size_t count, void* to) {
  auto& exchange = exchange_of(to);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {
    exchange.reply.headers.clear();
    exchange.header_bytes = 0;
    const auto blank = line.find(' ');
    exchange.reply.status = 0;
    if (blank != std::string_view::npos)
      std::from_chars(line.data() + blank + 1, line.data() + line.size(), exchange.reply.status);
    return line.size();
  }
  exchange.header_bytes += line.size();
  if (exchange.header_bytes > kMostHeaderBytes) {
    exchange.stop(ErrorKind::TooLarge, fmt::format("{} sends more than {} KiB of headers",
                                                   shown(exchange.request.url), kMostHeaderBytes >> 10));
    return 0;
  }
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && colon > 0) {
    Header header{std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))};
    std::ranges::transform(header.name, header.name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    exchange.reply.headers.push_back(std::move(header));
  }
  return line.size();
}

// Taking fewer bytes than given ends the transfer.
std::size_t on_body(char* data, std::size_t size, std::size_t count, void* to) {
  auto& exchange = exchange_of(to);
  const std::string_view piece(data, size * count);
  const auto& request = exchange.request;
  if (request.sink && exchange.reply.status / 100 == 2) {
    if (auto taken = request.sink(exchange.reply, as_bytes(piece)); !taken) {
      exchange.stopped = std::move(taken).error();
      return 0;
    }
    return piece.size();
  }
  if (exchange.reply.body.size() + piece.size() > request.limits.body) {
    exchange.stop(ErrorKind::TooLarge, fmt::format("the reply of {} is larger than {} bytes",
                                                   shown(request.url), request.limits.body));
    return 0;
  }
  exchange.reply.body.append(piece);
  return piece.size();
}

Result<std::size_t> read_slice(Exchange& exchange, const FileSlice& slice, std::span<std::uint8_t> into) {
  if (exchange.file < 0) exchange.file = ::open(slice.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (exchange.file < 0)
    return fail(ErrorKind::NotFound, fmt::format("{} cannot be read any more", slice.path.string()));
  const auto wanted = std::min<std::uint64_t>(into.size(), slice.size - exchange.file_position);
  if (wanted == 0) return std::size_t{0};
  const auto got =
      ::pread(exchange.file, into.data(), wanted, static_cast<off_t>(slice.offset + exchange.file_position));
  if (got <= 0)
    return fail(ErrorKind::Unreadable,
                fmt::format("{} became shorter while it was sent; send it again when nobody writes to it",
                            slice.path.string()));
  exchange.file_position += static_cast<std::uint64_t>(got);
  return static_cast<std::size_t>(got);
}

std::size_t on_read(char* data, std::size_t size, std::size_t count, void* from) {
  auto& exchange = exchange_of(from);
  const std::span into(reinterpret_cast<std::uint8_t*>(data), size * count);
  const auto* slice = std::get_if<FileSlice>(&exchange.request.body);
  auto got =
      slice ? read_slice(exchange, *slice, into) : std::get<BodyReader>(exchange.request.body).read(into);
  if (got) return *got;
  exchange.stopped = std::move(got).error();
  return CURL_READFUNC_ABORT;
}

// libcurl sends a body again when a kept connection turns out to be dead.
int on_seek(void* from, curl_off_t offset, int origin) {
  auto& exchange = exchange_of(from);
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  if (std::holds_alternative<FileSlice>(exchange.request.body)) {
    exchange.file_position = static_cast<std::uint64_t>(offset);
    return CURL_SEEKFUNC_OK;
  }
  const auto& reader = std::get<BodyReader>(exchange.request.body);
  return offset == 0 && reader.rewind && reader.rewind() ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
}

int on_progress(void* of, curl_off_t to_receive, curl_off_t received, curl_off_t to_send, curl_off_t sent) {
  auto& exchange = exchange_of(of);
  const auto& request = exchange.request;
  const Moved moved{static_cast<std::uint64_t>(sent), static_cast<std::uint64_t>(to_send),
                    static_cast<std::uint64_t>(received), static_cast<std::uint64_t>(to_receive)};
  const auto now = Clock::now();
  if (moved.sent != exchange.moved.sent || moved.received != exchange.moved.received)
    exchange.last_moved = now;
  exchange.moved = moved;
  if (request.progress) request.progress(moved);
  if (request.stop.stop_requested())
    exchange.stop(ErrorKind::Unavailable, fmt::format("the request to {} was cancelled", shown(request.url)),
                  "cancelled");
  const auto silence = request.limits.silence;
  if (silence.count() > 0 && now - exchange.last_moved > silence)
    exchange.stop(ErrorKind::Unavailable,
                  fmt::format("{} was silent for {:.0f} s", shown(request.url),
                              std::chrono::duration<double>(silence).count()),
                  "timeout");
  return exchange.stopped ? 1 : 0;
}

// ---- from a Request to libcurl's options

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  curl_easy_setopt(handle, option, value);
}

bool has_header(const Request& request, const char* name) {
  return std::ranges::any_of(
      request.headers, [&](const Header& header) { return strcasecmp(header.name.c_str(), name) == 0; });
}

Result<std::unique_ptr<curl_slist, FreeList>> header_list(const Request& request) {
  std::unique_ptr<curl_slist, FreeList> list;
  const auto add = [&](const std::string& line) {
    list.reset(curl_slist_append(list.release(), line.c_str()));
  };
  for (const auto& [name, value] : request.headers) {
    // The value is left out of the sentence: it may be a token.
    const auto bad = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (name.empty() || name.find_first_of(": ") != std::string::npos || std::ranges::any_of(name, bad) ||
        std::ranges::any_of(value, [&](char c) { return bad(c) && c != '\t'; }))
      return fail(ErrorKind::BadInput,
                  fmt::format("the header {:?} has a line break or another control character in it", name));
    add(value.empty() ? name + ";" : name + ": " + value);
  }
  add("Expect:");  // no waiting for "100 Continue", which many servers never send
  if (!has_header(request, "content-type") && !std::holds_alternative<std::vector<FormPart>>(request.body))
    add("Content-Type:");  // libcurl would claim that every body is a web form
  return list;
}

Result<std::unique_ptr<curl_mime, FreeForm>> form_of(CURL* handle, const std::vector<FormPart>& parts) {
  std::unique_ptr<curl_mime, FreeForm> form(curl_mime_init(handle));
  for (const auto& part : parts) {
    curl_mimepart* added = curl_mime_addpart(form.get());
    curl_mime_name(added, part.name.c_str());
    if (part.file.empty())
      curl_mime_data(added, as_text(part.content).data(), part.content.size());
    else if (curl_mime_filedata(added, part.file.c_str()) != CURLE_OK)
      return fail(ErrorKind::NotFound, fmt::format("{} cannot be read", part.file.string()));
    if (!part.file_name.empty()) curl_mime_filename(added, part.file_name.c_str());
    if (!part.content_type.empty()) curl_mime_type(added, part.content_type.c_str());
  }
  return form;
}

void set_upload(CURL* handle, Exchange& exchange, std::optional<std::uint64_t> size) {
  set(handle, CURLOPT_UPLOAD, 1L);
  set(handle, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
  if (size) set(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(*size));
  set(handle, CURLOPT_READFUNCTION, &on_read);
  set(handle, CURLOPT_READDATA, static_cast<void*>(&exchange));
  set(handle, CURLOPT_SEEKFUNCTION, &on_seek);
  set(handle, CURLOPT_SEEKDATA, static_cast<void*>(&exchange));
}

Result<std::unique_ptr<curl_mime, FreeForm>> set_body(CURL* handle, Exchange& exchange) {
  const auto& request = exchange.request;
  std::unique_ptr<curl_mime, FreeForm> form;
  if (const auto* text = std::get_if<std::string>(&request.body)) {
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text->size()));
    set(handle, CURLOPT_POSTFIELDS, text->data());
  } else if (const auto* slice = std::get_if<FileSlice>(&request.body)) {
    set_upload(handle, exchange, slice->size);
  } else if (const auto* reader = std::get_if<BodyReader>(&request.body)) {
    set_upload(handle, exchange, reader->size);
  } else if (const auto* parts = std::get_if<std::vector<FormPart>>(&request.body)) {
    form = TRY(form_of(handle, *parts));
    set(handle, CURLOPT_MIMEPOST, form.get());
  } else if (request.method == "HEAD") {
    set(handle, CURLOPT_NOBODY, 1L);
  } else if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t{0});  // says Content-Length: 0
    set(handle, CURLOPT_POSTFIELDS, "");
  }
  if (request.method != "HEAD") set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  return form;
}

void set_limits(CURL* handle, Exchange& exchange, milliseconds left) {
  set(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(exchange.request.limits.connect.count()));
  if (left.count() > 0) set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  set(handle, CURLOPT_NOSIGNAL, 1L);  // its time-outs must not use this process's signals
  set(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  set(handle, CURLOPT_NOPROGRESS, 0L);
  set(handle, CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(handle, CURLOPT_XFERINFODATA, static_cast<void*>(&exchange));
}

void set_reply(CURL* handle, Exchange& exchange) {
  set(handle, CURLOPT_BUFFERSIZE, 256L << 10);
  set(handle, CURLOPT_HEADERFUNCTION, &on_header);
  set(handle, CURLOPT_HEADERDATA, static_cast<void*>(&exchange));
  set(handle, CURLOPT_WRITEFUNCTION, &on_body);
  set(handle, CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
  if (exchange.request.compressed) set(handle, CURLOPT_ACCEPT_ENCODING, "");
}

Error error_of(const Exchange& exchange, CURLcode code, const char* detail) {
  if (exchange.stopped) return *exchange.stopped;
  const auto who = shown(exchange.request.url);
  const std::string cause = *detail ? detail : curl_easy_strerror(code);
  const auto unavailable = [&](const char* what, const char* word) {
    return Error{ErrorKind::Unavailable, fmt::format("{} {}: {}", who, what, cause), word};
  };
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return unavailable("did not answer", "not_connected");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE: return unavailable("cannot be trusted", "tls");
    case CURLE_OPERATION_TIMEDOUT: return unavailable("took too long", "timeout");
    default:
      return exchange.reply.status != 0 ? unavailable("broke off its reply", "cut")
                                        : unavailable("did not answer", "no_answer");
  }
}

}  // namespace

void Transfer::Close::operator()(void* handle) const { curl_easy_cleanup(handle); }

Result<Transfer> Transfer::open() {
  // Once, before any thread uses a handle.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL* handle = started == CURLE_OK ? curl_easy_init() : nullptr;
  if (!handle) return fail(ErrorKind::Internal, "the HTTP client could not start");
  return Transfer(handle);
}

Result<Reply> Transfer::exchange(const Request& request, Clock::time_point deadline) {
  const auto origin = TRY(origin_of(request.url));
  milliseconds left{0};
  if (deadline != Clock::time_point()) {
    left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0)
      return fail(ErrorKind::Unavailable, shown(request.url) + " took too long", "timeout");
  }
  if (const auto* reader = std::get_if<BodyReader>(&request.body); reader && reader->rewind)
    TRY(reader->rewind());

  auto* handle = static_cast<CURL*>(handle_.get());
  curl_easy_reset(handle);  // options alone; the connections stay
  char detail[CURL_ERROR_SIZE] = "";
  Exchange exchange(request);
  const auto headers = TRY(header_list(request));
  set(handle, CURLOPT_ERRORBUFFER, &detail[0]);
  set(handle, CURLOPT_URL, request.url.c_str());
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_HTTPHEADER, headers.get());
  // A proxy, which sits elsewhere, knows nothing of this machine's own addresses.
  if (is_loopback(origin)) set(handle, CURLOPT_PROXY, "");
  set_limits(handle, exchange, left);
  set_reply(handle, exchange);
  const auto form = TRY(set_body(handle, exchange));
  const auto code = curl_easy_perform(handle);
  set(handle, CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  if (code != CURLE_OK) return std::unexpected(error_of(exchange, code, detail));
  exchange.reply.url = request.url;
  return std::move(exchange.reply);
}

}  // namespace alcove::net
