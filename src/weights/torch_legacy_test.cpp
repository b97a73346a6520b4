#include "weights/torch_legacy.h"

#include "weights/weights_testing.h"

namespace alcove::weights {
namespace {

using testing::global;
using testing::integer;
using testing::integers;
using testing::little_endian;
using testing::pickle;
using testing::tensor;
using testing::text;
using testing::tuple;

const std::string kMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
const std::string kSix = testing::numbers({0, 1, 2, 3, 4, 5});

std::string head(const char* little = "\x88") {
  return kMagic + pickle(integer(1001)) + pickle(testing::dict({{"little_endian", little}}));
}
std::string storage(const std::string& key, std::int64_t elements, const std::string& view = "N") {
  return tuple({text("storage"), global("torch", "FloatStorage"), text(key), text("cpu"), integer(elements),
                view}) +
         "Q";
}
std::string numbered(std::int64_t elements, const std::string& raw) { return little_endian(elements) + raw; }

struct Opened {
  std::string file;
  Result<std::shared_ptr<const Value>> root;
};
Opened open(std::string file) {
  Opened opened{std::move(file), std::shared_ptr<const Value>()};
  opened.root = read_torch_legacy(as_bytes(opened.file), nullptr);
  return opened;
}
Error refusal(const std::string& file) {
  const auto opened = open(file);
  EXPECT_FALSE(opened.root);
  return opened.root ? Error{} : opened.root.error();
}
std::vector<float> floats_of(const std::string& file) {
  const auto opened = open(file);
  if (!opened.root) {
    ADD_FAILURE() << opened.root.error().message;
    return {};
  }
  const auto* found = as<Tensor>(opened.root->get());
  return found == nullptr ? std::vector<float>{} : *to_floats(*found);
}

const std::string kWhole = head() + pickle(tensor(storage("7", 6), 1, {2}, {2})) +
                           pickle("](" + text("7") + "e") + numbered(6, kSix);

TEST(TorchLegacy, ReadsNumbersThatFollowTheObject) {
  EXPECT_EQ(floats_of(kWhole), (std::vector<float>{1, 3}));
  const auto opened = open(kWhole);
  ASSERT_TRUE(opened.root);
  EXPECT_EQ(as<Tensor>(opened.root->get())->file_offset, kWhole.size() - 20);
}

TEST(TorchLegacy, ReadsStoragesInTheOrderListed) {
  const auto file =
      head() + pickle(tensor(storage("1", 1), 0, {1}, {1}) + tensor(storage("2", 2), 0, {2}, {1}) + "\x86") +
      pickle("](" + text("2") + text("1") + "e") + numbered(2, testing::numbers({8, 9})) +
      numbered(1, testing::numbers({4}));
  const auto opened = open(file);
  ASSERT_TRUE(opened.root) << opened.root.error().message;
  const auto& pair = as<Tuple>(opened.root->get())->items;
  EXPECT_EQ(*to_floats(*as<Tensor>(pair[0])), std::vector<float>{4});
  EXPECT_EQ(*to_floats(*as<Tensor>(pair[1])), (std::vector<float>{8, 9}));
}

TEST(TorchLegacy, ReadsViewsOfStorages) {
  const auto view = tuple({text("8"), integer(2), integer(3)});
  const auto end = pickle("](" + text("7") + "e") + numbered(6, kSix);
  EXPECT_EQ(floats_of(head() + pickle(tensor(storage("7", 6, view), 1, {2}, {1})) + end),
            (std::vector<float>{3, 4}));
  EXPECT_EQ(refusal(head() + pickle(tensor(storage("7", 6, view), 2, {2}, {1})) + end).code, "damaged");
  const auto outside = tuple({text("8"), integer(4), integer(3)});
  EXPECT_EQ(refusal(head() + pickle(tensor(storage("7", 6, outside), 0, {1}, {1})) + end).code, "damaged");
}

TEST(TorchLegacy, ReadsClassesAnnouncedWithTheirSource) {
  const auto announced = tuple({text("module"), global("torch.nn.modules.linear", "Linear"),
                                text("linear.py"), text("class Linear: …")}) +
                         "Q";
  const auto opened = open(head() + pickle(announced + ")\x81") + pickle("]"));
  ASSERT_TRUE(opened.root) << opened.root.error().message;
  EXPECT_EQ(as<Object>(opened.root->get())->name, "torch.nn.modules.linear.Linear");
}

TEST(TorchLegacy, SaysThatItIsCutAtEveryByte) {
  for (std::size_t length = 0; length < kWhole.size(); ++length)
    EXPECT_EQ(refusal(kWhole.substr(0, length)).code, "truncated") << length;
}

TEST(TorchLegacy, RefusesWhatDoesNotFitTogether) {
  const auto object = pickle(tensor(storage("7", 6), 0, {6}, {1}));
  const auto keys = pickle("](" + text("7") + "e");
  EXPECT_EQ(refusal(head() + object + keys + numbered(5, kSix)).code, "damaged");
  EXPECT_EQ(refusal(head() + object + pickle("]")).code, "damaged");
  EXPECT_EQ(refusal(head() + object + pickle("](" + text("8") + "e") + numbered(6, kSix)).code, "damaged");
  EXPECT_EQ(refusal(head() + object + pickle("](" + text("7") + text("7") + "e") + numbered(6, kSix) +
                    numbered(6, kSix))
                .code,
            "damaged");
  EXPECT_EQ(refusal(head() + object + pickle("N")).code, "damaged");
  EXPECT_EQ(refusal(head() + pickle(tensor(storage("7", 6), 0, {7}, {1})) + keys + numbered(6, kSix)).code,
            "damaged");
  EXPECT_EQ(
      refusal(head() + pickle(storage("7", 6) + storage("7", 5) + "\x86") + keys + numbered(6, kSix)).code,
      "damaged");
  const auto huge = std::int64_t{1} << 60;
  EXPECT_EQ(refusal(head() + pickle(storage("7", huge)) + keys + numbered(huge, kSix)).code, "truncated");
  EXPECT_EQ(refusal(head() + pickle(storage("7", INT64_MAX)) + keys + numbered(huge, kSix)).code, "damaged");
}

TEST(TorchLegacy, RefusesOtherPicklesAndMachines) {
  EXPECT_EQ(refusal(pickle("}")).code, "not_weights");
  EXPECT_EQ(refusal(head("\x89")).code, "not_weights");
  EXPECT_EQ(refusal(kMagic + pickle(integer(1002))).code, "damaged");
  EXPECT_EQ(refusal(pickle(testing::call(global("os", "system"), {text("id")}))).code, "unsafe_pickle");
  EXPECT_EQ(refusal(head() + pickle(testing::call(global("os", "system"), {text("id")}))).code,
            "unsafe_pickle");
}

TEST(TorchLegacy, SurvivesEveryFlippedByte) {
  for (std::size_t at = 0; at < kWhole.size(); ++at)
    for (const int flip : {0x01, 0x10, 0xff}) {
      auto wrong = kWhole;
      wrong[at] = static_cast<char>(wrong[at] ^ flip);
      const auto opened = open(wrong);
      if (!opened.root) continue;
      const auto* found = as<Tensor>(opened.root->get());
      EXPECT_TRUE(found == nullptr || to_floats(*found)) << at;
    }
}

}  // namespace
}  // namespace alcove::weights
