#pragma once
// The line readers (convolutions, two-way LSTM, CTC): a state dict to a graph, the steps' numbers to text.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "weights/checkpoint.h"

namespace alcove::models {

struct Reader {
  graph::Model graph;    // images [N,1,32,W] f32 in −1..1 → logits [T,N,classes]; N and W free; T = W / 4
  std::string alphabet;  // symbol of class k is alphabet[k − 1]; class 0 is the blank
  int classes = 0;
  std::string description;  // "CRNN reader, 7 convolutions, 2 two-way LSTM layers, 11 classes, 8,722,187
                            // parameters, stored as F32"
};

// Channel counts, LSTM depth and width and the class count are read from the shapes; `module.` before names
// and a `model_state_dict` around them are taken off. Unsupported when the names or shapes are not this
// network's (the first that is wrong is named). The alphabet of 11 classes is 0–9, of 37 is 0–9 A–Z; of other
// counts the first letters of 0–9 A–Z a–z.
Result<Reader> build_reader(const weights::Checkpoint& checkpoint);

// The alphabet of so many classes. Unsupported below 2 and above 63.
Result<std::string> usual_alphabet(std::int64_t classes);

// What a symbol may be instead.
struct Rival {
  char value = 0;
  float confidence = 0;  // softmax of its class at the symbol's step
};

struct Symbol {
  char value = 0;
  int step = 0;                    // where in the line it was read, 0..T−1
  float confidence = 0;            // softmax of its class at that step, 0..1
  std::vector<Rival> rivals = {};  // at most two of 1 % or more, likeliest first; the blank is none
};

struct LineReading {
  std::string text;       // empty when every step was blank
  float confidence = 0;   // mean of the symbols' confidences; 0 for no symbols
  float with_blanks = 0;  // the original's subject figure: the first step of every run counts, of blanks too
  std::vector<Symbol> symbols;
};

// Softmax for each step: [T, classes] in and out, rows sum to 1. With a NaN or an infinity, all classes
// alike.
std::vector<float> posteriors_of(std::span<const float> logits, int classes);

// Greedy CTC: a step is kept when its best class is not blank and differs from the step before.
LineReading read_greedy(std::span<const float> posteriors, int classes, std::string_view alphabet);

}  // namespace alcove::models
