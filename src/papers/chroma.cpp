#include "papers/chroma.h"

#include <fmt/format.h>

#include <cstring>
#include <unordered_map>

#include "base/mapped_file.h"
#include "papers/formats.h"
#include "papers/names.h"
#include "store/chroma.h"
#include "weights/pickle.h"

namespace alcove::papers {
namespace {

namespace fs = std::filesystem;
using Vectors = std::unordered_map<std::string, std::vector<float>>;

constexpr std::uint64_t kMostDimensions = 65'536;

// header.bin of hnswlib, as far as it says where vectors lie. The fields before and between are of no use
// here.
struct Layout {
  std::uint64_t stride = 0, label_offset = 0, data_offset = 0;
  std::uint64_t width() const { return (label_offset - data_offset) / sizeof(float); }
};

Result<Layout> read_layout(const fs::path& file) {
  const auto header = TRY(MappedFile::open(file));
  ByteReader in(header.bytes());
  TRY(in.take(4 + 8 + 8 + 8));  // version, offset0, max_elements, count
  Layout layout;
  layout.stride = TRY(in.little_endian<std::uint64_t>());
  layout.label_offset = TRY(in.little_endian<std::uint64_t>());
  layout.data_offset = TRY(in.little_endian<std::uint64_t>());
  const bool sound = layout.data_offset < layout.label_offset && layout.label_offset <= layout.stride &&
                     layout.stride - layout.label_offset >= 8 && layout.stride < (1u << 24) &&
                     layout.width() <= kMostDimensions;
  if (!sound) return fail(ErrorKind::Unreadable, fmt::format("{} describes no vectors", file.string()));
  return layout;
}

// Which id has which label, out of index_metadata.pickle: a plain dict, or an object with it in its state.
Result<std::unordered_map<std::int64_t, std::string>> read_labels(const fs::path& file) {
  const auto pickle = TRY(MappedFile::open(file));
  const auto nothing = [](const weights::Value&) -> Result<weights::Value> {
    return fail(ErrorKind::Unreadable, "refers to something outside");
  };
  const auto inert = [](std::string_view,
                        std::span<const weights::ValuePtr>) -> Result<std::optional<weights::Value>> {
    return std::nullopt;
  };
  const auto read = weights::read_pickle(pickle.bytes(), nothing, inert);
  if (!read) return fail_in(file.string(), read.error());
  const auto* root = read->value.get();
  const auto* ids = weights::get(root, "id_to_label");
  if (ids == nullptr) ids = weights::attribute(root, "id_to_label");
  const auto* entries = weights::as<weights::Dict>(ids);
  if (entries == nullptr)
    return fail(ErrorKind::Unreadable, fmt::format("{} has no id_to_label", file.string()));
  std::unordered_map<std::int64_t, std::string> labels;
  for (const auto& [id, label] : entries->entries) {
    const auto* text = weights::as<std::string>(id);
    const auto* number = weights::as<std::int64_t>(label);
    if (text != nullptr && number != nullptr) labels[*number] = *text;
  }
  return labels;
}

// The vectors up to the last time Chroma wrote its files; none when it never did.
Result<Vectors> read_vector_files(const fs::path& segment) {
  Vectors vectors;
  std::error_code unreadable;
  if (!fs::exists(segment / "index_metadata.pickle", unreadable)) return vectors;
  const auto labels = TRY(read_labels(segment / "index_metadata.pickle"));
  if (labels.empty()) return vectors;
  const auto layout = TRY(read_layout(segment / "header.bin"));
  const auto data = TRY(MappedFile::open(segment / "data_level0.bin"));
  for (std::uint64_t at = 0; at + layout.stride <= data.bytes().size(); at += layout.stride) {
    const auto slot = data.bytes().subspan(at, layout.stride);
    std::int64_t label = 0;
    std::memcpy(&label, slot.data() + layout.label_offset, sizeof(label));
    const auto id = labels.find(label);
    if (id == labels.end()) continue;
    auto& vector = vectors[id->second];
    vector.resize(layout.width());
    std::memcpy(vector.data(), slot.data() + layout.data_offset, layout.width() * sizeof(float));
  }
  return vectors;
}

void replay(std::vector<store::ChromaWrite> writes, Vectors& vectors) {
  using Kind = store::ChromaWrite::Kind;
  for (auto& write : writes) {
    const bool known = vectors.contains(write.id);
    if (write.kind == Kind::Delete)
      vectors.erase(write.id);
    else if (write.vector && (write.kind == Kind::Upsert || (write.kind == Kind::Add) != known))
      vectors[write.id] = *std::move(write.vector);
  }
}

Paper paper_of(const store::ChromaRecord& record) {
  std::map<std::string, std::string> fields;
  for (const auto& [name, value] : record.metadata) {
    std::string lower(name);
    for (auto& letter : lower)
      letter = static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter);
    fields[lower] = value;
  }
  auto paper = paper_from_fields(fields);
  paper.id = record.id;
  auto document = tidy(record.document);
  if (paper.abstract.empty() && !paper.title.empty() && document.starts_with(paper.title))
    document = tidy(std::string_view(document).substr(paper.title.size()));
  if (paper.abstract.empty()) paper.abstract = std::move(document);
  return paper;
}

}  // namespace

bool is_chroma_folder(const fs::path& folder) {
  std::error_code unreadable;
  return fs::exists(folder / "chroma.sqlite3", unreadable);
}

Result<ChromaPapers> read_chroma_papers(const fs::path& folder, const std::string& collection) {
  auto read = TRY(store::read_chroma(folder, collection));
  // The segment's name comes from the database: it must not lead anywhere else.
  if (read.vector_segment.find_first_of("/\\") != std::string::npos || read.vector_segment.starts_with('.'))
    return fail(ErrorKind::Unreadable, fmt::format("{} names a segment outside the folder", folder.string()));
  auto vectors = TRY(read_vector_files(folder / read.vector_segment));
  replay(std::move(read.writes), vectors);
  ChromaPapers papers{.collection = read.name};
  for (const auto& record : read.records) {
    auto paper = paper_of(record);
    if (paper.title.empty()) {
      papers.left_out.push_back(record.id);
      continue;
    }
    if (const auto vector = vectors.find(record.id); vector != vectors.end())
      papers.vectors.push_back({record.id, std::move(vector->second)});
    papers.papers.push_back(std::move(paper));
  }
  return papers;
}

}  // namespace alcove::papers
