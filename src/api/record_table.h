#pragma once
// Records as CSV: the columns of `alcove gateway export`, safe to open in a spreadsheet.

#include <string>

#include "gateway/sheet.h"

namespace alcove::api {

std::string csv_heading();                            // with its line end
std::string csv_line(const gateway::Record& record);  // a cell that begins like a formula gets a ' before it

}  // namespace alcove::api
