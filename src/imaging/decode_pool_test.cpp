// The pool against files that take over the worker that opens them: this program is its own keeper, with a
// decoder that does what the file says.

#include "imaging/decode_pool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <map>
#include <thread>

#include "imaging/decode_messages.h"
#include "imaging/encode_jpeg.h"
#include "imaging/golden.h"
#include "imaging/pdf_testing.h"

namespace alcove::imaging {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// ---- inside the worker ----

constexpr int kSocket = 3, kMemory = 4;
pid_t keeper_process = 0;

Error outcome(bool refused) {
  return {ErrorKind::Unreadable, "this was tried", refused ? "refused" : "succeeded"};
}
Error said(std::string message) { return {ErrorKind::Unreadable, std::move(message), "said"}; }

bool send_reply(const std::string& message, int flags = 0) {
  iovec part{const_cast<char*>(message.data()), message.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  return ::sendmsg(kSocket, &header, flags) >= 0;
}

int deepen(int depth) {
  volatile char room[4096] = {};
  room[0] = static_cast<char>(depth);
  return depth < 0 ? room[0] : deepen(depth + 1) + room[0];
}

bool mark_left = false;

const std::map<std::string_view, Error (*)(Bytes)> kAttacks{
    {"open a file", [](Bytes) { return outcome(::open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0); }},
    {"open by another call",
     [](Bytes) {
       return outcome(::syscall(SYS_open, "/etc/passwd", O_RDONLY) < 0 &&
                      ::syscall(SYS_openat2, -100, "/etc/passwd", nullptr, 0) < 0);
     }},
    {"write a file", [](Bytes) { return outcome(::creat("/tmp/alcove-was-here", 0600) < 0); }},
    {"list a folder", [](Bytes) { return outcome(::access("/", R_OK) < 0 && ::chdir("/") < 0); }},
    {"connect", [](Bytes) { return outcome(::socket(AF_INET, SOCK_STREAM, 0) < 0); }},
    {"connect on this machine", [](Bytes) { return outcome(::socket(AF_UNIX, SOCK_STREAM, 0) < 0); }},
    {"connect the socket it has",
     [](Bytes) {
       const sockaddr_un where{.sun_family = AF_UNIX, .sun_path = "/run/x"};
       return outcome(::connect(kSocket, reinterpret_cast<const sockaddr*>(&where), sizeof where) < 0 &&
                      errno == EPERM);
     }},
    {"fork", [](Bytes) { return outcome(::fork() < 0); }},
    {"fork by another call",
     [](Bytes) {
       return outcome(::syscall(SYS_vfork) < 0 && ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 &&
                      ::syscall(SYS_clone3, nullptr, 0) < 0);
     }},
    {"exec",
     [](Bytes) {
       ::execl("/bin/true", "true", nullptr);
       return outcome(errno == EPERM);
     }},
    {"kill the keeper",
     [](Bytes) { return outcome(::kill(keeper_process, SIGKILL) < 0 && ::kill(-1, 0) < 0); }},
    {"trace the keeper",
     [](Bytes) { return outcome(::ptrace(PTRACE_ATTACH, keeper_process, nullptr, nullptr) < 0); }},
    {"run what it wrote",
     [](Bytes) {
       void* memory =
           ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       void* plain = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       return outcome(memory == MAP_FAILED && ::mprotect(plain, 4096, PROT_READ | PROT_EXEC) < 0);
     }},
    {"shrink the memory", [](Bytes) { return outcome(::ftruncate(kMemory, 0) < 0); }},
    {"take page memory away",
     [](Bytes) {
       auto lent = unwritten_image(2300, 2300, 3);
       return outcome(::madvise(lent.pixels.data(), 4096, MADV_REMOVE) < 0);
     }},
    {"read the environment",
     [](Bytes) { return outcome(std::getenv("ALCOVE_TOKEN") == nullptr && std::getenv("HOME") == nullptr); }},
    {"name the keeper", [](Bytes) { return said(std::to_string(keeper_process)); }},
    {"leave a mark",
     [](Bytes) {
       mark_left = true;
       return said("left");
     }},
    {"look for a mark", [](Bytes) { return said(mark_left ? "found" : "none"); }},
    {"find other descriptors",
     [](Bytes) {
       int others = 0;
       for (int number = kMemory + 1; number < 1024; ++number) others += ::close(number) == 0 ? 1 : 0;
       return said(fmt::format("{} others", others));
     }},
    {"crash",
     [](Bytes) {
       *static_cast<volatile int*>(nullptr) = 1;
       return outcome(false);
     }},
    {"abort", [](Bytes) -> Error { std::abort(); }},
    {"throw", [](Bytes) -> Error { throw 5; }},
    {"leave", [](Bytes) -> Error { ::_exit(0); }},
    {"overflow the stack", [](Bytes) { return outcome(deepen(0) == 1); }},
    {"allocate without end",
     [](Bytes) {
       for (;;) std::fill_n(new char[1 << 24], 1 << 24, 'x');
       return outcome(false);
     }},
    {"allocate more than there is",
     [](Bytes) {
       const volatile std::size_t much = 1ULL << 40;
       return outcome(*new char[much] == 1);
     }},
    {"spin",
     [](Bytes) {
       const std::atomic<bool> forever = true;
       while (forever) {}
       return outcome(false);
     }},
    {"sleep",
     [](Bytes) {
       std::this_thread::sleep_for(1h);
       return outcome(false);
     }},
    {"reply with rubbish",
     [](Bytes) {
       send_reply("rubbish");
       return outcome(false);
     }},
    {"reply at length",
     [](Bytes) {
       send_reply(std::string(100'000, 'p'));
       return outcome(false);
     }},
    {"reply with a page that is not there",
     [](Bytes) {
       send_reply(to_message(PageAt{.address = 1ULL << 40, .width = 100, .height = 100, .pages = 1}));
       return outcome(false);
     }},
    {"reply with a page that is too large",
     [](Bytes) {
       send_reply(to_message(PageAt{.address = 0, .width = 30'000, .height = 30'000, .pages = 1}));
       return outcome(false);
     }},
    {"reply with what was not asked for",
     [](Bytes) {
       send_reply(to_message(CutAt{.address = 1ULL << 40, .bytes = 100, .pages = 1}));
       return outcome(false);
     }},
    {"reply as the keeper",
     [](Bytes) {
       send_reply(to_message(WorkerStarted{1}));
       return outcome(false);
     }},
    {"reply with a page and end",
     [](Bytes) -> Error {
       send_reply(to_message(PageAt{.address = 1ULL << 40, .width = 100, .height = 100, .pages = 1}));
       ::_exit(0);
     }},
    {"reply with a page that its memory has no room for",
     [](Bytes) {
       send_reply(to_message(PageAt{.address = kInPageMemory, .width = 3000, .height = 3000, .pages = 1}));
       return outcome(false);
     }},
    {"look at the page memory",
     [](Bytes) {
       const auto lent = unwritten_image(2300, 2300, 3);
       return said(std::ranges::all_of(lent.pixels, [](int value) { return value == 0; }) ? "clear"
                                                                                          : "another's page");
     }},
    {"reply with a page and go on writing",
     [](Bytes) {
       auto lent = unwritten_image(2300, 2300, 3);
       send_reply(to_message(PageAt{.address = kInPageMemory, .width = 100, .height = 100, .pages = 1}));
       for (volatile std::uint8_t* pixel = lent.pixels.data();;)
         *pixel = static_cast<std::uint8_t>(*pixel + 1);
       return outcome(false);
     }},
    {"reply with a page and fill the socket",
     [](Bytes) -> Error {
       send_reply(to_message(PageAt{.address = kInPageMemory, .width = 100, .height = 100, .pages = 1}));
       while (send_reply("more", MSG_DONTWAIT)) {}
       ::_exit(0);
     }},
    {"reply with nothing",
     [](Bytes) {
       send_reply("");
       return outcome(false);
     }},
    {"reply many times",
     [](Bytes) {
       for (int i = 0; i < 5; ++i) send_reply(to_message(WorkerReply(said("again"))));
       return outcome(false);
     }},
    {"write over the file",
     [](Bytes file) {
       const_cast<std::uint8_t*>(file.data())[0] = 0;
       return outcome(false);
     }},
};

Result<Page> decode_or_attack(Bytes bytes, const DecodeOptions& options) {
  constexpr std::string_view kMark = "attack: ";
  const auto text = as_text(bytes);
  if (!text.starts_with(kMark)) return decode_page(bytes, options);
  return std::unexpected(kAttacks.at(text.substr(kMark.size()))(bytes));
}

// ---- outside ----

bool granted(DecodePool& pool, std::string_view limit) {
  while (!pool.status().granted) std::this_thread::sleep_for(1ms);
  const auto bit = std::ranges::find(kLimitNames, limit) - kLimitNames.begin();
  return *pool.status().granted >> bit & 1;
}

class Attacked : public testing::Test {
 protected:
  static PoolSettings settings() { return {.workers = 2, .keeper = kTestKeeper}; }

  // The code, or what was said.
  static std::string attack(DecodePool& pool, std::string_view what) {
    const auto page = pool.page(as_bytes("attack: " + std::string(what)), {});
    if (page) return "a page";
    return page.error().code == "said" ? page.error().message : page.error().code;
  }
  static void expect_to_work(DecodePool& pool) {
    const auto file = golden("images/rgb.png");
    const auto here = decode_page(file);
    for (int i = 0; i < 3; ++i) {
      const auto there = pool.page(file, {});
      ASSERT_TRUE(there) << there.error().message;
      EXPECT_EQ(there->image.pixels, here->image.pixels);
    }
  }
};

TEST_F(Attacked, EveryLimitIsTriedAtTheStart) {
  DecodePool pool(settings());
  for (const auto limit : kLimitNames)
    if (!granted(pool, limit)) std::printf("this host does not grant: %s\n", std::string(limit).c_str());
  EXPECT_TRUE(granted(pool, "no_core"));
  EXPECT_EQ(pool.status().workers, 2);
  EXPECT_EQ(pool.status().lost, 0u);
}

TEST_F(Attacked, WhatAWorkerMayNotDoIsRefused) {
  ::setenv("ALCOVE_TOKEN", "a secret", 1);
  DecodePool pool(settings());
  EXPECT_EQ(attack(pool, "read the environment"), "refused");
  EXPECT_EQ(attack(pool, "find other descriptors"), "0 others");
  if (!granted(pool, "seccomp")) GTEST_SKIP() << "this host has no system call filter";
  for (const auto* what : {"open a file", "open by another call", "write a file", "list a folder", "connect",
                           "connect on this machine", "connect the socket it has", "fork",
                           "fork by another call", "exec", "kill the keeper", "trace the keeper",
                           "run what it wrote", "shrink the memory", "take page memory away"})
    EXPECT_EQ(attack(pool, what), "refused") << what;
  EXPECT_EQ(pool.status().lost, 0u);
  expect_to_work(pool);
}

TEST_F(Attacked, AWorkerThatBreaksIsTheFilesFault) {
  DecodePool pool(settings());
  std::uint64_t lost = 0;
  for (const auto* what : {"crash", "abort", "throw", "leave", "overflow the stack"}) {
    EXPECT_EQ(attack(pool, what), "damaged") << what;
    EXPECT_EQ(pool.status().lost, ++lost);
  }
  expect_to_work(pool);
}

TEST_F(Attacked, PagesAreCutInAWorkerToo) {
  for (const bool may_look : {true, false}) {
    auto how = settings();
    how.may_look = may_look;
    DecodePool pool(how);
    const auto file = one_page("0 0 200 100", "", "0 g");
    const auto cut = pool.cut(file, {});
    ASSERT_TRUE(cut) << cut.error().message;
    EXPECT_EQ(cut->pages, 1);
    EXPECT_EQ(decode_page(as_bytes(cut->document))->image.width, decode_page(file)->image.width);
    EXPECT_EQ(pool.cut(as_bytes(std::string_view("attack: leave")), {}).error().code, "no_pdf");
    expect_to_work(pool);
  }
}

TEST_F(Attacked, MemoryWithoutEndEnds) {
  auto small = settings();
  small.limits = {.memory = 1ULL << 30, .cpu_seconds = 100};
  small.longest_page = 10min;
  DecodePool pool(small);
  if (!granted(pool, "memory")) GTEST_SKIP() << "memory cannot be limited here";
  EXPECT_EQ(attack(pool, "allocate without end"), "too_much_memory");
  EXPECT_EQ(attack(pool, "allocate more than there is"), "too_much_memory");
  expect_to_work(pool);
}

TEST_F(Attacked, TimeWithoutEndEnds) {
  auto hasty = settings();
  hasty.longest_page = 500ms;
  DecodePool pool(hasty);
  EXPECT_EQ(attack(pool, "spin"), "too_slow");
  EXPECT_EQ(attack(pool, "sleep"), "too_slow");
  EXPECT_EQ(pool.status().lost, 2u);

  auto patient = settings();
  patient.longest_page = 10min;
  patient.limits.cpu_seconds = 1;
  DecodePool other(patient);
  EXPECT_EQ(attack(other, "spin"), "too_slow");
  expect_to_work(other);
}

TEST_F(Attacked, RepliesAreNotBelieved) {
  DecodePool pool(settings());
  for (const auto* what :
       {"reply with rubbish", "reply at length", "reply with a page that is not there",
        "reply with what was not asked for", "reply with a page that is too large", "reply as the keeper",
        "reply with a page and end", "reply with a page that its memory has no room for"})
    EXPECT_EQ(attack(pool, what), "damaged") << what;
  EXPECT_EQ(attack(pool, "reply many times"), "again");
  EXPECT_EQ(attack(pool, "write over the file"), "damaged");
  expect_to_work(pool);
}

TEST_F(Attacked, NothingOfOneFileIsLeftForTheNext) {
  auto one = settings();
  one.workers = 1;
  DecodePool pool(one);
  EXPECT_EQ(attack(pool, "leave a mark"), "left");
  EXPECT_EQ(attack(pool, "look for a mark"), "none");
}

TEST_F(Attacked, NoPageIsLeftForTheNextWorker) {
  auto one = settings();
  one.workers = 1;
  DecodePool pool(one);
  const auto file = golden("pages/a4.png");
  for (int i = 0; i < 2; ++i) {
    // While the second is opened, the worker after it is lent the memory of the first.
    EXPECT_TRUE(pool.page(file, {}));
    EXPECT_TRUE(pool.page(file, {}));
    EXPECT_EQ(attack(pool, "look at the page memory"), "clear");
  }
}

// It may spoil its own page; the pages after it lie elsewhere for as long as it lives.
TEST_F(Attacked, AWorkerThatGoesOnWritingReachesNoOtherPage) {
  auto one = settings();
  one.workers = 1;
  DecodePool pool(one);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(attack(pool, "reply with a page and go on writing"), "a page");
    expect_to_work(pool);
  }
}

TEST_F(Attacked, AFullSocketHoldsNobodyUp) {
  DecodePool pool(settings());
  const auto page =
      pool.page(as_bytes(std::string_view("attack: reply with a page and fill the socket")), {});
  EXPECT_TRUE(page);
  expect_to_work(pool);
  EXPECT_EQ(attack(pool, "reply with a page and fill the socket"), "a page");
}

TEST_F(Attacked, AnotherKeeperTakesOver) {
  DecodePool pool(settings());
  for (int round = 0; round < 2; ++round) {
    const int keeper = std::stoi(attack(pool, "name the keeper"));
    ASSERT_GT(keeper, 1);
    ASSERT_EQ(::kill(keeper, SIGKILL), 0);
    expect_to_work(pool);
    EXPECT_NE(std::stoi(attack(pool, "name the keeper")), keeper);
  }
  EXPECT_TRUE(granted(pool, "no_core"));
}

TEST_F(Attacked, NobodyElseNotices) {
  DecodePool pool({.workers = 3, .keeper = kTestKeeper});
  const auto file = golden("images/420.jpg");
  const auto expected = decode_page(file);
  std::atomic<int> right{0};
  {
    std::vector<std::jthread> threads;
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) EXPECT_EQ(attack(pool, i % 2 ? "crash" : "reply with rubbish"), "damaged");
    });
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&] {
        for (int round = 0; round < 20; ++round) {
          const auto page = pool.page(file, {});
          right += page && page->image.pixels == expected->image.pixels ? 1 : 0;
        }
      });
  }
  EXPECT_EQ(right, 60);
}

