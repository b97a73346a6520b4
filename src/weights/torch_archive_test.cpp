#include "weights/torch_archive.h"

#include "weights/weights_testing.h"

namespace alcove::weights {
namespace {

using testing::call;
using testing::global;
using testing::integer;
using testing::integers;
using testing::storage;
using testing::tensor;
using testing::text;
using testing::torch_file;
using testing::tuple;

const std::string kSix = testing::numbers({0, 1, 2, 3, 4, 5});
const std::string kSixFloats = storage("FloatStorage", "0", 6);

// Keeps the bytes that the value's tensors are views into.
struct Opened {
  std::string file;
  Result<std::shared_ptr<const Value>> root;
};
Opened open(std::string file) {
  Opened opened{std::move(file), std::shared_ptr<const Value>()};
  opened.root = read_torch_archive(as_bytes(opened.file), nullptr);
  return opened;
}

std::vector<float> floats_of(const std::string& program, const std::vector<std::string>& storages = {kSix}) {
  const auto opened = open(torch_file(program, storages));
  if (!opened.root) {
    ADD_FAILURE() << opened.root.error().message;
    return {};
  }
  const auto* found = as<Tensor>(opened.root->get());
  return found == nullptr ? std::vector<float>{} : *to_floats(*found);
}
Error refusal(const std::string& program, const std::vector<std::string>& storages = {kSix}) {
  const auto opened = open(torch_file(program, storages));
  EXPECT_FALSE(opened.root);
  return opened.root ? Error{} : opened.root.error();
}

TEST(TorchArchive, RebuildsTensors) {
  EXPECT_EQ(floats_of(tensor(kSixFloats, 1, {2, 2}, {1, 2})), (std::vector<float>{1, 3, 2, 4}));
  EXPECT_EQ(floats_of(call(global("torch._utils", "_rebuild_tensor"),
                           {kSixFloats, integer(4), integers({2}), integers({1})})),
            (std::vector<float>{4, 5}));
  EXPECT_EQ(floats_of(call(global("torch._utils", "_rebuild_parameter"),
                           {tensor(kSixFloats, 0, {1}, {1}), "\x88", "}"})),
            std::vector<float>{0});
  EXPECT_EQ(
      floats_of(global("torch.nn.parameter", "Parameter") + tensor(kSixFloats, 2, {1}, {1}) + "\x85\x81"),
      std::vector<float>{2});
  EXPECT_EQ(floats_of(call(global("torch._tensor", "_rebuild_from_type_v2"),
                           {global("torch._utils", "_rebuild_tensor"), global("torch", "Tensor"),
                            tuple({kSixFloats, integer(3), integers({1}), integers({1})}), "}"})),
            std::vector<float>{3});
  // Since 2.1, for types that have no storage class of their own.
  const auto untyped = tuple({text("storage"), global("torch.storage", "UntypedStorage"), text("0"),
                              text("cpu"), integer(24)}) +
                       "Q";
  EXPECT_EQ(floats_of(call(global("torch._utils", "_rebuild_tensor_v3"),
                           {untyped, integer(5), integers({1}), integers({1}), "\x89", "}",
                            global("torch", "float32")})),
            std::vector<float>{5});
}

TEST(TorchArchive, SharesStorages) {
  const auto opened =
      open(torch_file(tensor(kSixFloats, 0, {3}, {1}) + tensor(kSixFloats, 2, {3}, {1}) + "\x86", {kSix}));
  ASSERT_TRUE(opened.root) << opened.root.error().message;
  const auto& pair = as<Tuple>(opened.root->get())->items;
  EXPECT_EQ(as<Tensor>(pair[0])->bytes.data() + 8, as<Tensor>(pair[1])->bytes.data());
  const auto offset = as<Tensor>(pair[0])->file_offset;
  EXPECT_EQ(opened.file.substr(offset, 12), kSix.substr(0, 12));
  EXPECT_EQ(as<Tensor>(pair[1])->file_offset, offset + 8);
}

TEST(TorchArchive, KeepsTheRestInert) {
  const auto opened = open(torch_file(
      testing::dict({{"size", call(global("torch", "Size"), {integers({2, 3})})},
                     {"device", call(global("torch", "device"), {text("cpu")})},
                     {"dtype", global("torch", "float16")},
                     {"complex", tensor(storage("ComplexFloatStorage", "0", 3), 0, {3}, {1})},
                     {"scalar", call(global("numpy.core.multiarray", "scalar"),
                                     {call(global("numpy", "dtype"), {text("f8")}), text("12345678")})}}),
      {kSix}));
  ASSERT_TRUE(opened.root) << opened.root.error().message;
  const auto* root = opened.root->get();
  EXPECT_EQ(as<Tuple>(get(root, "size"))->items.size(), 2U);
  EXPECT_EQ(as<Object>(get(root, "device"))->name, "torch.device");
  EXPECT_EQ(as<Global>(get(root, "dtype"))->name, "torch.float16");
  EXPECT_EQ(as<Object>(get(root, "complex"))->name, "torch._utils._rebuild_tensor_v2");
  EXPECT_EQ(as<Object>(get(root, "scalar"))->arguments.size(), 2U);
}

TEST(TorchArchive, RefusesViewsThatLeaveTheirStorage) {
  EXPECT_EQ(refusal(tensor(kSixFloats, 0, {7}, {1})).code, "damaged");
  EXPECT_EQ(refusal(tensor(kSixFloats, 1, {6}, {1})).code, "damaged");
  EXPECT_EQ(refusal(tensor(kSixFloats, 0, {2, 3}, {4, 1})).code, "damaged");
  EXPECT_EQ(refusal(tensor(kSixFloats, -1, {1}, {1})).code, "damaged");
  EXPECT_EQ(refusal(tensor(kSixFloats, 5, {2}, {-1})).code, "damaged");
  EXPECT_EQ(refusal(tensor(kSixFloats, 0, {-2}, {1})).code, "damaged");
  EXPECT_EQ(refusal(tensor(kSixFloats, 0, {2}, {INT64_MAX})).code, "damaged");
  EXPECT_EQ(refusal(tensor(kSixFloats, INT64_MAX, {2}, {1})).code, "damaged");
  EXPECT_EQ(refusal(tensor(kSixFloats, 0, {2}, {1, 1})).code, "damaged");
}

TEST(TorchArchive, RefusesStoragesThatLie) {
  EXPECT_EQ(refusal(storage("FloatStorage", "0", 7)).code, "damaged");
  EXPECT_EQ(refusal(storage("FloatStorage", "0", 5)).code, "damaged");
  EXPECT_EQ(refusal(storage("FloatStorage", "0", -1)).code, "damaged");
  EXPECT_EQ(refusal(storage("DoubleStorage", "0", std::int64_t{1} << 62)).code, "damaged");
  EXPECT_EQ(refusal(storage("FloatStorage", "9", 6)).code, "damaged");
  EXPECT_EQ(refusal(storage("StringStorage", "0", 6)).code, "damaged");
  EXPECT_EQ(refusal(kSixFloats + storage("IntStorage", "0", 6) + "\x86").code, "damaged");
  EXPECT_EQ(refusal(text("0") + "Q").code, "damaged");
  EXPECT_EQ(
      refusal(tuple({text("module"), global("torch", "FloatStorage"), text("0"), text("cpu"), integer(6)}) +
              "Q")
          .code,
      "damaged");
}

TEST(TorchArchive, RefusesTensorsMadeOfSomethingElse) {
  const auto rebuild = global("torch._utils", "_rebuild_tensor");
  EXPECT_EQ(refusal(call(rebuild, {})).code, "damaged");
  EXPECT_EQ(refusal(call(rebuild, {text("0"), integer(0), integers({1}), integers({1})})).code, "damaged");
  EXPECT_EQ(refusal(call(rebuild, {kSixFloats, text("0"), integers({1}), integers({1})})).code, "damaged");
  EXPECT_EQ(refusal(call(rebuild, {kSixFloats, integer(0), integer(1), integers({1})})).code, "damaged");
  EXPECT_EQ(refusal(call(rebuild,
                         {tensor(kSixFloats, 0, {2, 2}, {2, 1}), integer(0), integers({1}), integers({1})}))
                .code,
            "damaged");
  EXPECT_EQ(refusal(call(global("torch", "Size"), {text("2")})).code, "damaged");
}

TEST(TorchArchive, RefusesACommandByName) {
  const auto error = refusal(call(global("posix", "system"), {text("id")}));
  EXPECT_EQ(error.code, "unsafe_pickle");
  EXPECT_NE(error.message.find("posix.system"), std::string::npos);
}

TEST(TorchArchive, RefusesArchivesOfAnotherKind) {
  const auto refused = [](const std::vector<testing::Entry>& entries, const char* word) {
    const auto opened = open(testing::zip(entries));
    return !opened.root && opened.root.error().code == "not_weights" &&
           opened.root.error().message.find(word) != std::string::npos;
  };
  const testing::Entry root{"a/data.pkl", testing::pickle("}")};
  EXPECT_TRUE(refused({{"word/document.xml", "<a/>"}}, "data.pkl"));
  EXPECT_TRUE(refused({root, {"b/data.pkl", "x"}}, "several"));
  EXPECT_TRUE(refused({root, {"a/constants.pkl", "x"}}, "TorchScript"));
  EXPECT_TRUE(refused({root, {"a/byteorder", "big"}}, "big-endian"));
  EXPECT_TRUE(refused({{"a/data.pkl", "squeezed", 8}}, "zip -0"));
  EXPECT_TRUE(open(testing::zip({root})).root);
  EXPECT_TRUE(open(testing::zip({{"data.pkl", root.data}})).root);
}

TEST(TorchArchive, CallsAPickleWithoutItsEndDamaged) {
  const auto opened = open(testing::zip({{"a/data.pkl", "\x80\x02}"}}));
  ASSERT_FALSE(opened.root);
  EXPECT_EQ(opened.root.error().code, "damaged");
}

}  // namespace
}  // namespace alcove::weights
