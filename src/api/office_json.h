#pragma once
// What the office's pages get: sheets to be looked at, exams, class lists. JSON out of the gateway's values.

#include "api/record_json.h"
#include "gateway/office.h"

namespace alcove::api {

// A line of the queue.
Json queue_json(const gateway::Record& record, const std::optional<gateway::Hold>& held);
// One sheet: the record, where its boxes are and what was read in them, and the number of its newest answer.
Json sheet_json(const gateway::Record& record, const std::optional<gateway::GivenAnswer>& answered);
Json exams_json(const std::vector<gateway::ExamCounts>& exams);
Json exam_json(const gateway::ExamOverview& overview);
Json people_json(const std::vector<gateway::Person>& people);

// What became of a class list; `version` 0: nothing was kept.
Json import_json(const sheets::Findings& findings, std::size_t entries, std::string_view encoding,
                 std::int64_t version);

}  // namespace alcove::api
