#pragma once
// The paper finder's model as the set-up guide of the original wants it: it lies in the storage folder's
// `model_weights`; what is missing there or does not load is fetched from the Hub; and the log tells it step
// by step.

#include <filesystem>
#include <memory>

#include "app/papers_command.h"

namespace alcove::app {

// `options` names folders of this machine, or repositories whose files belong into `weights` (adapters into
// folders below it). Without a name it is what `weights` holds, else the model of the last import, else
// SPECTER2 with its adapters from the Hub; with the name "none" there is none, and null is given. A download
// lies beside `weights` until it is whole and checked. The last line of an error begins with FATAL.
Result<std::shared_ptr<papers::Embedder>> load_or_fetch_model(const PapersOptions& options,
                                                              const std::filesystem::path& weights);

}  // namespace alcove::app
