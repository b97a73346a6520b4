#include "api/sheet_status.h"

#include <nlohmann/json.hpp>

#include "base/threads.h"
#include "base/version.h"
#include "sheets/model_folder.h"

namespace alcove::api {
namespace {

std::string_view name_of(SheetSpace::Phase phase) {
  switch (phase) {
    case SheetSpace::Phase::Loading: return "loading";
    case SheetSpace::Phase::Ready: return "ready";
    case SheetSpace::Phase::Resting: return "resting";
    case SheetSpace::Phase::Failed: return "failed";
  }
  return "failed";
}

Json models_json(const sheets::SheetReader& reader) {
  auto list = Json::array();
  for (const auto& model : reader.models())
    list.push_back({{"role", model.role},
                    {"file", model.file},
                    {"sha256", model.sha256},
                    {"description", model.description}});
  return list;
}

Json workers_json(const imaging::PoolStatus& pool) {
  Json limits;  // null while the keeper of the workers starts
  if (pool.granted)
    for (std::size_t bit = 0; bit < imaging::kLimitNames.size(); ++bit)
      limits[std::string(imaging::kLimitNames[bit])] = (*pool.granted >> bit & 1) != 0;
  return {{"count", pool.workers}, {"lost", pool.lost}, {"limits", std::move(limits)}};
}

}  // namespace

Json status_json(const SheetSpace& space, std::uint64_t body_limit, const BatchLimits& batch,
                 const std::optional<imaging::PoolStatus>& decode_workers) {
  const auto state = space.state();
  const bool ready = state.usable() && !space.draining();
  const auto folder = sheets::find_models(space.settings().models);

  Json json{{"ready", ready},
            {"device", state.reader ? state.reader->device() : "cpu"},
            {"primary_yolo", folder.detector.has_value()},
            {"register_crnn", folder.register_reader.has_value()},
            {"subject_crnn", folder.subject_reader.has_value()}};
  if (state.phase == SheetSpace::Phase::Failed) json["error"] = state.error;
  if (state.phase == SheetSpace::Phase::Loading)
    json["error"] = "The reader is starting: its models are being loaded";
  if (space.draining()) json["error"] = "The server is shutting down";

  json["state"] = space.draining() ? "draining" : name_of(state.phase);
  json["version"] = kVersion;
  if (state.reader) {
    json["engine"] = state.reader->engine();
    json["device_reason"] = state.reader->device_reason();
    json["precision"] = state.reader->precision();
    json["models"] = models_json(*state.reader);
    json["load_seconds"] = state.load_seconds;
  }
  json["threads"] = available_threads();
  json["queue"] = {{"waiting", space.queue().waiting()},
                   {"running", space.queue().running()},
                   {"workers", space.queue().workers()},
                   {"capacity", space.queue().capacity()}};
  json["limits"] = {{"body_bytes", body_limit},
                    {"batch_files", batch.files},
                    {"batch_file_bytes", batch.file_bytes},
                    {"batch_inflated_bytes", batch.inflated_bytes}};
  if (decode_workers) json["decode_workers"] = workers_json(*decode_workers);
  return json;
}

}  // namespace alcove::api
