#include "imaging/golden.h"

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "imaging/testing.h"

namespace alcove::imaging {

namespace {

Json cases() { return *parse_json(as_text(golden("cases.json"))); }

// A safetensors file, which this folder may not ask weights/ for.
class Tensors {
 public:
  explicit Tensors(const std::string& name) : file_(golden(name)) {
    std::uint64_t header = 0;
    std::memcpy(&header, file_.data(), sizeof header);
    data_ = sizeof header + header;
    table_ = *parse_json(as_text(Bytes(file_).subspan(sizeof header, header)));
  }

  // Of bytes [height, width] or [height, width, channels].
  Image image(const std::string& key) const {
    const std::vector<int> shape = table_.at(key)["shape"];
    const Bytes pixels = bytes(key);
    return {shape[1], shape[0], shape.size() == 3 ? shape[2] : 1, {pixels.begin(), pixels.end()}};
  }
  std::vector<float> floats(const std::string& key) const {
    const Bytes raw = bytes(key);
    std::vector<float> values(raw.size() / sizeof(float));
    std::memcpy(values.data(), raw.data(), raw.size());
    return values;
  }

 private:
  Bytes bytes(const std::string& key) const {
    const auto& offsets = table_.at(key)["data_offsets"];
    const std::size_t begin = offsets[0], end = offsets[1];
    return Bytes(file_).subspan(data_ + begin, end - begin);
  }

  Buffer file_;
  std::size_t data_ = 0;
  Json table_;
};

}  // namespace

std::vector<GoldenPicture> golden_pictures() {
  const Json all = cases()["images"];
  const Tensors expected(all["expected"]);
  std::vector<GoldenPicture> found;
  for (const Json& one : all["cases"])
    found.push_back({one["file"], expected.image(one["key"]), one["max_abs"]});
  return found;
}

std::vector<GoldenLetterbox> golden_letterboxes() {
  std::vector<GoldenLetterbox> found;
  const Json all = cases();
  for (const Json& one : all["letterbox"]) found.push_back({one["source"], one["expected"]});
  return found;
}

std::vector<GoldenResize> golden_resizes() {
  const Json all = cases()["resizes"];
  const Tensors pictures(all["expected"]);
  std::vector<GoldenResize> found;
  for (const Json& one : all["cases"])
    found.push_back({one["name"], pictures.image(one["source"]), pictures.image(one["expected"])});
  return found;
}

std::vector<GoldenCrop> golden_crops() {
  const Json all = cases();
  const Tensors expected(all["crops"]["expected"]);
  std::map<std::string, std::string> pages;
  for (const Json& page : all["pages"]) pages[page["name"]] = page["file"];
  std::vector<GoldenCrop> found;
  for (const Json& one : all["crops"]["cases"]) {
    const std::vector<float> box = one["box"];
    found.push_back({one["name"],
                     pages.at(one["page"]),
                     {box[0], box[1], box[2], box[3]},
                     one["field"] == "register" ? 256 : 128,
                     one["channel_swap"],
                     expected.floats(one["key"])});
  }
  return found;
}

}  // namespace alcove::imaging
