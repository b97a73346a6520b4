// What bench/roster.py runs: pictures of boxes through the real readers, then the real matching.
//
//   alcove_roster_bench MODELS FOLDER
//
// FOLDER has exams.json and, for each exam, NNN-register.u8 [papers, 32, 256] and NNN-subject.u8
// [papers, 32, 128], grey. Prints a JSON object for each paper.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/mapped_file.h"
#include "models/model_file.h"
#include "sheets/model_folder.h"
#include "sheets/roster_match.h"

namespace {

using namespace alcove;

constexpr std::int64_t kHeight = 32;
constexpr std::size_t kBatch = 64;

struct LineReader {
  std::unique_ptr<engine::Session> session;
  std::string alphabet;
  std::int64_t width = 0;
};

struct Line {
  sheets::Posteriors posteriors;
  models::LineReading reading;

  float lowest() const {
    float least = reading.symbols.empty() ? 0 : 1;
    for (const auto& symbol : reading.symbols) least = std::min(least, symbol.confidence);
    return least;
  }
};

Result<LineReader> load(const std::filesystem::path& path, std::int64_t width) {
  auto file = TRY(models::load_model(path));
  const auto* reader = std::get_if<models::Reader>(&file.model);
  if (reader == nullptr) return fail(ErrorKind::BadInput, path.string() + " is no line reader");
  auto* engine = TRY(engine::open_engine({engine::Device::Cpu}));
  return LineReader{TRY(engine->load(reader->graph, {file.sha256}, {})), reader->alphabet, width};
}

Result<std::vector<Line>> read(const LineReader& reader, const std::filesystem::path& path) {
  const auto file = TRY(MappedFile::open(path));
  const auto size = static_cast<std::size_t>(kHeight * reader.width);
  const auto count = file.bytes().size() / size;
  const auto classes = reader.alphabet.size() + 1;
  std::vector<Line> lines;
  for (std::size_t first = 0; first < count; first += kBatch) {
    const auto batch = std::min(kBatch, count - first);
    std::vector<float> input;
    for (const auto grey : file.bytes().subspan(first * size, batch * size))
      input.push_back((static_cast<float>(grey) / 255 - 0.5F) / 0.5F);
    const std::array<std::int64_t, 4> shape{static_cast<std::int64_t>(batch), 1, kHeight, reader.width};
    const auto outputs = TRY(reader.session->run(shape, input));
    const auto& logits = outputs.front();  // [T, N, classes]
    for (std::size_t n = 0; n < batch; ++n) {
      std::vector<float> rows;
      for (std::size_t step = 0; step < static_cast<std::size_t>(logits.shape[0]); ++step) {
        const auto* row = logits.values.data() + (step * batch + n) * classes;
        rows.insert(rows.end(), row, row + classes);
      }
      auto posteriors = models::posteriors_of(rows, static_cast<int>(classes));
      auto reading = models::read_greedy(posteriors, static_cast<int>(classes), reader.alphabet);
      lines.push_back({{std::move(posteriors), reader.alphabet}, std::move(reading)});
    }
  }
  return lines;
}

sheets::FieldEvidence evidence(const Line& line, bool text_only) {
  if (text_only) return sheets::evidence_of_text(line.reading.text, line.posteriors.alphabet);
  return {.boxes = {{.posteriors = line.posteriors, .text = line.reading.text}}};
}

// What each paper of an exam gets, by posteriors or by text alone.
std::vector<Json> placed(const std::vector<Line>& lines, const std::vector<std::string>& numbers,
                         bool text_only) {
  const sheets::ValueTree list(numbers);
  std::vector<sheets::ListScores> scores;
  for (const auto& line : lines) scores.push_back(score_list(list, evidence(line, text_only)));
  const auto placements = sheets::place_papers(scores, numbers.size());
  std::vector<Json> all;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& best = scores[i].best;
    const double nobody = scores[i].raw_log_probability - sheets::thresholds_for(scores[i]).not_listed;
    const double next = std::max(nobody, best[1].log_probability);
    all.push_back({{"best", best[0].entry},
                   {"alone_margin", best[0].log_probability - next},
                   {"behind_raw", scores[i].raw_log_probability - best[0].log_probability},
                   {"entry", placements[i].entry ? Json(*placements[i].entry) : Json(nullptr)},
                   {"margin", placements[i].margin},
                   {"reasons", placements[i].reasons}});
  }
  return all;
}

Result<void> run(const std::filesystem::path& models, const std::filesystem::path& folder) {
  const auto parts = sheets::find_models(models);
  if (!parts.complete()) return fail(ErrorKind::NotFound, parts.missing_sentence());
  const auto registers = TRY(load(*parts.register_reader, 256));
  const auto subjects = TRY(load(*parts.subject_reader, 128));
  const auto file = TRY(MappedFile::open(folder / "exams.json"));
  const auto plan = Json::parse(as_text(file.bytes()));  // of our own making
  const auto codes = plan["subjects"].get<std::vector<std::string>>();
  const sheets::ValueTree code_list(codes);

  double score_seconds = 0;
  std::size_t scored = 0;
  for (std::size_t exam = 0; exam < plan["exams"].size(); ++exam) {
    const auto& made = plan["exams"][exam];
    const auto numbers = made["numbers"].get<std::vector<std::string>>();
    const auto lines = TRY(read(registers, folder / fmt::format("{:03}-register.u8", exam)));
    const auto code_lines = TRY(read(subjects, folder / fmt::format("{:03}-subject.u8", exam)));
    const auto began = std::chrono::steady_clock::now();
    const auto by_posteriors = placed(lines, numbers, false);
    score_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    scored += lines.size();
    const auto by_text = placed(lines, numbers, true);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto& paper = made["papers"][i];
      const auto& line = lines[i];
      const auto code = sheets::place_alone(score_list(code_list, evidence(code_lines[i], false)));
      const bool code_right = code.entry && codes[*code.entry] == made["subject"];
      const Json out{{"exam", exam},
                     {"truth", paper["truth"]},
                     {"written", paper["written"]},
                     {"raw", line.reading.text},
                     {"raw_right", line.reading.text == paper["written"] && !paper["truth"].is_null()},
                     {"mean", line.reading.confidence},
                     {"lowest", line.lowest()},
                     {"posteriors", by_posteriors[i]},
                     {"text", by_text[i]},
                     {"subject",
                      {{"raw_right", code_lines[i].reading.text == made["subject"]},
                       {"right", code_right},
                       {"margin", code.margin},
                       {"reasons", code.reasons}}}};
      fmt::print("{}\n", to_text(out));
    }
  }
  fmt::print(stderr, "{:.2f} ms to score and place a paper among its names\n",
             score_seconds / static_cast<double>(std::max<std::size_t>(scored, 1)) * 1e3);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: alcove_roster_bench MODELS FOLDER\n");
    return 2;
  }
  const auto done = run(argv[1], argv[2]);
  if (!done) fmt::print(stderr, "{}\n", done.error().message);
  return done ? 0 : 1;
}
