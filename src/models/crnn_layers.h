#pragma once
// The line readers' network: what a state dict's names and shapes say about it, and its nodes.
//
// A Sequential `cnn` of convolutions (each with a batch norm behind it, then ReLU), pools and dropout; `rnn`,
// an LSTM; `fc`. A state dict names only what has tensors, so pools are inferred: ReLU takes one place behind
// the norm, and where another place is left before the next convolution there is a pool. The first two pools
// halve height and width, later ones height alone.

#include <cstdint>
#include <string>
#include <vector>

#include "graph/builder.h"
#include "weights/tensor.h"

namespace alcove::models {

inline constexpr std::int64_t kReaderHeight = 32;

struct Convolution {
  int index = 0;  // in the Sequential: "cnn.INDEX.weight"
  std::int64_t in = 0, out = 0;
  std::int64_t kernel_height = 0, kernel_width = 0;
  std::int64_t pad_height = 0, pad_width = 0;    // odd kernels keep the size, even ones are not padded
  bool norm = false;                             // "cnn.INDEX+1" is its batch norm
  std::int64_t pool_height = 1, pool_width = 1;  // behind it; 1: none
};

struct LstmLayer {
  std::int64_t in = 0, hidden = 0;
};

struct ReaderShape {
  std::vector<Convolution> convolutions;
  std::vector<LstmLayer> lstm;
  bool two_way = false;
  std::int64_t classes = 0;
  std::int64_t parameters = 0;  // trained numbers, without the norms' running means and variances
};

// Unsupported, naming the first tensor that does not belong, when this is another network: one whose height
// does not come down to 1 from 32, or whose width is not quartered.
Result<ReaderShape> read_shape(const weights::NamedTensors& tensors);

// images [N,1,32,W] → logits [T,N,classes], as input and output of the builder's graph.
Result<void> add_reader(graph::Builder& builder, const weights::NamedTensors& tensors,
                        const ReaderShape& shape);

}  // namespace alcove::models
