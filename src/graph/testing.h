#pragma once
// What tests of several graph passes are made of.

#include "graph/builder.h"

namespace alcove::graph {

// The weights of a convolution, all alike.
inline Weight kernel(const std::string& name, const Integers& shape, ElementType type = ElementType::F32) {
  std::size_t bytes = size_of(type);
  for (const auto size : shape) bytes *= static_cast<std::size_t>(size);
  return {name, type, shape, std::string(bytes, '\x3c')};  // 0x3c3c…: a small number in every type
}

}  // namespace alcove::graph
