#pragma once
// A torch.nn.Module as a pickle left it: class, attributes, tensors and children, read without torch.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/pickle.h"

namespace alcove::models {

// Borrows from the pickle's root. Errors name the module by its path, as state dicts do: "model.22.cv2.0".
class Module {
 public:
  // Nothing when the value is not a module.
  static std::optional<Module> from(const weights::Value* value, std::string path = {});

  const std::string& path() const { return path_; }
  std::string_view class_name() const;  // "ultralytics.nn.modules.conv.Conv"
  std::string_view kind() const;        // "Conv"
  std::string_view origin() const;      // the part before the first dot: "ultralytics", "torch"

  std::optional<Module> find_child(std::string_view name) const;
  Result<Module> child(std::string_view name) const;
  Result<std::vector<Module>> children() const;  // in order; of Sequential and ModuleList

  // Parameters and buffers. find_: null when it is absent or None, as a bias may be.
  const weights::Tensor* find_tensor(std::string_view name) const;
  Result<const weights::Tensor*> tensor(std::string_view name) const;
  std::string name_of(std::string_view tensor) const { return path_ + "." + std::string(tensor); }

  // Plain attributes. Unreadable when one is missing, of another type, or outside the range given.
  const weights::Value* attribute(std::string_view name) const;
  Result<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most) const;
  Result<double> number(std::string_view name) const;
  Result<bool> flag(std::string_view name) const;
  // An integer, or a tuple or list of integers: `stride`, `f`. At least one, at most `count`.
  Result<std::vector<std::int64_t>> integers(std::string_view name, std::int64_t least, std::int64_t most,
                                             std::size_t count) const;

  std::unexpected<Error> damaged(std::string_view what) const;      // Unreadable
  std::unexpected<Error> unsupported(std::string_view what) const;  // Unsupported

 private:
  Module(const weights::Value* value, std::string path) : value_(value), path_(std::move(path)) {}

  const weights::Value* value_;
  std::string path_;
};

}  // namespace alcove::models
