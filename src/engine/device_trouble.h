#pragma once
// What a failed run says about the device: CUDA's and ONNX Runtime's messages carry no codes.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace alcove::engine {

enum class Trouble {
  None,  // the model's own, or the input's
  Full,  // no memory for this run; a smaller one may still do
  Lost   // nothing runs on it any more
};

inline Trouble trouble_in(std::string message) {
  constexpr std::array<std::string_view, 5> kFull{"out of memory", "failed to allocate memory", "bad_alloc",
                                                  "bad allocation", "alloc_failed"};
  // A kernel that failed leaves the process's whole context unusable, whichever library reports it.
  constexpr std::array<std::string_view, 4> kLost{"cuda failure", "cublas failure", "cudnn failure",
                                                  "cuda error"};
  std::ranges::transform(message, message.begin(), [](unsigned char letter) {
    return letter >= 'A' && letter <= 'Z' ? letter + 32 : letter;
  });
  const auto has = [&](std::string_view words) { return message.find(words) != std::string::npos; };
  if (std::ranges::any_of(kFull, has)) return Trouble::Full;
  return std::ranges::any_of(kLost, has) ? Trouble::Lost : Trouble::None;
}

}  // namespace alcove::engine
