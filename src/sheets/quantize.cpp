#include "sheets/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/mapped_file.h"
#include "engine/blob_cache.h"
#include "graph/quantize.h"
#include "models/model_file.h"

namespace alcove::sheets {
namespace {

namespace fs = std::filesystem;

// Eight bits are for CPUs; nothing is learnt of them elsewhere.
constexpr engine::Choice kCpu{engine::Device::Cpu, engine::Backend::OpenVino};

using Ranges = std::map<std::string, graph::Range>;

Result<imaging::Image> first_page(imaging::Decoder& decoder, const fs::path& path) {
  const auto file = TRY(MappedFile::open(path));
  auto page = decoder.page(file.bytes(), {});
  if (!page) return fail_in(path.filename().string(), std::move(page).error());
  return std::move(page->image);
}

// The mean of what the sheets reach, not the utmost: a number that one sheet in fifty has is cut off, and all
// others are told apart more finely.
void move_towards(graph::Range& mean, const std::vector<float>& values, float share) {
  const auto [least, most] = std::ranges::minmax_element(values);
  mean.least += share * (*least - mean.least);
  mean.most += share * (*most - mean.most);
}

// A network that shows some of its values, and what these were seen to hold.
struct Shown {
  std::vector<std::string> values;
  std::unique_ptr<engine::Session> session;
  Ranges ranges;
  int looks = 0;

  Result<void> look(const models::Detector& detector, const imaging::Image& page) {
    const auto prepared = imaging::letterbox(page, detector.image_size, detector.stride).image;
    const std::array<std::int64_t, 4> shape{1, 3, prepared.height, prepared.width};
    const auto outputs = TRY(session->run(shape, imaging::to_planes(prepared)));
    const float share = 1.0F / static_cast<float>(++looks);
    for (std::size_t i = 0; i < values.size(); ++i) move_towards(ranges[values[i]], outputs[i].values, share);
    return {};
  }
};

Result<Shown> show(const models::Detector& detector, engine::Settings settings) {
  settings.precision = engine::Precision::F32;
  settings.cache.clear();
  settings.choice = kCpu;
  auto values = graph::values_to_quantize(detector.graph);
  if (values.empty())
    return fail(ErrorKind::Unsupported, "the detector has no convolution that could be put into eight bits");
  auto* engine = TRY(engine::open_engine(settings.choice));
  const auto showing = TRY(graph::showing(detector.graph, values));
  auto session = TRY(engine->load(showing, {}, settings));
  return Shown{std::move(values), std::move(session), {}};
}

Result<void> write(const fs::path& path, const graph::Model& model) {
  const auto bytes = TRY(model.write_inlined());
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) return fail(ErrorKind::BadInput, fmt::format("{} cannot be written", path.string()));
  return {};
}

bool reads_as_before(const FieldReading& exact, const FieldReading& quick) {
  if (!exact.best || !quick.best) return !exact.best && !quick.best;
  return exact.best_candidate()->value == quick.best_candidate()->value;
}

class Gate {
 public:
  static Result<Gate> open(ReaderSettings settings, const fs::path& draft) {
    settings.engine.cache.clear();  // what fails must not stay behind
    settings.engine.precision = engine::Precision::F32;
    Gate gate;
    gate.exact_ = TRY(SheetReader::load(settings));
    settings.engine.precision = engine::Precision::I8;
    settings.quantized_detector = draft;
    gate.quick_ = TRY(SheetReader::load(settings));
    return gate;
  }
  Result<bool> alike(const imaging::Image& page) const {
    const auto exact = TRY(exact_->read(page));
    const auto quick = TRY(quick_->read(page));
    return reads_as_before(exact.register_number, quick.register_number) &&
           reads_as_before(exact.subject_code, quick.subject_code);
  }

 private:
  std::unique_ptr<SheetReader> exact_, quick_;
};

// The file under a name that nobody takes for a model's; gone unless it is given its own.
class Draft {
 public:
  explicit Draft(const fs::path& final_path)
      : final_(final_path), path_(final_path.parent_path() / "unchecked.int8.onnx") {}
  ~Draft() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const fs::path& path() const { return path_; }
  Result<void> keep() const {
    std::error_code failed;
    fs::rename(path_, final_, failed);
    if (failed) return fail(ErrorKind::BadInput, fmt::format("{} cannot be written", final_.string()));
    return {};
  }

 private:
  fs::path final_, path_;
};

}  // namespace

Result<Quantized> quantize_detector(const ReaderSettings& settings, imaging::Decoder& decoder,
                                    std::span<const fs::path> sheets, double least_alike,
                                    const std::function<void()>& advance) {
  if (sheets.size() < kLeastSheets)
    return fail(ErrorKind::BadInput,
                fmt::format("{} sheets are too few to calibrate on and to check with; give {} or more",
                            sheets.size(), kLeastSheets));
  const auto folder = find_models(settings.models);
  if (!folder.complete()) return fail(ErrorKind::NotFound, folder.missing_sentence(), "models_not_found");
  const auto file = TRY(models::load_model(*folder.detector));
  const auto* detector = std::get_if<models::Detector>(&file.model);
  if (detector == nullptr)
    return fail(ErrorKind::BadInput, fmt::format("{} is not a detector", folder.detector->string()));

  auto shown = TRY(show(*detector, settings.engine));
  for (std::size_t i = 0; i < sheets.size(); i += 2, advance()) {
    const auto page = TRY(first_page(decoder, sheets[i]));
    TRY(shown.look(*detector, page));
  }
  shown.session.reset();

  const Draft draft(folder.quantized_detector());
  const auto quick = TRY(
      graph::quantized(detector->graph, shown.ranges,
                       {{graph::kQuantizedFrom, file.sha256}, {graph::kCheckedOn, engine::cpu_identity()}}));
  TRY(write(draft.path(), quick));
  const auto gate = TRY(Gate::open(settings, draft.path()));
  Quantized done{.file = folder.quantized_detector()};
  for (std::size_t i = 1; i < sheets.size(); i += 2, advance()) {
    ++done.checked;
    const auto page = TRY(first_page(decoder, sheets[i]));
    if (TRY(gate.alike(page))) ++done.alike;
  }
  if (static_cast<double>(done.alike) < least_alike * static_cast<double>(done.checked))
    return fail(ErrorKind::Unsupported,
                fmt::format("in eight bits only {} of {} sheets are read as before, and {:.0f} % have to be; "
                            "stay with f32 or bf16, or calibrate on more sheets",
                            done.alike, done.checked, 100 * least_alike));
  TRY(draft.keep());
  return done;
}

}  // namespace alcove::sheets
