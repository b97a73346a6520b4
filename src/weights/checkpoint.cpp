#include "weights/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/sha256.h"
#include "weights/onnx_shape.h"
#include "weights/refusal.h"
#include "weights/safetensors.h"
#include "weights/torch_archive.h"
#include "weights/torch_legacy.h"

namespace alcove::weights {
namespace {

constexpr std::size_t kLeastBytes = 16;  // no format of ours fits in fewer

bool begins(Bytes bytes, std::string_view magic) { return as_text(bytes).starts_with(magic); }

// --- what is not weights, and how to tell

bool is_html(Bytes bytes) {
  auto text = as_text(bytes.first(std::min<std::size_t>(bytes.size(), 1024)));
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  std::string lower(text.substr(0, 16));
  std::ranges::transform(lower, lower.begin(), [](unsigned char letter) { return std::tolower(letter); });
  return std::ranges::any_of(std::array{"<!doctype", "<html", "<head", "<?xml", "<!--"},
                             [&](const char* tag) { return lower.starts_with(tag); });
}

bool is_lfs_pointer(Bytes bytes) { return begins(bytes, "version https://git-lfs"); }

struct Stranger {
  std::string_view magic;
  std::string_view sentence;
};
constexpr Stranger kStrangers[] = {
    {"\x1f\x8b", "a gzip file; unpack it first"},
    {"BZh", "a bzip2 file; unpack it first"},
    {"\xfd"
     "7zXZ",
     "an xz file; unpack it first"},
    {"7z\xbc\xaf", "a 7-Zip archive; unpack it first"},
    {"\x89HDF", "an HDF5 (Keras) file; export the model to ONNX"},
    {"GGUF", "a GGUF file, which is not read; use the model's safetensors or ONNX file"},
    {"\x93NUMPY", "a NumPy array, not a model; save the weights with torch.save"},
    {"%PDF", "a PDF, not weights"},
    {"\x89PNG", "a PNG image, not weights"},
    {"\xff\xd8\xff", "a JPEG image, not weights"},
    {"PK\x05\x06", "an empty zip archive; save the weights again with torch.save"},
};

Result<void> refuse_strangers(Bytes bytes) {
  if (is_lfs_pointer(bytes))
    return fail(
        ErrorKind::Unreadable,
        "a Git LFS pointer, not the weights it points to; run `git lfs pull` where the file comes from, "
        "or download the file itself",
        "lfs_pointer");
  if (is_html(bytes))
    return fail(
        ErrorKind::Unreadable,
        "a web page, not weights: the download was answered with a page to look at or to log in; download "
        "the file itself (on Hugging Face its address has /resolve/ in it)",
        "html_page");
  for (const auto& stranger : kStrangers)
    if (begins(bytes, stranger.magic)) return not_weights(std::string(stranger.sentence));
  return {};
}

// --- what is

bool is_safetensors(Bytes bytes, const std::filesystem::path& path) {
  if (path.extension() == ".safetensors") return true;
  if (bytes.size() < 9 || bytes[8] != '{') return false;
  ByteReader in(bytes);
  const auto length = in.little_endian<std::uint64_t>();
  return length && *length < std::uint64_t{1} << 32;
}

bool is_zip(Bytes bytes) { return begins(bytes, "PK\x03\x04"); }
bool is_pickle(Bytes bytes) { return bytes[0] == 0x80 && (bytes.size() == 1 || bytes[1] <= 5); }

std::optional<FileKind> kind_of(Bytes bytes, const std::filesystem::path& path) {
  if (is_zip(bytes)) return FileKind::TorchZip;
  if (is_safetensors(bytes, path)) return FileKind::Safetensors;
  if (is_pickle(bytes)) return FileKind::TorchLegacy;
  if (onnx_shape(bytes) != OnnxShape::Other) return FileKind::Onnx;
  return std::nullopt;
}

// Pickles of protocol 0 and 1 have no mark of their own; one that asks for a command is still told by name.
Result<void> refuse_unsafe(Bytes bytes) {
  const auto read = read_pickle(
      bytes, [](const Value&) -> Result<Value> { return damaged("a storage where none belongs"); },
      [](std::string_view, std::span<const ValuePtr>) -> Result<std::optional<Value>> {
        return std::nullopt;
      });
  if (!read && read.error().code == "unsafe_pickle") return std::unexpected(read.error());
  return {};
}

Error unknown(Bytes bytes) {
  if (auto safe = refuse_unsafe(bytes); !safe) return safe.error();
  if (bytes.size() < kLeastBytes)
    return truncated(fmt::format("the file holds {} bytes, too few for any weights", bytes.size())).error();
  return not_weights(
             "neither a torch file, nor safetensors, nor ONNX; check that it is the weight file and was not "
             "renamed, or save the weights again with torch.save")
      .error();
}

// --- a torch object's tensors by name

// A training checkpoint may keep single tensors beside its state dict, so the named places come first.
NamedTensors state_dict_of(const Value* root) {
  for (const auto* name : {"model_state_dict", "state_dict", "model"})
    if (auto tensors = tensors_in(get(root, name)); !tensors.empty()) return tensors;
  return tensors_in(root);
}

Result<void> read_into(Checkpoint& checkpoint) {
  const auto bytes = checkpoint.file->bytes();
  switch (checkpoint.kind) {
    case FileKind::TorchZip:
      checkpoint.root = TRY(read_torch_archive(bytes, checkpoint.file));
      checkpoint.tensors = state_dict_of(checkpoint.root.get());
      return {};
    case FileKind::TorchLegacy:
      checkpoint.root = TRY(read_torch_legacy(bytes, checkpoint.file));
      checkpoint.tensors = state_dict_of(checkpoint.root.get());
      return {};
    case FileKind::Safetensors: {
      auto read = TRY(read_safetensors(bytes, checkpoint.file));
      checkpoint.tensors = std::move(read.tensors);
      checkpoint.metadata = std::move(read.metadata);
      return {};
    }
    case FileKind::Onnx:
      if (onnx_shape(bytes) == OnnxShape::Cut)
        return truncated(fmt::format("the ONNX file is cut short after {} bytes", bytes.size()));
      return {};
  }
  return {};
}

// The fix, said once for all sentences of a kind; the other kinds carry theirs.
Error with_fix(Error error) {
  if (error.code == "truncated") error.message += "; copy or download it again";
  if (error.code == "damaged")
    error.message += "; copy or download it again, or save it anew from the program that trained it";
  if (error.code == "unsafe_pickle")
    error.message +=
        "; do not load this file with Python either, get it from a source you trust or save it again as a "
        "plain "
        "state dict";
  return error;
}

}  // namespace

NamedTensors tensors_in(const Value* dict) {
  NamedTensors tensors;
  const auto* entries = as<Dict>(dict);
  if (entries == nullptr) return tensors;
  for (const auto& [key, value] : entries->entries) {
    const auto* name = as<std::string>(key);
    const auto* tensor = as<Tensor>(value);
    if (name != nullptr && tensor != nullptr) tensors.insert_or_assign(*name, *tensor);
  }
  return tensors;
}

std::string_view name_of(FileKind kind) {
  switch (kind) {
    case FileKind::TorchZip: return "torch archive";
    case FileKind::TorchLegacy: return "torch file (before 1.6)";
    case FileKind::Safetensors: return "safetensors";
    case FileKind::Onnx: return "ONNX";
  }
  return "";
}

Result<Checkpoint> open_checkpoint(const std::filesystem::path& path) {
  auto mapped = MappedFile::open(path);
  if (!mapped && mapped.error().kind == ErrorKind::Unreadable)
    return fail(ErrorKind::Unreadable, "the file is empty; copy or download it again", "empty_file");
  Checkpoint checkpoint;
  checkpoint.file = std::make_shared<const MappedFile>(TRY(std::move(mapped)));
  const auto bytes = checkpoint.file->bytes();
  TRY(refuse_strangers(bytes));
  const auto kind = kind_of(bytes, path);
  if (!kind) return std::unexpected(with_fix(unknown(bytes)));
  checkpoint.kind = *kind;
  if (auto read = read_into(checkpoint); !read) return std::unexpected(with_fix(std::move(read).error()));
  checkpoint.sha256 = sha256_hex(bytes);
  return checkpoint;
}

}  // namespace alcove::weights
