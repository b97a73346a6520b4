#include "models/crnn.h"

#include <fmt/format.h>

#include "models/crnn_layers.h"
#include "models/initialisers.h"

namespace alcove::models {
namespace {

constexpr std::string_view kSymbols = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kPrefix = "module.";  // what training on several GPUs puts before every name

// Names without the prefix; the tensors themselves are views and cheap to copy.
weights::NamedTensors without_prefix(const weights::NamedTensors& tensors) {
  weights::NamedTensors plain;
  for (const auto& [name, tensor] : tensors)
    plain.emplace(name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name, tensor);
  return plain;
}

}  // namespace

Result<std::string> usual_alphabet(std::int64_t classes) {
  if (classes < 2 || classes > static_cast<std::int64_t>(kSymbols.size()) + 1)
    return fail(ErrorKind::Unsupported,
                fmt::format("the reader has {} classes; 2 to {} are known: a blank, then 0–9, A–Z, a–z",
                            classes, kSymbols.size() + 1));
  return std::string(kSymbols.substr(0, static_cast<std::size_t>(classes - 1)));
}

Result<Reader> build_reader(const weights::Checkpoint& checkpoint) {
  const auto tensors = without_prefix(checkpoint.tensors);
  const auto shape = TRY(read_shape(tensors));
  const auto alphabet = TRY(usual_alphabet(shape.classes));

  graph::Builder builder("reader");
  TRY(add_reader(builder, tensors, shape));
  builder.metadata("alphabet", alphabet);
  builder.metadata("description", "CRNN reader");
  auto graph = std::move(builder).finish();
  auto description =
      fmt::format("CRNN reader, {} convolutions, {} {} LSTM layer{}, {} classes, {} parameters, stored as {}",
                  shape.convolutions.size(), shape.lstm.size(), shape.two_way ? "two-way" : "one-way",
                  shape.lstm.size() == 1 ? "" : "s", shape.classes, with_commas(shape.parameters),
                  graph::name_of(graph.stored_as()));
  return Reader{std::move(graph), alphabet, static_cast<int>(shape.classes), std::move(description)};
}

}  // namespace alcove::models
