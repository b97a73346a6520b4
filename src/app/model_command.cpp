// alcove model …: what is in a weight file, is it sound, to ONNX, compiled ahead, from the Hub.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/compare_engines.h"
#include "app/exit_code.h"
#include "app/reader_options.h"
#include "app/sheet_files.h"
#include "app/text_folder.h"
#include "app/text_table.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "imaging/decode_pool.h"
#include "models/model_file.h"
#include "models/text_model.h"
#include "sheets/quantize.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

struct ModelOptions {
  std::string file;
  std::string output;
  std::string format = "table";
  std::vector<std::string> sheets;
  bool engines = false;
  double least_alike = sheets::kLeastAlike;
};

const graph::Model& graph_of(const models::ModelFile& file) {
  return std::visit([](const auto& model) -> const graph::Model& { return model.graph; }, file.model);
}

Json describe(const models::ModelFile& file) {
  Json out{{"file", file.path.string()},
           {"kind", std::string(weights::name_of(file.kind))},
           {"architecture", std::visit([](const auto& model) { return model.description; }, file.model)}};
  if (const auto* detector = std::get_if<models::Detector>(&file.model)) {
    out["classes"] = detector->labels;
    out["image_size"] = detector->image_size;
    out["stride"] = detector->stride;
  } else {
    const auto& reader = std::get<models::Reader>(file.model);
    out["classes"] = reader.classes;
    out["alphabet"] = reader.alphabet;
  }
  out["tensors"] = file.tensors;
  out["precision"] = file.precision;
  out["bytes"] = file.bytes;
  out["sha256"] = file.sha256;
  return out;
}

Result<Json> describe_path(const std::string& path) {
  if (is_text_folder(path)) return describe_text_folder(path);
  return describe(TRY(models::load_model(path)));
}

int inspect(const ModelOptions& options) {
  const auto description = describe_path(options.file);
  if (!description) return report(description.error());
  if (options.format == "json") {
    fmt::print("{}\n", to_text(*description, 2));
    return kDone;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : description->items())
    rows.push_back({name, value.is_string() ? value.get<std::string>() : to_text(value)});
  fmt::print("{}", text_table(rows));
  return kDone;
}

