#pragma once
// SHA-256 as lower-case hex: the name by which weights, cached models and papers' texts are known.

#include <memory>
#include <string>

#include "base/bytes.h"

namespace alcove {

std::string sha256_hex(Bytes bytes);

// The same for bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(Bytes bytes);
  std::string hex();  // ends the digest; call once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alcove
