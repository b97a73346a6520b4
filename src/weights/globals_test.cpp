#include "weights/globals.h"

#include <gtest/gtest.h>

namespace alcove::weights {
namespace {

std::string accepted(std::string_view module, std::string_view name) {
  const auto full = accept_name(module, name);
  return full ? *full : "refused: " + full.error().message;
}

bool refused(std::string_view module, std::string_view name) {
  const auto full = accept_name(module, name);
  if (full) return false;
  EXPECT_EQ(full.error().code, "unsafe_pickle");
  // The owner has to learn which name it was.
  EXPECT_NE(full.error().message.find(name), std::string::npos);
  return true;
}

TEST(AcceptName, TakesWhatCheckpointsHold) {
  EXPECT_EQ(accepted("collections", "OrderedDict"), "collections.OrderedDict");
  EXPECT_EQ(accepted("torch._utils", "_rebuild_tensor_v2"), "torch._utils._rebuild_tensor_v2");
  EXPECT_EQ(accepted("ultralytics.nn.modules.block", "C2f"), "ultralytics.nn.modules.block.C2f");
  EXPECT_EQ(accepted("models.yolo", "DetectionModel"), "models.yolo.DetectionModel");
  EXPECT_EQ(accepted("numpy.core.multiarray", "scalar"), "numpy.core.multiarray.scalar");
  EXPECT_EQ(accepted("pathlib", "PosixPath"), "pathlib.PosixPath");
  EXPECT_EQ(accepted("argparse", "Namespace"), "argparse.Namespace");
  EXPECT_EQ(accepted("__main__", "Config"), "__main__.Config");
  EXPECT_EQ(accepted("mylab.system.settings", "Train"), "mylab.system.settings.Train");
}

TEST(AcceptName, KnowsPythonTwosModules) {
  EXPECT_EQ(accepted("__builtin__", "set"), "builtins.set");
  EXPECT_EQ(accepted("copy_reg", "_reconstructor"), "copyreg._reconstructor");
  EXPECT_TRUE(refused("__builtin__", "eval"));
}

TEST(AcceptName, RefusesWhatCouldRunACommand) {
  for (const auto* module : {"os", "posix", "nt", "commands"})
    EXPECT_TRUE(refused(module, "system")) << module;
  EXPECT_TRUE(refused("subprocess", "Popen"));
  EXPECT_TRUE(refused("builtins", "eval"));
  EXPECT_TRUE(refused("builtins", "exec"));
  EXPECT_TRUE(refused("builtins", "__import__"));
  EXPECT_TRUE(refused("builtins", "open"));
  EXPECT_TRUE(refused("runpy", "run_path"));
  EXPECT_TRUE(refused("pickle", "loads"));
  EXPECT_TRUE(refused("webbrowser", "open"));
  EXPECT_TRUE(refused("operator", "methodcaller"));
  EXPECT_TRUE(refused("functools", "reduce"));
  EXPECT_TRUE(refused("_posixsubprocess", "fork_exec"));
  EXPECT_TRUE(refused("pip._internal", "main"));
}

TEST(AcceptName, RefusesDetoursThroughTrustedPackages) {
  EXPECT_TRUE(refused("torch.serialization", "os.system"));
  EXPECT_TRUE(refused("torch", "serialization.os.system"));
  EXPECT_TRUE(refused("numpy.testing._private.utils", "runstring"));
  EXPECT_TRUE(refused("torch.hub", "load"));
  EXPECT_TRUE(refused("torch.utils.cpp_extension", "load_inline"));
  EXPECT_TRUE(refused("collections", "OrderedDict.__init__.__globals__"));
  EXPECT_TRUE(refused("__main__", "sys.modules"));
}

TEST(AcceptName, RefusesWhatIsNoName) {
  for (const auto* name : {"", "a b", "line\nbreak", "\x1b[31m"}) {
    const auto full = accept_name("torch", name);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, "damaged");
  }
  EXPECT_FALSE(accept_name("torch", std::string(1001, 'x')));
}

TEST(AcceptCall, KnowsFunctionsFromClasses) {
  EXPECT_TRUE(accept_call("torch._utils._rebuild_parameter"));
  EXPECT_TRUE(accept_call("numpy.core.multiarray._reconstruct"));
  EXPECT_TRUE(accept_call("builtins.set"));
  EXPECT_TRUE(accept_call("__main__.Colour"));
  EXPECT_TRUE(accept_call("mylab._Colour"));
  const auto call = accept_call("__main__.set_up");
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().code, "unsafe_pickle");
  EXPECT_NE(call.error().message.find("calls __main__.set_up"), std::string::npos);
  EXPECT_FALSE(accept_call("mylab.__reduce__"));
  EXPECT_FALSE(accept_call("mylab.__"));
}

}  // namespace
}  // namespace alcove::weights