Result<void> write_file(const fs::path& path, const std::string& bytes) {
  // A name beside the target first, so that nobody ever meets half a file.
  const auto partial = fs::path(path.string() + ".partial");
  std::ofstream out(partial, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  std::error_code failed;
  if (out) fs::rename(partial, path, failed);
  if (!out || failed) {
    fs::remove(partial, failed);
    return fail(ErrorKind::BadInput,
                fmt::format("{} cannot be written; is there room, and may you write there?", path.string()));
  }
  return {};
}

Result<std::string> onnx_of(const std::string& path) {
  if (is_text_folder(path)) return export_text_folder(path);
  const auto file = TRY(models::load_model(path));
  return graph_of(file).write_inlined();
}

Result<void> export_onnx(const ModelOptions& options) {
  const auto bytes = TRY(onnx_of(options.file));
  TRY(write_file(options.output, bytes));
  fmt::print("{}: {:.1f} MB of ONNX, opset 17\n", options.output, static_cast<double>(bytes.size()) / 1e6);
  return {};
}

// What every model is tried on, in the range its inputs have.
struct KnownInput {
  engine::Shape shape;
  std::vector<float> pixels;                        // of a picture
  std::vector<std::vector<std::int64_t>> integers;  // of texts: ids, mask, types

  std::vector<engine::Input> inputs() const {
    if (integers.empty()) return {{shape, std::span(pixels)}};
    std::vector<engine::Input> all;
    for (const auto& values : integers) all.push_back({shape, std::span(values)});
    return all;
  }
};

// A wave of the size the model usually sees.
KnownInput known_picture(bool detector) {
  KnownInput input{.shape = detector ? engine::Shape{1, 3, 640, 480} : engine::Shape{1, 1, 32, 256}};
  const std::int64_t width = input.shape[3], rows = input.shape[1] * input.shape[2];
  for (std::int64_t i = 0; i < rows * width; ++i) {
    const std::int64_t column = i % width, row = i / width;
    const float wave =
        0.5F + 0.5F * std::sin(0.37F * static_cast<float>(column) + 0.11F * static_cast<float>(row));
    input.pixels.push_back(detector ? wave : 2 * wave - 1);
  }
  return input;
}

// Two texts whose words lie all over the vocabulary, the second with padding behind it.
KnownInput known_texts(const models::TextFolder& folder) {
  constexpr std::int64_t kTexts = 2, kPadding = 5;
  const auto length = std::min<std::int64_t>(32, folder.config.positions);
  KnownInput input{.shape = {kTexts, length}};
  std::vector<std::int64_t> ids, mask;
  for (std::int64_t i = 0; i < kTexts * length; ++i) {
    ids.push_back((i * 7919) % folder.config.vocabulary);
    mask.push_back(i < kTexts * length - kPadding);
  }
  const std::vector<std::int64_t> types(ids.size(), 0);
  input.integers = {ids, mask, types};
  return input;
}

Result<std::string> first_trouble(const std::vector<engine::Array>& outputs) {
  if (outputs.empty()) return fail(ErrorKind::Unreadable, "the network gives nothing back");
  const auto& values = outputs.front().values;
  const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  if (bad != values.end())
    return fail(
        ErrorKind::Unreadable,
        fmt::format("output {} of {} is not a number; the weights are damaged or were trained to overflow",
                    bad - values.begin(), values.size()));
  return fmt::format("{} finite outputs", values.size());
}

// A model to be verified; the file or folder it is of stays open meanwhile.
struct Candidate {
  std::string description;
  const graph::Model& graph;
  std::string sha256;
  KnownInput input;
};

// Both engines on the CPU in f32, which is what they have in common.
Result<void> verify_engines(const Candidate& candidate, engine::Settings settings) {
  settings.precision = engine::Precision::F32;
  std::vector<std::string> names;
  std::vector<std::vector<engine::Array>> outputs;
  for (const auto backend : {engine::Backend::OpenVino, engine::Backend::OnnxRuntime}) {
    auto* engine = TRY(engine::open_engine({engine::Device::Cpu, backend}));
    const auto session = TRY(engine->load(candidate.graph, {candidate.sha256}, settings));
    names.push_back(engine->description());
    outputs.push_back(TRY(session->run(candidate.input.inputs())));
  }
  fmt::print("compared    {}\n        and {}\n", names[0], names[1]);
  const auto ports = candidate.graph.outputs();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto difference = TRY(largest_difference(outputs[0][i].values, outputs[1][i].values));
    fmt::print("{:11} differs by {:.2g} at most, among numbers up to {:.4g}\n", ports[i].name,
               difference.absolute, difference.largest);
    if (!difference.agree())
      return fail(
          ErrorKind::Internal,
          fmt::format("the engines disagree about {} by {:.2g}; trust neither, and tell us of the model",
                      ports[i].name, difference.absolute));
  }
  return {};
}

Result<void> verify_candidate(const Candidate& candidate, const ReaderOptions& engine_options,
                              bool both_engines) {
  fmt::print("reads       {}\n", candidate.description);
  TRY(candidate.graph.check());
  fmt::print("graph       accepted by the ONNX checker, shapes inferred\n");
  auto settings = TRY(engine_settings(engine_options));
  settings.cache.clear();  // what is verified is the file, not what was compiled from it earlier
  auto* engine = TRY(engine::open_engine(settings.choice));
  const auto session = TRY(engine->load(candidate.graph, {candidate.sha256}, settings));
  const auto outputs = TRY(session->run(candidate.input.inputs()));
  fmt::print("runs        {} on {} in {}\n", TRY(first_trouble(outputs)), engine->description(),
             name_of(session->precision()));
  const auto again = TRY(session->run(candidate.input.inputs()));
  if (again.front().values != outputs.front().values)
    return fail(ErrorKind::Internal, "the same input gave other numbers the second time");
  if (both_engines) TRY(verify_engines(candidate, settings));
  fmt::print("sound       {}\n", candidate.sha256);
  return {};
}

Result<void> verify(const ModelOptions& options, const ReaderOptions& engine_options) {
  if (is_text_folder(options.file)) {
    const auto folder = TRY(models::open_text_folder(options.file));
    const auto graph = TRY(models::build_text_model(folder, nullptr, models::TextOutputs::VectorAndRows));
    return verify_candidate(
        {models::describe(folder, nullptr, graph), graph, folder.sha256, known_texts(folder)}, engine_options,
        options.engines);
  }
  const auto file = TRY(models::load_model(options.file));
  const auto description = std::visit([](const auto& model) { return model.description; }, file.model);
  const bool detector = std::holds_alternative<models::Detector>(file.model);
  return verify_candidate({description, graph_of(file), file.sha256, known_picture(detector)}, engine_options,
                          options.engines);
}

