#include "weights/checkpoint.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/sha256.h"
#include "weights/safetensors.h"
#include "weights/torch_archive.h"
#include "weights/torch_legacy.h"
#include "weights/weights_testing.h"

namespace alcove::weights {
namespace {

using testing::content_of;
using testing::file_of;
using testing::golden;

Error refusal(const std::filesystem::path& path) {
  const auto opened = open_checkpoint(path);
  EXPECT_FALSE(opened) << path;
  if (opened) return {};
  EXPECT_FALSE(opened.error().message.empty());
  return opened.error();
}
Error refusal_of(const std::string& content, const std::string& name = "weights.pt") {
  return refusal(file_of(content, name));
}
bool says(const Error& error, std::string_view words) {
  return error.message.find(words) != std::string::npos;
}

// --- what the originals saved

void expect_equal(const NamedTensors& actual, const NamedTensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const auto found = find(actual, name);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ((*found)->shape, tensor.shape) << name;
    EXPECT_EQ(*to_floats(**found), *to_floats(tensor)) << name;
  }
}

TEST(OpenCheckpoint, ReadsTheTensorsThatTheOriginalsSaved) {
  const auto cases = parse_json(content_of(golden("cases.json")));
  ASSERT_TRUE(cases);
  ASSERT_FALSE(cases->at("tensors").empty());
  for (const auto& each : cases->at("tensors")) {
    const auto file = each.at("file").get<std::string>();
    SCOPED_TRACE(file);
    const auto checkpoint = open_checkpoint(golden(file));
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    const auto expected = open_checkpoint(golden(each.at("expected").get<std::string>()));
    ASSERT_TRUE(expected) << expected.error().message;
    const auto under = each.at("under").get<std::string>();
    const auto tensors = under.empty() ? checkpoint->tensors : tensors_in(get(checkpoint->root.get(), under));
    expect_equal(tensors, expected->tensors);
  }
}

TEST(OpenCheckpoint, KeepsTypesOffsetsAndTheFile) {
  for (const auto* name : {"tensors/types.safetensors", "tensors/types.pth", "tensors/types_legacy.pth"}) {
    SCOPED_TRACE(name);
    const auto content = content_of(golden(name));
    const auto checkpoint = open_checkpoint(golden(name));
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    EXPECT_EQ(checkpoint->sha256, sha256_hex(as_bytes(content)));
    for (const auto& [of_type, tensor] : checkpoint->tensors) {
      EXPECT_EQ(tensor.file, checkpoint->file);
      EXPECT_EQ(as_text(tensor.bytes),
                std::string_view(content).substr(tensor.file_offset, tensor.bytes.size()));
    }
    EXPECT_EQ(checkpoint->tensors.at("bf16").type, DType::BF16);
    EXPECT_EQ(checkpoint->tensors.at("bool").type, DType::Bool);
  }
  EXPECT_EQ(open_checkpoint(golden("tensors/types.safetensors"))->metadata.at("note"), "every type");
}

TEST(OpenCheckpoint, KeepsWhatElseWasSaved) {
  for (const auto* name : {"tensors/metadata.pth", "tensors/metadata_legacy.pth"}) {
    SCOPED_TRACE(name);
    const auto checkpoint = open_checkpoint(golden(name));
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    const auto* root = checkpoint->root.get();
    ASSERT_NE(as<Tuple>(get(root, "size")), nullptr);
    EXPECT_EQ(as<Object>(get(root, "device"))->name, "torch.device");
    EXPECT_EQ(as<Global>(get(root, "dtype"))->name, "torch.float16");
    EXPECT_NE(as<Object>(get(root, "numpy_double")), nullptr);
    EXPECT_NE(as<None>(get(root, "nothing")), nullptr);
    const auto& numbers = as<List>(get(root, "numbers"))->items;
    ASSERT_EQ(numbers.size(), 9U);
    EXPECT_EQ(*as<std::int64_t>(numbers[6]), std::int64_t{1} << 40);
    EXPECT_EQ(*as<std::int64_t>(numbers[7]), INT64_MIN);
    EXPECT_EQ(as<Object>(numbers[8])->name, "builtins.int");
    EXPECT_EQ(*as<double>(as<List>(get(root, "floats"))->items[2]), 1e300);
    EXPECT_EQ(*as<std::string>(as<List>(get(root, "words"))->items[2]), "é ü 中");
    EXPECT_EQ(as<BytesValue>(get(root, "bytes"))->data, std::string("\0\xff", 2));
    EXPECT_EQ(as<Object>(get(root, "set"))->name, "builtins.set");
    EXPECT_EQ(get(root, "shared_list"), get(root, "shared_again"));
  }
}

TEST(OpenCheckpoint, KeepsAPickledModuleAsATree) {
  const auto checkpoint = open_checkpoint(golden("detectors/yolov8n.pt"));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_TRUE(checkpoint->tensors.empty());
  const auto* model = get(checkpoint->root.get(), "model");
  ASSERT_NE(as<Object>(model), nullptr);
  EXPECT_EQ(as<Object>(model)->name, "ultralytics.nn.tasks.DetectionModel");
  const auto* layers = get(attribute(get(attribute(model, "_modules"), "model"), "_modules"), "0");
  const auto* weight = get(attribute(get(attribute(layers, "_modules"), "conv"), "_parameters"), "weight");
  ASSERT_NE(as<Tensor>(weight), nullptr);
  EXPECT_EQ(as<Tensor>(weight)->shape.size(), 4U);
}

TEST(OpenCheckpoint, FindsTheStateDictWhereTrainersPutIt) {
  const auto one = testing::tensor(testing::storage("FloatStorage", "0", 1), 0, {1}, {1});
  const auto inner = testing::dict({{"fc.weight", one}});
  const auto names = [&](const std::string& program) {
    const auto checkpoint = open_checkpoint(file_of(testing::torch_file(program, {testing::numbers({1})})));
    std::vector<std::string> found;
    EXPECT_TRUE(checkpoint) << checkpoint.error().message;
    if (checkpoint)
      for (const auto& [name, tensor] : checkpoint->tensors) found.push_back(name);
    return found;
  };
  const std::vector<std::string> expected{"fc.weight"};
  EXPECT_EQ(names(inner), expected);
  for (const auto* key : {"model_state_dict", "state_dict", "model"})
    EXPECT_EQ(names(testing::dict({{"best", one}, {key, inner}})), expected) << key;
  EXPECT_EQ(names(testing::dict({{"other", inner}})), std::vector<std::string>{});
}

TEST(OpenCheckpoint, RecognisesOnnx) {
  const auto checkpoint = open_checkpoint(golden("detectors/yolov5nu_onnx.onnx"));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->kind, FileKind::Onnx);
  EXPECT_EQ(checkpoint->root, nullptr);
  EXPECT_EQ(name_of(checkpoint->kind), "ONNX");
}

