#pragma once
// Writes an ONNX graph node by node, front to back. Our own types only.
//
//   Builder builder("crnn");
//   auto images = builder.input({"images", ElementType::F32, {{.name = "batch"}, {.size = 1}}});
//   auto kernel = TRY(...); auto maps = builder.node("Conv", {images, kernel}, {{"pads", Integers{1, 1, 1,
//   1}}}); builder.output(builder.node("Relu", {maps}, {}, "features"), {"features", ...}); Model model =
//   std::move(builder).finish();

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/graph.h"

namespace alcove::graph {

struct Value {  // what a node gives or takes; empty for an optional input left out
  std::string name;
};

using Integers = std::vector<std::int64_t>;
struct Attribute {
  std::string_view name;
  std::variant<std::int64_t, float, std::string, Integers> value;
};

// A trained tensor: row-major, little-endian, in `data` where it lies in a mapped file, else in `bytes`.
// Either holds as many bytes as shape and type ask for.
struct Weight {
  std::string name;
  ElementType type = ElementType::F32;  // F32, F16 or BF16
  Integers shape;
  std::variant<ExternalData, std::string> data;
};

class Builder {
 public:
  explicit Builder(std::string name);
  Builder(Builder&&) noexcept;
  ~Builder();

  Value input(const Port& port);
  void output(const Port& port);  // a node has given the value of this name

  // The tensor as f32: one stored in 16 bits keeps them and gets a Cast, which engines fold. A name already
  // taken gets a number behind it.
  Value add_weight(const Weight& weight);

  // Constants are nodes, so that a graph's initialisers are what was trained.
  Value integers(const Integers& values);  // a list, shape [n]
  Value integer(std::int64_t value);       // shape []
  Value floats(std::span<const float> values, const Integers& shape);
  Value number(float value);  // shape []

  // One node, one output. The name is made from the scope and the operation when none is given.
  Value node(std::string_view operation, const std::vector<Value>& inputs,
             const std::vector<Attribute>& attributes = {}, std::string name = {});
  // One node, `count` outputs.
  std::vector<Value> nodes(std::string_view operation, std::size_t count, const std::vector<Value>& inputs,
                           const std::vector<Attribute>& attributes = {});

  void metadata(std::string_view key, std::string_view value);

  // Names made while it lives start with `name`; an inner scope takes the place of the outer one.
  class Scope {
   public:
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { builder_.scope_ = std::move(outer_); }

   private:
    friend class Builder;
    Scope(Builder& builder, std::string_view name);
    Builder& builder_;
    std::string outer_;
  };
  [[nodiscard]] Scope enter(std::string_view name) { return {*this, name}; }

  Model finish() &&;

 private:
  std::string unique(std::string wanted);
  Value add_constant(ElementType type, const Integers& shape, const void* data, std::size_t size);

  std::unique_ptr<Model::State> state_;
  std::string scope_;
  std::map<std::string, int> taken_;        // names, and the next number for each
  std::map<std::string, Value> constants_;  // by content, so that each is written once
};

}  // namespace alcove::graph
