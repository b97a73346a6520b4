#include "engine/blob_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "base/log.h"
#include "base/mapped_file.h"
#include "base/sha256.h"

namespace alcove::engine {
namespace {

constexpr std::string_view kMagic = "ALCVBLOB";
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kMaxKeyBytes = 4096;
constexpr std::size_t kDigestBytes = 64;  // sha256 as hex
constexpr std::size_t kAlignment = 64;  // of the blob in the file, so that weights in it can be used in place

std::size_t padding_after(std::size_t position) { return (kAlignment - position % kAlignment) % kAlignment; }

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string header_for(const BlobKey& key, Bytes blob) {
  const std::string text = key.text();
  std::string header(kMagic);
  append(header, kFormat);
  append(header, static_cast<std::uint32_t>(text.size()));
  header += text;
  append(header, static_cast<std::uint64_t>(blob.size()));
  header += sha256_hex(blob);
  header.append(padding_after(header.size()), '\0');
  return header;
}

// The blob inside a file, or why it is not the one wanted.
Result<Bytes> read_blob(Bytes file, const BlobKey& key) {
  ByteReader in(file);
  if (as_text(TRY(in.take(kMagic.size()))) != kMagic)
    return fail(ErrorKind::Unreadable, "not a compiled model");
  const auto format = TRY(in.little_endian<std::uint32_t>());
  if (format != kFormat)
    return fail(ErrorKind::Unsupported, fmt::format("format {}; {} is read", format, kFormat));
  const auto key_length = TRY(in.little_endian<std::uint32_t>());
  if (key_length > kMaxKeyBytes)
    return fail(ErrorKind::Unreadable, fmt::format("a key of {} bytes", key_length));
  if (as_text(TRY(in.take(key_length))) != key.text())
    return fail(ErrorKind::NotFound, "made for other weights, another program, engine or CPU");
  const auto length = TRY(in.little_endian<std::uint64_t>());
  const auto digest = as_text(TRY(in.take(kDigestBytes)));
  TRY(in.take(padding_after(in.position())));
  if (length != in.remaining())
    return fail(ErrorKind::Unreadable, fmt::format("{} bytes of {}", in.remaining(), length));
  const auto blob = TRY(in.take(in.remaining()));
  // The runtime imports damaged blobs without complaint and computes nonsense with them.
  if (sha256_hex(blob) != digest) return fail(ErrorKind::Unreadable, "bytes that differ from their sha256");
  return blob;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void log_not_kept(const std::filesystem::path& path, const std::string& reason) {
  log(LogLevel::Warning, "compiled_model_not_kept", {{"file", path.string()}, {"reason", reason}});
}

}  // namespace

std::string BlobKey::text() const {
  return fmt::format("weights={}\ngraph={}\nshape={}\nprecision={}\ncpu={}\nengine={}\nprogram={}\n", weights,
                     graph, shape, precision, cpu, engine, program);
}

std::string BlobKey::file_name() const {
  return sha256_hex(as_bytes(fmt::format("{}\n{}\n{}\n{}", weights, shape, precision, cpu))).substr(0, 32) +
         ".blob";
}

void forget(const Blob& blob) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto start = reinterpret_cast<std::uintptr_t>(blob.bytes.data()) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(blob.bytes.data()) + blob.bytes.size();
  ::madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED);
}

BlobCache::BlobCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

std::optional<Blob> BlobCache::find(const BlobKey& key) const {
  if (folder_.empty()) return std::nullopt;
  const auto path = folder_ / key.file_name();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  auto file = MappedFile::open(path);
  auto blob = file ? read_blob(file->bytes(), key) : Result<Bytes>(std::unexpected(file.error()));
  if (!blob) {
    log(LogLevel::Info, "compiled_model_passed_over",
        {{"file", path.string()}, {"reason", blob.error().message}});
    return std::nullopt;
  }
  return Blob{*blob, std::make_shared<MappedFile>(std::move(*file))};
}

void BlobCache::keep(const BlobKey& key, Bytes blob) const {
  if (folder_.empty()) return;
  const auto path = folder_ / key.file_name();
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return log_not_kept(path, error.message());
  std::string aside = path.string() + ".XXXXXX";
  const int file = ::mkostemp(aside.data(), O_CLOEXEC);
  if (file < 0) return log_not_kept(path, std::error_code(errno, std::generic_category()).message());
  const bool written = write_all(file, header_for(key, blob)) && write_all(file, as_text(blob));
  if (::close(file) == 0 && written)
    std::filesystem::rename(aside, path, error);
  else
    error = std::error_code(errno, std::generic_category());
  if (!error) return;
  log_not_kept(path, error.message());
  std::filesystem::remove(aside, error);
}

std::string cpu_identity(const std::filesystem::path& cpuinfo) {
  constexpr std::array kTold{"vendor_id", "cpu family", "model", "model name", "stepping", "flags"};
  std::ifstream in(cpuinfo);
  std::string told;
  for (std::string line; std::getline(in, line) && !line.empty();)  // the first core's lines
    for (const std::string_view name : kTold)
      if (line.starts_with(name) && line.find_first_of("\t:", name.size()) == name.size())
        told += line + "\n";
  return told.empty() ? "unknown" : sha256_hex(as_bytes(told)).substr(0, 32);
}

}  // namespace alcove::engine
