#include "app/exit_code.h"

#include <fmt/format.h>

#include <cstdio>

namespace alcove::app {

ExitCode exit_code(const Error& error) {
  switch (error.kind) {
    case ErrorKind::BadInput:
    case ErrorKind::NotFound:
    case ErrorKind::TooLarge: return kUsage;
    case ErrorKind::Unreadable:
    case ErrorKind::Unsupported: return kNeedsAttention;
    case ErrorKind::Overloaded:
    case ErrorKind::Unavailable:
    case ErrorKind::Internal: return kFailed;
  }
  return kFailed;
}

int report(const Error& error) {
  fmt::print(stderr, "alcove: {}\n", error.message);
  return exit_code(error);
}

}  // namespace alcove::app