TEST_F(Attacked, NoProcessIsLeftBehind) {
  int keeper = 0;
  {
    DecodePool pool(settings());
    keeper = std::stoi(attack(pool, "name the keeper"));
    std::jthread waits([&] { attack(pool, "leave"); });
  }
  EXPECT_EQ(::kill(keeper, 0), -1) << "the keeper runs on";
}

// ---- ordinary files ----

TEST(DecodePool, OpensWhatDecodePageOpens) {
  DecodePool pool({.keeper = kTestKeeper});
  const auto cases = golden_pictures();
  ASSERT_GE(cases.size(), 30u);
  for (const auto& picture : cases) {
    const auto file = golden(picture.file);
    const auto here = decode_page(file), there = pool.page(file, {});
    ASSERT_TRUE(here && there) << picture.file;
    EXPECT_EQ(there->image.width, here->image.width) << picture.file;
    EXPECT_EQ(there->pages, here->pages) << picture.file;
    EXPECT_TRUE(there->image.pixels == here->image.pixels) << picture.file;
  }
}

double ink_of(const Image& image) {
  return static_cast<double>(std::ranges::count_if(image.pixels, [](int value) { return value < 128; }));
}

// Rather than open a font, which it may not, a worker draws with those inside the library, as we do here.
TEST(DecodePool, DrawsTextInFontsThatThePdfLacks) {
  DecodePool pool({.keeper = kTestKeeper});
  for (const char* font : {"Helvetica", "Times-Roman", "Courier-Bold", "Arial", "DejaVuSans", "Unheard-Of"}) {
    const auto pdf =
        pdf_of({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 60] /Contents 4 0 R /Resources "
                            "<< /Font << /F << "
                            "/Type /Font /Subtype /TrueType /BaseFont /{} >> >> >> >>",
                            font),
                "<< /Length 47 >>\nstream\nBT /F 24 Tf 9 20 Td (Register 212223104) Tj ET  \nendstream"});
    const auto here = decode_page(pdf), there = pool.page(pdf, {});
    ASSERT_TRUE(here && there) << font;
    // Not every pixel: what PDFium made of the last unknown font shows a little in the next one's width.
    const double ink = ink_of(there->image), ink_here = ink_of(here->image);
    EXPECT_GT(ink, 6000) << font;
    EXPECT_NEAR(ink / ink_here, 1, 0.05) << font;
  }
}