// --- what is not weights

TEST(OpenCheckpoint, GivesEachStrangerItsOwnSentence) {
  EXPECT_EQ(refusal("/nowhere/weights.pt").kind, ErrorKind::NotFound);
  EXPECT_EQ(refusal(::testing::TempDir()).kind, ErrorKind::BadInput);

  const auto empty = refusal_of("");
  EXPECT_EQ(empty.code, "empty_file");
  EXPECT_TRUE(says(empty, "download it again"));

  const auto pointer =
      refusal_of("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 6234567\n");
  EXPECT_EQ(pointer.code, "lfs_pointer");
  EXPECT_TRUE(says(pointer, "git lfs pull"));

  for (const auto* page : {"<!DOCTYPE html><html>", "\n  <html lang=en>", "\xef\xbb\xbf<!doctype HTML>",
                           "<?xml version='1.0'?><Error>denied</Error>"}) {
    const auto html = refusal_of(page, "weights.safetensors");
    EXPECT_EQ(html.code, "html_page") << page;
    EXPECT_TRUE(says(html, "/resolve/"));
  }
  EXPECT_TRUE(says(refusal_of("\x1f\x8b\x08 and so on, packed"), "gzip"));
  EXPECT_TRUE(says(refusal_of("\x89HDF\r\n\x1a\n and so on, from Keras"), "HDF5"));
  EXPECT_EQ(refusal_of("just some words that somebody renamed").code, "not_weights");
  EXPECT_EQ(refusal_of(std::string(4096, '\0')).code, "not_weights");
  EXPECT_EQ(refusal_of(std::string(4096, '\xff')).code, "not_weights");
  EXPECT_EQ(refusal_of("\x80\x02}q\x01.").code, "not_weights");
  EXPECT_EQ(refusal_of("PK").code, "truncated");
}

