#include "engine/choice.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "engine/device_trouble.h"

namespace alcove::engine {
namespace {

// A runtime whose networks always give the same numbers.
class FakeRuntime : public Runtime {
 public:
  explicit FakeRuntime(std::vector<float> answer = {6, 3, 12, 9}) : answer_(std::move(answer)) {}
  std::string version() const override { return "1"; }
  std::string name() const override { return "fake"; }
  std::string cpu() const override { return "CPU of tests"; }
  bool has_bf16() const override { return false; }
  bool bf16_is_faster() const override { return false; }
  bool has_f16() const override { return false; }
  bool keeps_blobs() const override { return false; }
  std::unique_ptr<Network> network(NetworkSource) override { return std::make_unique<Fake>(answer_); }

 private:
  struct Fake : Network, Compiled, std::enable_shared_from_this<Fake> {
    explicit Fake(std::vector<float> given) : answer(std::move(given)) {}
    Result<std::shared_ptr<Compiled>> compile(std::span<const Shape>) override {
      return std::make_shared<Fake>(answer);
    }
    Result<std::shared_ptr<Compiled>> import_blob(Bytes, std::shared_ptr<const void>) override {
      return fail(ErrorKind::Unsupported, "");
    }
    Result<std::vector<Array>> run(std::span<const Input>) override {
      return std::vector<Array>{{{1, 1, 2, 2}, answer}};
    }
    Result<std::string> write_blob() override { return fail(ErrorKind::Unsupported, ""); }
    std::vector<float> answer;
  };
  std::vector<float> answer_;
};

const CudaDevice kCard{"NVIDIA Fake", 12040, 24'000'000'000};

class Choosing : public testing::Test {
 protected:
  Openers openers(Result<CudaDevice> device, Result<Runtime*> on_cuda) {
    return {[=] { return device; },
            [=, this](Backend backend, Device where) -> Result<Runtime*> {
              opened.emplace_back(backend, where);
              if (where == Device::Cuda) return on_cuda;
              return &cpu;
            }};
  }
  FakeRuntime cpu, cuda;
  std::vector<std::pair<Backend, Device>> opened;
};

TEST_F(Choosing, AutoTakesCudaWhereItWorks) {
  const auto chosen = choose({}, openers(kCard, &cuda));
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(chosen->device, Device::Cuda);
  EXPECT_EQ(chosen->runtime, &cuda);
  EXPECT_EQ(chosen->hardware, "NVIDIA Fake");
  EXPECT_EQ(chosen->reason, "NVIDIA Fake, 24.0 GB, driver for CUDA 12.4");
}

TEST_F(Choosing, WithoutADeviceTheCpuAndNoLibraryIsTried) {
  for (const auto device : {Device::Auto, Device::Cuda}) {
    opened.clear();
    const auto chosen = choose({.device = device}, openers(fail(ErrorKind::Unavailable, "no device"), &cuda));
    ASSERT_TRUE(chosen) << chosen.error().message;
    EXPECT_EQ(chosen->device, Device::Cpu);
    EXPECT_EQ(chosen->reason, "no device");
    EXPECT_EQ(chosen->hardware, "CPU of tests");
    EXPECT_EQ(opened, (std::vector{std::pair{Backend::OpenVino, Device::Cpu}}));
  }
}

TEST_F(Choosing, AProviderThatDoesNotStartLeavesTheCpu) {
  const auto chosen = choose({}, openers(kCard, fail(ErrorKind::Unavailable, "libcudnn.so.9 is missing")));
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(chosen->device, Device::Cpu);
  EXPECT_EQ(chosen->reason, "libcudnn.so.9 is missing");
}

TEST_F(Choosing, ADeviceThatCountsWrongIsNotUsed) {
  FakeRuntime wrong({6, 3, 12, 9.5});
  const auto chosen = choose({.device = Device::Cuda}, openers(kCard, &wrong));
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(chosen->device, Device::Cpu);
  EXPECT_EQ(chosen->reason, "NVIDIA Fake: a small network gave wrong numbers there");
}

TEST_F(Choosing, WhatIsAskedForIsTaken) {
  const auto chosen = choose({Device::Cpu, Backend::OnnxRuntime}, openers(kCard, &cuda));
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->reason, "asked for");
  EXPECT_EQ(opened, (std::vector{std::pair{Backend::OnnxRuntime, Device::Cpu}}));
  EXPECT_EQ(choose({Device::Auto, Backend::OpenVino}, openers(kCard, &cuda))->device, Device::Cpu);
  EXPECT_EQ(choose({Device::Cuda, Backend::OpenVino}, openers(kCard, &cuda)).error().kind,
            ErrorKind::BadInput);
}

// The driver, played by fake_cuda.cpp.
class Driver : public testing::Test {
 protected:
  ~Driver() override {
    for (const auto* name : {"FAKE_CUDA_VERSION", "FAKE_CUDA_INIT", "FAKE_CUDA_DEVICES"}) ::unsetenv(name);
  }
  static std::string trouble(const CudaFiles& files) {
    const auto found = find_cuda_device(files);
    EXPECT_FALSE(found);
    return found ? "" : found.error().message;
  }
  static std::string trouble_with(const char* name, const char* value) {
    ::setenv(name, value, 1);
    auto message = trouble(kFake);
    ::unsetenv(name);
    return message;
  }
  static inline const CudaFiles kFake{.control = "/dev/null", .library = ALCOVE_FAKE_CUDA};
};

TEST_F(Driver, FindsTheFirstDevice) {
  const auto found = find_cuda_device(kFake);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->name, "NVIDIA Fake");
  EXPECT_EQ(found->cuda, 12040);
  EXPECT_EQ(found->memory, 24'000'000'000U);
}

TEST_F(Driver, SaysWhatIsMissing) {
  EXPECT_EQ(trouble({.control = "/dev/no-such-card"}), "no NVIDIA device: /dev/no-such-card is not there");
  EXPECT_NE(trouble({.control = "/dev/null", .library = "libno-such-cuda.so"})
                .find("cannot be opened; the container"),
            std::string::npos);
  EXPECT_EQ(trouble({.control = "/dev/null", .library = "libc.so.6"}),
            "libc.so.6 is not the NVIDIA driver's library");
  EXPECT_EQ(trouble_with("FAKE_CUDA_VERSION", "11040"),
            "the NVIDIA driver serves CUDA 11.4 and 12.0 is needed; update the driver");
  EXPECT_NE(trouble_with("FAKE_CUDA_INIT", "100").find("sees no device"), std::string::npos);
  EXPECT_NE(trouble_with("FAKE_CUDA_INIT", "999").find("(error 999); see nvidia-smi"), std::string::npos);
  EXPECT_NE(trouble_with("FAKE_CUDA_DEVICES", "0").find("sees no device"), std::string::npos);
}

TEST(DeviceTrouble, IsToldFromTheModels) {
  const std::map<std::string, Trouble> said{
      {"Non-zero status code returned while running Conv node. CUDA failure 2: out of memory ; GPU=0",
       Trouble::Full},
      {"BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 1",
       Trouble::Full},
      {"CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED", Trouble::Full},
      {"CUDA failure 700: an illegal memory access was encountered", Trouble::Lost},
      {"CUDNN failure 5000: CUDNN_STATUS_EXECUTION_FAILED", Trouble::Lost},
      {"Attempting to broadcast an axis by a dimension other than 1. 4 by 3", Trouble::None}};
  for (const auto& [message, trouble] : said) EXPECT_EQ(trouble_in(message), trouble) << message;
}

}  // namespace
}  // namespace alcove::engine
