#include "weights/torch_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "weights/refusal.h"

namespace alcove::weights {
namespace {

using Arguments = std::span<const ValuePtr>;

struct NumberRow {
  std::string_view storage;  // "Float" of torch.FloatStorage
  std::string_view name;     // "float32" of torch.float32
  std::optional<DType> type;
  std::size_t width;
};

constexpr std::array kNumbers{
    NumberRow{"Float", "float32", DType::F32, 4},
    NumberRow{"Half", "float16", DType::F16, 2},
    NumberRow{"BFloat16", "bfloat16", DType::BF16, 2},
    NumberRow{"Double", "float64", DType::F64, 8},
    NumberRow{"Long", "int64", DType::I64, 8},
    NumberRow{"Int", "int32", DType::I32, 4},
    NumberRow{"Short", "int16", DType::I16, 2},
    NumberRow{"Char", "int8", DType::I8, 1},
    NumberRow{"Byte", "uint8", DType::U8, 1},
    NumberRow{"Bool", "bool", DType::Bool, 1},
    NumberRow{"Untyped", "", DType::U8, 1},
    NumberRow{"ComplexFloat", "complex64", {}, 8},
    NumberRow{"ComplexDouble", "complex128", {}, 16},
    NumberRow{"QInt8", "qint8", {}, 1},
    NumberRow{"QUInt8", "quint8", {}, 1},
    NumberRow{"QInt32", "qint32", {}, 4},
    NumberRow{"QUInt4x2", "quint4x2", {}, 1},
    NumberRow{"QUInt2x4", "quint2x4", {}, 1},
};

// torch.FloatStorage, torch.cuda.FloatStorage, torch.storage.UntypedStorage.
const NumberRow* row_of_storage(std::string_view type) {
  for (const auto* prefix : {"torch.cuda.", "torch.storage.", "torch."}) {
    if (!type.starts_with(prefix)) continue;
    type.remove_prefix(std::string_view(prefix).size());
    break;
  }
  if (!type.ends_with("Storage")) return nullptr;
  type.remove_suffix(std::string_view("Storage").size());
  const auto row = std::ranges::find(kNumbers, type, &NumberRow::storage);
  return row == kNumbers.end() ? nullptr : &*row;
}

std::optional<DType> type_of(const Value* dtype) {
  const auto* global = as<Global>(dtype);
  if (global == nullptr || !global->name.starts_with("torch.")) return std::nullopt;
  const auto name = std::string_view(global->name).substr(6);
  const auto row = std::ranges::find(kNumbers, name, &NumberRow::name);
  return row == kNumbers.end() ? std::nullopt : row->type;
}

std::optional<std::vector<std::int64_t>> integers_of(const Value* value) {
  const auto* tuple = as<Tuple>(value);
  const auto* list = as<List>(value);
  const auto* items = tuple != nullptr ? &tuple->items : list != nullptr ? &list->items : nullptr;
  if (items == nullptr || items->size() > kMaxAxes) return std::nullopt;
  std::vector<std::int64_t> integers;
  for (const auto* item : *items) {
    const auto* integer = as<std::int64_t>(item);
    if (integer == nullptr) return std::nullopt;
    integers.push_back(*integer);
  }
  return integers;
}

// A view of `type` into `storage`, a row of numbers as make_storage left it.
Result<std::optional<Value>> view_storage(DType type, const Tensor& storage, const Value* first,
                                          const Value* shape, const Value* strides) {
  const auto* offset = as<std::int64_t>(first);
  auto sizes = integers_of(shape);
  auto steps = integers_of(strides);
  if (offset == nullptr || !sizes || !steps || storage.shape.size() != 1 || !storage.is_contiguous())
    return damaged("a tensor described by something that is no shape");
  auto tensor = TRY(view_tensor(type, *std::move(sizes), *std::move(steps), storage.bytes, *offset));
  tensor.file = storage.file;
  tensor.file_offset =
      storage.file_offset + static_cast<std::uint64_t>(tensor.bytes.data() - storage.bytes.data());
  return Value{std::move(tensor)};
}

// (storage, first element, shape, strides, …)
Result<std::optional<Value>> rebuild_tensor(Arguments arguments) {
  if (arguments.size() < 4) return damaged("a tensor without storage, shape and strides");
  const auto* storage = as<Tensor>(arguments[0]);
  if (storage == nullptr && as<Object>(arguments[0]) != nullptr) return std::nullopt;
  if (storage == nullptr) return damaged("a tensor whose storage is none");
  return view_storage(storage->type, *storage, arguments[1], arguments[2], arguments[3]);
}

// (bytes, first element, shape, strides, requires_grad, hooks, dtype, …)
Result<std::optional<Value>> rebuild_typed_tensor(Arguments arguments) {
  if (arguments.size() < 7) return damaged("a tensor without storage, shape, strides and type");
  const auto* storage = as<Tensor>(arguments[0]);
  const auto type = type_of(arguments[6]);
  if (storage == nullptr || !type) return std::nullopt;
  return view_storage(*type, *storage, arguments[1], arguments[2], arguments[3]);
}

// A parameter is the tensor it wraps.
Result<std::optional<Value>> unwrap(Arguments arguments) {
  const auto* tensor = arguments.empty() ? nullptr : as<Tensor>(arguments[0]);
  if (tensor == nullptr) return std::nullopt;
  return Value{*tensor};
}

Result<std::optional<Value>> make_size(Arguments arguments) {
  const auto sizes = arguments.size() == 1 ? integers_of(arguments[0]) : std::nullopt;
  const auto* tuple = arguments.size() == 1 ? as<Tuple>(arguments[0]) : nullptr;
  if (!sizes || tuple == nullptr) return damaged("a torch.Size that is no shape");
  return Value{*tuple};
}

struct CallRow {
  std::string_view name;
  Result<std::optional<Value>> (*make)(Arguments);
};

constexpr std::array kCalls{
    CallRow{"torch._utils._rebuild_tensor_v2", rebuild_tensor},
    CallRow{"torch._utils._rebuild_tensor", rebuild_tensor},
    CallRow{"torch._utils._rebuild_tensor_v3", rebuild_typed_tensor},
    CallRow{"torch._utils._rebuild_parameter", unwrap},
    CallRow{"torch._utils._rebuild_parameter_with_state", unwrap},
    CallRow{"torch.nn.parameter.Parameter", unwrap},
    CallRow{"torch.nn.Parameter", unwrap},
    CallRow{"torch.nn.parameter.Buffer", unwrap},
    CallRow{"torch.Size", make_size},
};

Result<std::optional<Value>> call_by_table(std::string_view name, Arguments arguments) {
  const auto row = std::ranges::find(kCalls, name, &CallRow::name);
  if (row == kCalls.end()) return std::nullopt;
  return row->make(arguments);
}

}  // namespace

Result<std::size_t> StorageId::bytes() const {
  std::size_t size = 0;
  if (__builtin_mul_overflow(static_cast<std::size_t>(elements), width, &size))
    return damaged(fmt::format("the storage \"{}\" claims {} elements", key, elements));
  return size;
}

Result<StorageId> read_storage_id(const Value& id) {
  const auto* tuple = as<Tuple>(&id);
  if (tuple == nullptr || tuple->items.size() < 5) return damaged("a storage named by something unknown");
  const auto& items = tuple->items;
  const auto* word = as<std::string>(items[0]);
  const auto* type = as<Global>(items[1]);
  const auto* key = as<std::string>(items[2]);
  const auto* elements = as<std::int64_t>(items[4]);
  if (word == nullptr || *word != "storage" || type == nullptr || key == nullptr || elements == nullptr)
    return damaged("a storage named by something unknown");
  if (*elements < 0) return damaged(fmt::format("the storage \"{}\" claims {} elements", *key, *elements));
  const auto* row = row_of_storage(type->name);
  if (row == nullptr) return damaged(fmt::format("{} is no storage type of torch", type->name));

  StorageId storage{type->name, row->type, row->width, *key, *elements, std::nullopt};
  if (items.size() > 5 && as<None>(items[5]) == nullptr) {
    const auto* view = as<Tuple>(items[5]);
    if (view == nullptr || view->items.size() != 3)
      return damaged("a view of a storage described by nothing");
    const auto* first = as<std::int64_t>(view->items[1]);
    const auto* count = as<std::int64_t>(view->items[2]);
    if (first == nullptr || count == nullptr || *first < 0 || *count < 0 || *first > *elements ||
        *count > *elements - *first)
      return damaged(fmt::format("a view leaves the storage \"{}\"", *key));
    storage.view = StorageId::View{*first, *count};
  }
  return storage;
}

Result<Value> make_storage(const StorageId& id, Bytes bytes, std::uint64_t offset,
                           std::shared_ptr<const MappedFile> file) {
  if (!id.number)
    return Value{Object{.name = std::string(id.type), .arguments = {}, .items = {}, .elements = {}}};
  if (id.elements > static_cast<std::int64_t>(bytes.size() / id.width))
    return damaged(fmt::format("the storage \"{}\" is shorter than its {} elements", id.key, id.elements));
  const auto part = id.view.value_or(StorageId::View{0, id.elements});
  auto row = TRY(view_tensor(*id.number, {part.elements}, {1}, bytes, part.first));
  row.file_offset = offset + static_cast<std::uint64_t>(row.bytes.data() - bytes.data());
  row.file = std::move(file);
  return Value{std::move(row)};
}

Result<std::optional<Value>> make_torch_value(std::string_view name, Arguments arguments) {
  // (function, class, its arguments, state): a tensor of a subclass, or one with attributes of its own. Once
  // only, so that a file cannot send us down without end.
  if (name == "torch._tensor._rebuild_from_type_v2" && arguments.size() >= 3) {
    const auto* function = as<Global>(arguments[0]);
    const auto* inner = as<Tuple>(arguments[2]);
    if (function == nullptr || inner == nullptr) return damaged("a tensor rebuilt by nothing");
    return call_by_table(function->name, inner->items);
  }
  return call_by_table(name, arguments);
}

}  // namespace alcove::weights
