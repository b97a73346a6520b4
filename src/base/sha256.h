#pragma once
// Digests as lower-case hex. SHA-256 is the name by which weights, cached models and papers' texts are known;
// SHA-1 is how git names what it keeps, and good for nothing else.

#include <memory>
#include <string>

#include "base/bytes.h"

namespace alcove {

std::string sha256_hex(Bytes bytes);

// The same for bytes that come in pieces.
class Digest {
 public:
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void add(Bytes bytes);
  std::string hex();  // ends the digest; call once

 protected:
  enum class Kind { Sha1, Sha256 };
  explicit Digest(Kind kind);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Sha256 : public Digest {
 public:
  Sha256() : Digest(Kind::Sha256) {}
};

class Sha1 : public Digest {
 public:
  Sha1() : Digest(Kind::Sha1) {}
};

}  // namespace alcove
