#pragma once
// What /status says.

#include "api/batch_upload.h"
#include "api/sheet_space.h"
#include "base/json.h"

namespace alcove::api {

// ready, device, primary_yolo, register_crnn, subject_crnn as the original; `error` while not ready ("Model
// weights not found: …"); and ours: state, precision, threads, engine, models, queue, limits, version.
Json status_json(const SheetSpace& space, std::uint64_t body_limit, const BatchLimits& batch);

}  // namespace alcove::api
