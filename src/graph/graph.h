#pragma once
// An ONNX model as a value (opset 17). Engines take it, tools write it; libonnx stays behind this header.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace alcove::graph {

enum class ElementType { F32, F16, BF16, I64, I32, Bool };
std::size_t size_of(ElementType type);       // bytes per element
std::string_view name_of(ElementType type);  // "F32", "BF16", "I64"

struct Dimension {  // a size, or a name for one that is free
  std::int64_t size = -1;
  std::string name;
};
struct Port {
  std::string name;
  ElementType type = ElementType::F32;
  std::vector<Dimension> shape;
};

// Numbers that stay in the file they came from; only write_inlined() copies them.
struct ExternalData {
  std::filesystem::path file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  const std::uint8_t* mapped = nullptr;    // the same bytes, mapped
  std::shared_ptr<const void> keep_alive;  // owner of the mapping
};

class Model {  // cheap to move; not copyable
 public:
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  // Parses and checks a .onnx file's bytes; Unreadable when they are not a model, Unsupported when its opset
  // or external data are not for us: a file from outside must not name others for an engine to open.
  static Result<Model> read(Bytes bytes);

  std::vector<Port> inputs() const;  // without those that have an initialiser
  std::vector<Port> outputs() const;
  const std::map<std::string, std::string>& metadata() const;  // metadata_props
  std::size_t tensor_count() const;      // trained tensors: what add_weight() was given,
                                         // of a file read the initialisers of numbers
  std::int64_t parameter_count() const;  // their elements
  ElementType stored_as() const;         // what most of those elements are stored as

  // The proto with initialisers referring to their files through `external_data`. The location of a file is
  // its canonical path seen from `base` ("/" reaches every file: "srv/models/best.pt"); without a base it is
  // the bare file name, so that a model moved to another folder gives the same bytes.
  std::string write_referencing(const std::filesystem::path& base = {}) const;
  // One per distinct file referred to; `location` is the one without a base.
  struct ExternalFile {
    std::string location;
    std::filesystem::path path;
  };
  std::vector<ExternalFile> external_files() const;
  // Everything in one stream, for `export`. TooLarge past protobuf's 2 GiB.
  Result<std::string> write_inlined() const;

  // libonnx's checker and shape inference; the sentence is the library's. Unreadable when the graph is not
  // sound; Unsupported when its opset is past 17 and the installed libonnx may not know it. For tests and
  // `verify`: costs a copy.
  Result<void> check() const;

 private:
  friend class Builder;
  friend std::vector<std::string> values_to_quantize(const Model&);
  friend Result<Model> showing(const Model&, const std::vector<std::string>&);
  friend Result<Model> quantized(const Model&, const std::map<std::string, struct Range>&,
                                 const std::map<std::string, std::string>&);
  struct State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace alcove::graph
