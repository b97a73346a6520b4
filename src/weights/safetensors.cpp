#include "weights/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/json.h"
#include "weights/refusal.h"

namespace alcove::weights {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

std::unexpected<Error> bad_tensor(std::string_view name, std::string_view why) {
  return damaged(fmt::format("the tensor \"{}\" in the safetensors header {}", name, why));
}

// JSON lets a name stand twice and the last one win, the format does not.
Result<void> check_names(std::string_view header) {
  std::set<std::string> names;
  std::optional<std::string> twice;
  const Json::parser_callback_t note = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::key && depth == 1 && !names.insert(value.get<std::string>()).second)
      twice = value.get<std::string>();
    return true;
  };
  // It has been parsed before, so that it is well formed and not deep.
  [[maybe_unused]] const auto parsed = Json::parse(header, note, false);
  if (twice) return bad_tensor(*twice, "stands twice");
  return {};
}

Result<DType> read_type(std::string_view name, const Json& entry) {
  const auto found = entry.find("dtype");
  if (found == entry.end() || !found->is_string()) return bad_tensor(name, "has no dtype");
  const auto type = found->get<std::string>();
  for (const auto candidate : {DType::F64, DType::F32, DType::F16, DType::BF16, DType::I64, DType::I32,
                               DType::I16, DType::I8, DType::U8, DType::Bool})
    if (name_of(candidate) == type) return candidate;
  return fail(
      ErrorKind::Unsupported,
      fmt::format("the tensor \"{}\" holds {} numbers, which are not read; save it as F32, F16 or BF16", name,
                  type),
      "not_weights");
}

// An array of whole numbers from 0 to 2⁶³ − 1.
std::optional<std::vector<std::int64_t>> read_counts(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array()) return std::nullopt;
  std::vector<std::int64_t> counts;
  for (const auto& item : *found) {
    if (!item.is_number_unsigned() || item.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
    counts.push_back(item.get<std::int64_t>());
  }
  return counts;
}

struct Span {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string name;
};

Result<Tensor> read_tensor(const std::string& name, const Json& entry, Bytes numbers,
                           std::vector<Span>& spans) {
  if (!entry.is_object() || entry.size() != 3)
    return bad_tensor(name, "is not dtype, shape and data_offsets");
  const auto type = TRY(read_type(name, entry));
  auto shape = read_counts(entry, "shape");
  const auto offsets = read_counts(entry, "data_offsets");
  if (!shape) return bad_tensor(name, "has no shape of whole numbers");
  if (!offsets || offsets->size() != 2 || offsets->front() > offsets->back())
    return bad_tensor(name, "has no data_offsets of a begin and an end");
  const auto begin = static_cast<std::uint64_t>(offsets->front());
  const auto end = static_cast<std::uint64_t>(offsets->back());
  if (end > numbers.size())
    return truncated(fmt::format("the safetensors file is cut short: the tensor \"{}\" ends at byte {} of {}",
                                 name, end, numbers.size()));
  auto strides = contiguous_strides(*shape);
  auto tensor =
      view_tensor(type, *std::move(shape), std::move(strides), numbers.subspan(begin, end - begin), 0);
  if (!tensor) return fail_in(name, std::move(tensor).error());
  if (tensor->bytes.size() != end - begin)
    return bad_tensor(name,
                      fmt::format("states {} bytes for numbers of {}", end - begin, tensor->bytes.size()));
  spans.push_back({begin, end, name});
  return tensor;
}

// One after the other, from the first byte to the last.
Result<void> check_seamless(std::vector<Span> spans, std::size_t size) {
  std::ranges::sort(spans, [](const Span& a, const Span& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t end = 0;
  for (const auto& span : spans) {
    if (span.begin < end) return bad_tensor(span.name, "overlaps another");
    if (span.begin > end) return bad_tensor(span.name, "leaves a hole before it");
    end = span.end;
  }
  if (end != size)
    return damaged(fmt::format("the safetensors file has {} bytes that belong to no tensor", size - end));
  return {};
}

Result<std::map<std::string, std::string>> read_metadata(const Json& entry) {
  if (!entry.is_object()) return damaged("the safetensors __metadata__ is not an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) return damaged("the safetensors __metadata__ holds something else than text");
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

Result<std::string_view> take_header(ByteReader& in) {
  if (in.remaining() < sizeof(std::uint64_t))
    return truncated("the safetensors file is cut short before its header");
  const auto length = TRY(in.little_endian<std::uint64_t>());
  if (length > kMaxHeaderBytes)
    return damaged(
        fmt::format("the safetensors header claims {} bytes; at most {} are read", length, kMaxHeaderBytes));
  if (length > in.remaining())
    return truncated(fmt::format("the safetensors file is cut short inside its header of {} bytes", length));
  const auto header = as_text(TRY(in.take(length)));
  if (!header.starts_with('{')) return damaged("the safetensors header does not begin with '{'");
  return header;
}

}  // namespace

Result<Safetensors> read_safetensors(Bytes bytes, std::shared_ptr<const MappedFile> file) {
  ByteReader in(bytes);
  const auto text = TRY(take_header(in));
  const auto header = parse_json(text);
  if (!header) return damaged("the safetensors header is " + header.error().message);
  TRY(check_names(text));
  const auto numbers = bytes.subspan(in.position());

  Safetensors result;
  std::vector<Span> spans;
  for (const auto& [name, entry] : header->items()) {
    if (name == "__metadata__") {
      result.metadata = TRY(read_metadata(entry));
      continue;
    }
    auto tensor = TRY(read_tensor(name, entry, numbers, spans));
    tensor.file = file;
    tensor.file_offset = static_cast<std::uint64_t>(tensor.bytes.data() - bytes.data());
    result.tensors.emplace(name, std::move(tensor));
  }
  TRY(check_seamless(std::move(spans), numbers.size()));
  return result;
}

}  // namespace alcove::weights