TEST(DecodePool, OpensHeicWithItsThreads) {
  DecodePool pool({.keeper = kTestKeeper});
  const auto file = testdata("four_corners.heic");
  const auto here = decode_page(file), there = pool.page(file, {});
  ASSERT_EQ(here.has_value(), there.has_value()) << (there ? "" : there.error().message);
  if (here) {
    EXPECT_TRUE(there->image.pixels == here->image.pixels);
  }
}

TEST(DecodePool, PassesErrorsAndOptionsOn) {
  DecodePool pool({.keeper = kTestKeeper});
  EXPECT_EQ(pool.page(as_bytes("no picture"), {}).error().code, "unknown_format");
  EXPECT_EQ(pool.page({}, {}).error().code, "empty_file");
  const auto locked = testdata("locked.pdf");
  const auto refused = pool.page(locked, {});
  EXPECT_EQ(refused.error().code, "pdf_encrypted");
  EXPECT_EQ(refused.error().kind, ErrorKind::Unreadable);
  DecodeOptions options{.limits = {}, .password = "sheet", .page = 0, .dpi = 72};
  const auto opened = pool.page(locked, options);
  ASSERT_TRUE(opened) << opened.error().message;
  expect_four_corners(opened->image, 0);
  options.page = 7;
  EXPECT_EQ(pool.page(locked, options).error().code, "no_such_page");
  EXPECT_EQ(pool.status().lost, 0u);
}