TEST(OpenCheckpoint, RefusesAPickleThatWouldRunACommand) {
  const auto command = testing::call(testing::global("os", "system"), {testing::text("touch /tmp/pwned")});
  for (const auto& content : {testing::torch_file(command, {}), testing::pickle(command),
                              std::string("cos\nsystem\n(S'touch /tmp/pwned'\ntR.")}) {
    const auto error = refusal_of(content);
    EXPECT_EQ(error.kind, ErrorKind::Unreadable);
    EXPECT_EQ(error.code, "unsafe_pickle");
    EXPECT_TRUE(says(error, "os.system")) << error.message;
    EXPECT_TRUE(says(error, "do not load this file"));
  }
}

// --- what is cut or changed

// Touches every number of every tensor found, so that a view outside its bytes meets the sanitizer.
bool use(const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(to_floats(tensor)) << name;
  return true;
}
bool read_zip(Bytes bytes) {
  const auto root = read_torch_archive(bytes, nullptr);
  return root && use(tensors_in(root->get()));
}
bool read_legacy(Bytes bytes) {
  const auto root = read_torch_legacy(bytes, nullptr);
  return root && use(tensors_in(root->get()));
}
bool read_tensors(Bytes bytes) {
  const auto read = read_safetensors(bytes, nullptr);
  return read && use(read->tensors);
}

struct Small {
  const char* name;
  bool (*read)(Bytes);
};
constexpr Small kSmall[] = {{"tensors/types.pth", read_zip},
                            {"tensors/views.pth", read_zip},
                            {"tensors/types_legacy.pth", read_legacy},
                            {"tensors/metadata_legacy.pth", read_legacy},
                            {"tensors/types.safetensors", read_tensors}};

TEST(Readers, SurviveEveryFlippedByte) {
  for (const auto& small : kSmall) {
    auto content = content_of(golden(small.name));
    ASSERT_TRUE(small.read(as_bytes(content))) << small.name;
    for (std::size_t at = 0; at < content.size(); ++at) {
      const auto kept = content[at];
      content[at] = static_cast<char>(kept ^ (at % 2 == 0 ? 0x01 : 0xff));
      small.read(as_bytes(content));
      content[at] = kept;
    }
  }
}

// An archive's checksums tell whenever what an entry holds has changed.
TEST(Readers, NoticeEveryChangedNumberOfAnArchive) {
  const auto checkpoint = open_checkpoint(golden("tensors/types.pth"));
  ASSERT_TRUE(checkpoint);
  auto content = content_of(golden("tensors/types.pth"));
  for (const auto& [name, tensor] : checkpoint->tensors)
    for (std::size_t i = 0; i < tensor.bytes.size(); ++i) {
      auto& byte = content[tensor.file_offset + i];
      byte = static_cast<char>(byte ^ 0x04);
      EXPECT_FALSE(read_zip(as_bytes(content))) << name << " byte " << i;
      byte = static_cast<char>(byte ^ 0x04);
    }
}

// Shortens a copy of the file step by step; every length ends in a sentence about it.
void cut(const std::string& name, std::size_t step) {
  SCOPED_TRACE(name);
  const auto content = content_of(golden(name));
  ASSERT_FALSE(content.empty());
  const auto copy = file_of(content, std::filesystem::path(name).filename().string());
  ASSERT_TRUE(open_checkpoint(copy));
  for (auto length = (content.size() - 1) / step * step; length > 0; length -= step) {
    std::filesystem::resize_file(copy, length);
    const auto opened = open_checkpoint(copy);
    ASSERT_FALSE(opened) << length;
    ASSERT_EQ(opened.error().kind, ErrorKind::Unreadable) << length;
    ASSERT_EQ(opened.error().code, "truncated") << length << ": " << opened.error().message;
    ASSERT_TRUE(says(opened.error(), "download it again")) << opened.error().message;
  }
  std::filesystem::remove(copy);
}

TEST(OpenCheckpoint, SaysThatASmallFileIsCutAtEveryByte) {
  for (const auto& small : kSmall) cut(small.name, 1);
}
TEST(OpenCheckpoint, SaysThatADetectorIsCutAtEveryKilobyte) { cut("detectors/yolov8n.pt", 1024); }
TEST(OpenCheckpoint, SaysThatAnOldReaderIsCutAtEveryKilobyte) { cut("readers/subject_legacy.pth", 1024); }
TEST(OpenCheckpoint, SaysThatSafetensorsAreCutAtEveryKilobyte) {
  cut("readers/subject_safetensors.safetensors", 1024);
}
TEST(OpenCheckpoint, SaysThatOnnxIsCutAtEveryKilobyte) { cut("detectors/yolov5nu_onnx.onnx", 1024); }

}  // namespace
}  // namespace alcove::weights
