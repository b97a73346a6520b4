#pragma once
// What somebody hands in, checked before anything of it is kept. Pure.

#include "gateway/sheet.h"

namespace alcove::gateway {

constexpr std::string_view kUsualExam = "CIA1";  // where a form names none, as in the original

// BadInput or Unreadable for content that is no sheet (by its first bytes; the name decides which of the two,
// as the contract has it), for an empty file, and for an exam type that a file name could not hold. The
// file's name is made harmless, not refused.
Result<Upload> check_upload(Bytes content, std::string_view file_name, std::string_view exam_type,
                            std::string_view password);

// Its last part, without control characters and what is no UTF-8, at most 200 bytes.
std::string harmless_name(std::string_view file_name);

}  // namespace alcove::gateway
