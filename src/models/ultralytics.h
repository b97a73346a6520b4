#pragma once
// What an Ultralytics checkpoint says beside its network: which module tree counts, labels, image size.

#include <string>
#include <vector>

#include "models/module_tree.h"
#include "weights/checkpoint.h"

namespace alcove::models {

// `ema`, else `model`, of the pickled dict; or the root itself. Unsupported when they hold only tensors.
Result<Module> find_network(const weights::Checkpoint& checkpoint);

// Whether find_network() would find one: the tree of a whole model, not a state dict.
bool holds_network(const weights::Checkpoint& checkpoint);

// `names` of the network, exactly `classes` of them; a class without a name is called by its index, as
// Ultralytics does.
Result<std::vector<std::string>> labels_of(const Module& network, std::int64_t classes);

// The side the training arguments name, rounded up to a multiple of `stride`; 640 when they are silent.
int image_size_of(const weights::Checkpoint& checkpoint, const Module& network, int stride);

}  // namespace alcove::models
