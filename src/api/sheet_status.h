#pragma once
// What /status says.

#include <optional>

#include "api/batch_upload.h"
#include "api/sheet_space.h"
#include "base/json.h"
#include "imaging/decode_pool.h"

namespace alcove::api {

// ready, device, primary_yolo, register_crnn, subject_crnn as the original; `error` while not ready ("Model
// weights not found: …"); and ours: state, precision, threads, engine, models, queue, limits, version,
// and decode_workers where foreign files are opened in some.
Json status_json(const SheetSpace& space, std::uint64_t body_limit, const BatchLimits& batch,
                 const std::optional<imaging::PoolStatus>& decode_workers);

}  // namespace alcove::api
