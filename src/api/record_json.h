#pragma once
// A record as JSON: what the gateway answers for a sheet, and what an export has in each row.

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "gateway/sheet.h"

namespace alcove::api {

// Everything but the Space's reply; names as in `alcove gateway export`.
Json record_json(const gateway::Record& record);

// The answers of the contract, with who read the sheet beside them.
struct RecordAnswer {
  int status = 200;
  Json body;
};
RecordAnswer extract_answer(const gateway::Record& record);      // POST /extract
RecordAnswer scan_upload_answer(const gateway::Record& record);  // POST /scan-upload

// {success: false, error, stage, original_filename, …} beside what error_json() says.
Json failed_json(const Error& error, std::string_view stage, std::string_view original_filename);

}  // namespace alcove::api
