#pragma once
// The ways a weight file is refused: one word for programs each, and the sentence the caller gives.

#include "base/result.h"

namespace alcove::weights {

inline std::unexpected<Error> damaged(std::string why) {
  return fail(ErrorKind::Unreadable, std::move(why), "damaged");
}
inline std::unexpected<Error> truncated(std::string why) {
  return fail(ErrorKind::Unreadable, std::move(why), "truncated");
}
inline std::unexpected<Error> unsafe(std::string why) {
  return fail(ErrorKind::Unreadable, std::move(why), "unsafe_pickle");
}
inline std::unexpected<Error> not_weights(std::string why) {
  return fail(ErrorKind::Unreadable, std::move(why), "not_weights");
}

}  // namespace alcove::weights
