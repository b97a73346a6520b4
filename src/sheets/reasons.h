#pragma once
// Why a reading wants a second look: the documented list (docs/reasons.md), in one place.

#include <string>
#include <string_view>
#include <vector>

#include "sheets/reader.h"

namespace alcove::sheets {

struct Expectations {
  int register_length = 0;  // digits of a register number; 0: any
};

// The codes that hold for this reading, in the order of the list.
std::vector<std::string> reasons_for(const SheetReading& reading, const Expectations& expected);

// One sentence for a person, with the way out and the numbers of this reading: "Retake: the box of the
// register number is 14 px high; …". Empty for a code that is not in the list.
std::string sentence_of(std::string_view code, const SheetReading& reading);

// Whether somebody has to look at the sheet; `turned`, `straightened` and `later_page` only say what was
// done.
bool wants_attention(const SheetReading& reading);

// Every code of the list; `length_N` stands for all lengths.
std::vector<std::string_view> reason_codes();

}  // namespace alcove::sheets
