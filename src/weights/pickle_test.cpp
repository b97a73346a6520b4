#include "weights/pickle.h"

#include "weights/weights_testing.h"

namespace alcove::weights {
namespace {

using testing::call;
using testing::global;
using testing::integer;
using testing::text;
using testing::tuple;

Result<Value> no_storage(const Value&) { return fail(ErrorKind::Unreadable, "no storage here", "damaged"); }
Result<std::optional<Value>> nothing(std::string_view, std::span<const ValuePtr>) { return std::nullopt; }

Result<Unpickled> read(const std::string& bytes, const PickleLimits& limits = {}) {
  return read_pickle(as_bytes(bytes), no_storage, nothing, limits);
}

// The value of a whole pickle, which has to be readable.
std::shared_ptr<const Value> value_of(const std::string& bytes) {
  auto unpickled = read(bytes);
  if (!unpickled) {
    ADD_FAILURE() << unpickled.error().message;
    return nullptr;
  }
  EXPECT_EQ(unpickled->bytes_read, bytes.size());
  return unpickled->value;
}
template <class T>
T plain(const std::string& bytes) {
  const auto value = value_of(bytes);
  const auto* found = as<T>(value.get());
  EXPECT_NE(found, nullptr);
  return found == nullptr ? T{} : *found;
}

Error refusal(const std::string& bytes, const PickleLimits& limits = {}) {
  const auto unpickled = read(bytes, limits);
  EXPECT_FALSE(unpickled);
  return unpickled ? Error{} : unpickled.error();
}

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

TEST(ReadPickle, ReadsNumbers) {
  EXPECT_EQ(plain<std::int64_t>("K\xff."), 255);
  EXPECT_EQ(plain<std::int64_t>("M\x01\x02."), 513);
  EXPECT_EQ(plain<std::int64_t>("J\xff\xff\xff\xff."), -1);
  EXPECT_EQ(plain<std::int64_t>("I-12\n."), -12);
  EXPECT_EQ(plain<bool>("I01\n."), true);
  EXPECT_EQ(plain<bool>("I00\n."), false);
  EXPECT_EQ(plain<std::int64_t>("L123L\n."), 123);
  EXPECT_EQ(plain<std::int64_t>(bytes_of({0x8a, 0, '.'})), 0);
  EXPECT_EQ(plain<std::int64_t>(bytes_of({0x8a, 1, 0x80, '.'})), -128);
  EXPECT_EQ(plain<std::int64_t>(bytes_of({0x8a, 2, 0xff, 0x00, '.'})), 255);
  EXPECT_EQ(plain<std::int64_t>(bytes_of({0x8b, 1, 0, 0, 0, 5, '.'})), 5);
  EXPECT_EQ(plain<double>(bytes_of({'G', 0x3f, 0xe0, 0, 0, 0, 0, 0, 0, '.'})), 0.5);
  EXPECT_EQ(plain<double>("F-2.5\n."), -2.5);
  EXPECT_EQ(plain<bool>(bytes_of({0x88, '.'})), true);
  EXPECT_EQ(plain<bool>(bytes_of({0x89, '.'})), false);
  EXPECT_NE(as<None>(value_of("N.").get()), nullptr);
}

TEST(ReadPickle, KeepsWideIntegersAsBytes) {
  const auto wide = plain<Object>(bytes_of({0x8a, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, '.'}));
  EXPECT_EQ(wide.name, "builtins.int");
  const auto value = value_of(bytes_of({0x8a, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, '.'}));
  const auto* digits = as<BytesValue>(as<Object>(value.get())->arguments.at(0));
  ASSERT_NE(digits, nullptr);
  EXPECT_EQ(digits->data, "\x01\x02\x03\x04\x05\x06\x07\x08\x09");
}

TEST(ReadPickle, ReadsText) {
  EXPECT_EQ(plain<std::string>(text("näh") + "."), "näh");
  EXPECT_EQ(plain<std::string>(bytes_of({0x8c, 2, 'h', 'i', '.'})), "hi");
  EXPECT_EQ(plain<std::string>(bytes_of({0x8d, 2, 0, 0, 0, 0, 0, 0, 0, 'h', 'i', '.'})), "hi");
  EXPECT_EQ(plain<std::string>("U\x02hi."), "hi");
  EXPECT_EQ(plain<std::string>(bytes_of({'T', 2, 0, 0, 0, 'h', 'i', '.'})), "hi");
  EXPECT_EQ(plain<std::string>("S'it\\'s\\n\\x41'\n."), "it's\nA");
  EXPECT_EQ(plain<std::string>("V\\u00e9\\U0001f600\xe9\n."), "é😀é");
  EXPECT_EQ(plain<BytesValue>(bytes_of({'C', 2, 0, 0xff, '.'})).data, std::string("\0\xff", 2));
  EXPECT_EQ(plain<BytesValue>(bytes_of({'B', 1, 0, 0, 0, 7, '.'})).data, "\x07");
  EXPECT_EQ(plain<BytesValue>(bytes_of({0x8e, 1, 0, 0, 0, 0, 0, 0, 0, 7, '.'})).data, "\x07");
  EXPECT_EQ(plain<BytesValue>(bytes_of({0x96, 1, 0, 0, 0, 0, 0, 0, 0, 7, '.'})).data, "\x07");
  EXPECT_EQ(plain<BytesValue>(call(global("_codecs", "encode"), {text("aÿ"), text("latin1")}) + ".").data,
            "a\xff");
}

TEST(ReadPickle, ReadsContainers) {
  EXPECT_EQ(plain<List>("](K\x01K\x02"
                        "eK\x03"
                        "a.")
                .items.size(),
            3U);
  EXPECT_EQ(plain<List>("(K\x01K\x02l.").items.size(), 2U);
  EXPECT_EQ(plain<Tuple>(").").items.size(), 0U);
  EXPECT_EQ(plain<Tuple>("K\x01K\x02K\x03\x87.").items.size(), 3U);
  EXPECT_EQ(plain<Dict>("(K\x01K\x02"
                        "d.")
                .entries.size(),
            1U);
  EXPECT_EQ(plain<Dict>("}K\x01K\x02s(K\x03K\x04u.").entries.size(), 2U);
  EXPECT_EQ(plain<Object>(bytes_of({0x8f, '(', 'K', 1, 'K', 2, 0x90, '.'})).elements.size(), 2U);
  EXPECT_EQ(plain<Object>(bytes_of({'(', 'K', 1, 0x91, '.'})).name, "builtins.frozenset");
}

TEST(ReadPickle, RemembersAndShares) {
  for (const std::string program : {"]q\x05h\x05\x86.", "]p5\ng5\n\x86.", "]2\x86."}) {
    const auto value = value_of(program);
    const auto* pair = as<Tuple>(value.get());
    ASSERT_NE(pair, nullptr);
    EXPECT_EQ(pair->items[0], pair->items[1]);
  }
  EXPECT_EQ(plain<Tuple>(bytes_of({'K', 7, 0x94, 'r', 1, 0, 0, 0, 'j', 1, 0, 0, 0, 0x86, '.'})).items.size(),
            2U);
}

TEST(ReadPickle, DropsWhatIsDropped) {
  EXPECT_EQ(plain<std::int64_t>("K\x01K\x02"
                                "0."),
            1);
  EXPECT_EQ(plain<std::int64_t>("K\x01(K\x02"
                                "1."),
            1);
  EXPECT_EQ(plain<std::int64_t>("K\x01(0."), 1);
}

TEST(ReadPickle, StopsAtStop) {
  const auto unpickled = read(std::string("\x80\x02K\x07.and more"));
  ASSERT_TRUE(unpickled);
  EXPECT_EQ(unpickled->bytes_read, 5U);
}

TEST(ReadPickle, ReadsFramesOfProtocolFour) {
  EXPECT_EQ(plain<std::int64_t>(bytes_of({0x80, 4, 0x95, 3, 0, 0, 0, 0, 0, 0, 0, 'K', 9, '.'})), 9);
  EXPECT_EQ(refusal(bytes_of({0x80, 4, 0x95, 9, 0, 0, 0, 0, 0, 0, 0, 'K', 9, '.'})).code, "truncated");
}

TEST(ReadPickle, KeepsClassesInert) {
  // As Python writes an instance of a module's class: NEWOBJ, then its state.
  const auto module = value_of(global("ultralytics.nn.modules.conv", "Conv") + ")\x81}(" + text("stride") +
                               integer(2) + "ub.");
  const auto* object = as<Object>(module.get());
  ASSERT_NE(object, nullptr);
  EXPECT_EQ(object->name, "ultralytics.nn.modules.conv.Conv");
  const auto* stride = as<std::int64_t>(attribute(module.get(), "stride"));
  ASSERT_NE(stride, nullptr);
  EXPECT_EQ(*stride, 2);
  EXPECT_EQ(attribute(module.get(), "padding"), nullptr);
}

TEST(ReadPickle, KeepsArgumentsItemsAndElements) {
  const auto call_of_class = plain<Object>(call(global("torch", "device"), {text("cpu")}) + ".");
  EXPECT_EQ(call_of_class.name, "torch.device");
  EXPECT_EQ(call_of_class.arguments.size(), 1U);
  EXPECT_EQ(plain<Object>(global("easydict", "EasyDict") + ")\x81(K\x01K\x02u.").items.entries.size(), 1U);
  EXPECT_EQ(plain<Object>(global("mylab", "Row") + ")\x81(K\x01K\x02"
                                                   "e.")
                .elements.size(),
            2U);
  EXPECT_EQ(plain<Object>("(" + global("mylab", "Old") + "K\x01o.").arguments.size(), 1U);
  EXPECT_EQ(plain<Object>("(K\x01imylab\nOld\n.").name, "mylab.Old");
  EXPECT_EQ(plain<Object>(global("mylab", "Named") + ")}\x92.").arguments.size(), 1U);
  EXPECT_EQ(plain<Global>(global("torch", "float16") + ".").name, "torch.float16");
}

TEST(ReadPickle, FindsAttributesKeptInSlots) {
  const auto value = value_of(global("mylab", "Slotted") + ")\x81N}(" + text("depth") + integer(3) +
                              "u\x86"
                              "b.");
  ASSERT_NE(attribute(value.get(), "depth"), nullptr);
}

TEST(ReadPickle, ReadsWhatPythonItselfPutsBetween) {
  EXPECT_EQ(plain<Dict>(call(global("collections", "OrderedDict"), {}) + "K\x01K\x02s.").entries.size(), 1U);
  EXPECT_EQ(
      plain<Dict>(call(global("collections", "OrderedDict"), {"](" + tuple({"K\x01", "K\x02"}) + "e"}) + ".")
          .entries.size(),
      1U);
  EXPECT_EQ(plain<Dict>(call(global("collections", "defaultdict"), {global("__builtin__", "dict")}) + ".")
                .entries.size(),
            0U);
  EXPECT_EQ(plain<Object>(call(global("copy_reg", "_reconstructor"),
                               {global("mylab", "Old"), global("__builtin__", "object"), "N"}) +
                          ".")
                .name,
            "mylab.Old");
  EXPECT_EQ(plain<Global>(call(global("__builtin__", "getattr"),
                               {global("ultralytics.nn.modules.head", "Detect"), text("forward")}) +
                          ".")
                .name,
            "ultralytics.nn.modules.head.Detect.forward");
  // A layer of a fused network has its forward replaced by another of its methods.
  const auto layer = call(global("ultralytics.nn.modules.conv", "Conv"), {});
  const auto fused = call(global("__builtin__", "getattr"), {layer, text("forward_fuse")});
  EXPECT_EQ(plain<Object>(fused + ".").name, "builtins.getattr");
  EXPECT_EQ(refusal(fused + ")R.").code, "unsafe_pickle");
  // A state dict's _metadata.
  EXPECT_EQ(plain<Dict>(call(global("collections", "OrderedDict"), {}) + "}b.").entries.size(), 0U);
}

TEST(ReadPickle, LooksUpTheLastOfEqualKeys) {
  const auto value = value_of("}(" + text("a") + "K\x01" + text("a") + "K\x02u.");
  const auto* found = as<std::int64_t>(get(value.get(), "a"));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(*found, 2);
  EXPECT_EQ(get(value.get(), "b"), nullptr);
  EXPECT_EQ(get(nullptr, "b"), nullptr);
  EXPECT_EQ(attribute(value.get(), "a"), nullptr);
}

TEST(ReadPickle, RefusesCommandsByName) {
  for (const auto& [module, name] : {std::pair{"os", "system"},
                                     {"posix", "system"},
                                     {"builtins", "eval"},
                                     {"__builtin__", "exec"},
                                     {"subprocess", "Popen"}}) {
    const auto error = refusal(testing::pickle(call(global(module, name), {text("touch /tmp/pwned")})));
    EXPECT_EQ(error.code, "unsafe_pickle");
    EXPECT_NE(error.message.find(name), std::string::npos) << error.message;
  }
  EXPECT_EQ(refusal("cos\nsystem\n(S'id'\ntR.").code, "unsafe_pickle");
  EXPECT_EQ(refusal("(S'id'\nios\nsystem\n.").code, "unsafe_pickle");
  EXPECT_EQ(refusal(text("os") + text("system") + "\x93.").code, "unsafe_pickle");
  EXPECT_EQ(refusal(call(global("mylab", "run"), {}) + ".").code, "unsafe_pickle");
}

TEST(ReadPickle, RefusesCallsOfWhatItComputed) {
  const auto found =
      call(global("__builtin__", "getattr"), {call(global("torch", "device"), {}), text("index")});
  EXPECT_EQ(refusal(found + ".").code, "unsafe_pickle");
  EXPECT_EQ(refusal(call(global("torch", "device"), {}) + ")R.").code, "unsafe_pickle");
  EXPECT_EQ(refusal(global("torch", "nn") + "}b.").code, "unsafe_pickle");
  const auto detour = call(global("__builtin__", "getattr"), {global("torch", "serialization"), text("os")});
  EXPECT_EQ(refusal(detour + ".").code, "unsafe_pickle");
}

TEST(ReadPickle, NamesOpcodeAndByteOfWhatIsWrong) {
  EXPECT_EQ(refusal("K\x01\xfe.").message, "pickle opcode 0xfe at byte 2: checkpoints do not use it");
  for (const std::string program : {".",
                                    "a.",
                                    "]K\x01K\x02u.",
                                    "R.",
                                    "K\x01R.",
                                    ")R.",
                                    "h\x01.",
                                    "t.",
                                    "0.",
                                    "1.",
                                    "2.",
                                    "q\x01.",
                                    "N}b.",
                                    "K\x01K\x02K\x03s.",
                                    "}K\x01(K\x01u.",
                                    "\x80\x06.",
                                    "Ix\n.",
                                    "g-1\n.",
                                    "Fx\n.",
                                    "Snope\n.",
                                    "V\\u12\n.",
                                    "\x82\x01.",
                                    "\x97.",
                                    "(o.",
                                    "N)\x81.",
                                    "NQ.",
                                    "Pid\n.",
                                    "K\x01K\x02\x93.",
                                    "L9223372036854775808L\n."}) {
    const auto error = refusal(program);
    EXPECT_FALSE(error.message.empty()) << program;
    EXPECT_TRUE(error.code == "damaged" || error.code == "unsafe_pickle") << program << ": " << error.message;
  }
}

TEST(ReadPickle, SaysThatItIsCutAtEveryByte) {
  const std::string whole = testing::pickle(testing::dict(
      {{"model", global("torch.nn.modules.conv", "Conv2d") + ")\x81}(" + text("in") + integer(3) + "ub"},
       {"size", testing::integers({1, 2, std::int64_t{1} << 40})},
       {"half", bytes_of({'G', 0x3f, 0xe0, 0, 0, 0, 0, 0, 0})}}));
  ASSERT_TRUE(read(whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(refusal(whole.substr(0, length)).code, "truncated") << length;
}

TEST(ReadPickle, SurvivesDepthLoopsAndTheirEnd) {
  constexpr std::size_t kDepth = 200'000;  // a call for each would overrun any stack
  EXPECT_TRUE(read(std::string(kDepth, ']') + std::string(kDepth - 1, 'a') + "."));
  std::string nested = ")";
  for (std::size_t i = 0; i < kDepth; ++i) nested += '\x85';
  EXPECT_TRUE(read(nested + "."));
  // A list that holds itself, and an object that is its own state.
  const auto loop = value_of(
      "]q\x01h\x01"
      "a.");
  EXPECT_EQ(as<List>(loop.get())->items[0], loop.get());
  EXPECT_TRUE(read(global("mylab", "Node") + ")\x81q\x01h\x01"
                                             "b."));
}

TEST(ReadPickle, KeepsWithinItsLimits) {
  EXPECT_EQ(refusal(std::string(100, ']') + ".", {.values = 100}).kind, ErrorKind::TooLarge);
  EXPECT_EQ(refusal(std::string(100, '(') + ".", {.depth = 99}).kind, ErrorKind::TooLarge);
  EXPECT_EQ(refusal(text(std::string(100, 'x')) + ".", {.text = 99}).kind, ErrorKind::TooLarge);
  // A large tuple as the arguments of many calls is copied for each.
  std::string calls = "(" + std::string(1000, 'N') + "tq\x01" + "0";
  for (int i = 0; i < 1000; ++i) calls += global("torch", "device") + "h\x01R0";
  EXPECT_EQ(refusal(calls + "N.", {.values = 100'000}).kind, ErrorKind::TooLarge);
  // Lengths that lie are met before anything is set aside for them.
  EXPECT_EQ(refusal("X\xff\xff\xff\xff"
                    "abc.")
                .code,
            "truncated");
  EXPECT_EQ(refusal(bytes_of({0x8d, 255, 255, 255, 255, 255, 255, 255, 255, 'a', '.'})).code, "truncated");
  EXPECT_EQ(refusal(bytes_of({'T', 255, 255, 255, 255, 'a', '.'})).code, "truncated");
}

}  // namespace
}  // namespace alcove::weights