// More than a worker is lent memory for; the worker keeps it, to be fetched.
TEST(DecodePool, TakesPagesThatAreLargerThanWhatItLends) {
  const auto file = encode_jpeg(make_image(3000, 2000, 3, 77), 90);
  ASSERT_TRUE(file);
  const auto here = decode_page(as_bytes(*file));
  ASSERT_GT(here->image.pixels.size(), PageMemory::kBytes);
  for (const bool may_look : {true, false}) {
    DecodePool pool({.may_look = may_look, .keeper = kTestKeeper});
    for (int round = 0; round < 3; ++round) {
      const auto there = pool.page(as_bytes(*file), {});
      ASSERT_TRUE(there) << there.error().message;
      EXPECT_TRUE(there->image.pixels == here->image.pixels);
    }
    EXPECT_EQ(pool.status().lost, 0u);
  }
}

TEST(DecodePool, PagesOutliveIt) {
  const auto file = golden("images/420.jpg");
  std::vector<Page> pages;
  {
    DecodePool pool({.keeper = kTestKeeper});
    for (int i = 0; i < 6; ++i) pages.push_back(*pool.page(file, {}));
  }
  const auto here = decode_page(file);
  for (const auto& page : pages) EXPECT_TRUE(page.image.pixels == here->image.pixels);
}

}  // namespace
}  // namespace alcove::imaging

int main(int count, char** words) {
  if (count == 2 && std::string_view(words[1]) == alcove::imaging::kTestKeeper) {
    alcove::imaging::keeper_process = ::getpid();
    return alcove::imaging::keep_decode_workers(alcove::imaging::decode_or_attack);
  }
  testing::InitGoogleTest(&count, words);
  return RUN_ALL_TESTS();
}