Result<void> prepare(const ModelOptions& options, ReaderOptions reader_options) {
  reader_options.models = options.file;
  const auto settings = TRY(reader_settings(reader_options));
  if (settings.engine.cache.empty())
    return fail(ErrorKind::BadInput, "there is no cache to prepare: name a folder with --cache");
  if (is_text_folder(options.file)) {
    fmt::print("{}", TRY(prepare_text_folder(options.file, settings.engine)));
    return {};
  }
  const auto reader = TRY(sheets::SheetReader::load(settings));
  for (const auto& model : reader->models())
    fmt::print("{:16}  {}  {}\n", model.role, model.file, model.description);
  fmt::print("compiled for {} in {}; kept in {}\n", reader->engine(), reader->precision(),
             settings.engine.cache.string());
  return {};
}

Result<void> quantize(const ModelOptions& options, ReaderOptions reader_options) {
  reader_options.models = options.file;
  const auto settings = TRY(reader_settings(reader_options));
  const auto files = sheet_files(options.sheets);
  imaging::DecodePool decoder({.workers = 1});
  Progress progress(files.size(), "sheets");
  const auto made = TRY(
      sheets::quantize_detector(settings, decoder, files, options.least_alike, [&] { progress.advance(); }));
  fmt::print("{}: {:.1f} MB; {} of {} sheets are read as before; use it with --precision int8\n",
             made.file.string(), static_cast<double>(fs::file_size(made.file)) / 1e6, made.alike,
             made.checked);
  return {};
}

int code_of(const Result<void>& result) { return result ? kDone : report(result.error()); }

}  // namespace

void add_model(CLI::App& parser, Run& run) {
  auto* command =
      parser.add_subcommand("model", "Look into weight files, check, convert, compile and fetch them");
  command->require_subcommand(1);
  command->parse_complete_callback([] { set_log_level(LogLevel::Warning); });
  auto options = std::make_shared<ModelOptions>();
  auto engine_options = std::make_shared<ReaderOptions>();
  const auto add = [&](const char* name, const char* text, const char* argument, const char* argument_text) {
    auto* sub = command->add_subcommand(name, text);
    sub->add_option(argument, options->file, argument_text)->required();
    return sub;
  };
  const char* file_text = "a .pt, .pth, .bin, .safetensors or .onnx file, or a folder of a BERT model";

  auto* inspecting = add("inspect", "Show kind, architecture, classes, tensors, precision, bytes and sha256",
                         "FILE", file_text);
  inspecting->add_option("--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  inspecting->callback([=, &run] { run = [=] { return inspect(*options); }; });

  auto* verifying = add("verify", "Check the graph and run a known input through it", "FILE", file_text);
  add_engine_options(*verifying, *engine_options);
  verifying->add_flag(
      "--engines", options->engines,
      "also through OpenVINO and ONNX Runtime on this CPU, with the largest difference of each output");
  verifying->callback([=, &run] { run = [=] { return code_of(verify(*options, *engine_options)); }; });

  auto* exporting = add("export", "Write the model as one ONNX file", "FILE", file_text);
  exporting->add_option("OUT", options->output, "the .onnx file to write")->required();
  exporting->callback([=, &run] { run = [=] { return code_of(export_onnx(*options)); }; });

  auto* preparing = add("prepare", "Compile a models folder ahead, so that a server starts at once", "DIR",
                        "the models folder, or a folder of a BERT model");
  add_engine_options(*preparing, *engine_options);
  preparing->callback([=, &run] { run = [=] { return code_of(prepare(*options, *engine_options)); }; });
  add_model_pull(*command, run);

  auto* quantizing = add("quantize", "Put a models folder's detector into eight bits, if it reads as before",
                         "DIR", "the models folder");
  quantizing->add_option("--sheets", options->sheets, "sheets like those to come, or folders of them")
      ->required();
  quantizing
      ->add_option("--least-alike", options->least_alike,
                   "share of the sheets checked on which both fields have to be read as before")
      ->check(CLI::Range(0.5, 1.0))
      ->capture_default_str();
  // Not prepare's: the environment's twins of a command that was not called are read all the same.
  auto quantize_options = std::make_shared<ReaderOptions>();
  add_engine_options(*quantizing, *quantize_options);
  quantizing->callback([=, &run] { run = [=] { return code_of(quantize(*options, *quantize_options)); }; });
}

}  // namespace alcove::app
