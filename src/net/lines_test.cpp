#include "net/lines.h"

#include <gtest/gtest.h>

namespace alcove::net {
namespace {

using Lines = std::vector<std::string>;

// The same text in two pieces, cut at every byte.
void for_each_cut(const std::string& text,
                  const std::function<void(std::string_view, std::string_view)>& look) {
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    look(std::string_view(text).substr(0, cut), std::string_view(text).substr(cut));
}

TEST(Lines, AreTheSameHoweverTheyArrive) {
  for_each_cut("one\r\n\ntwo\nlast", [](std::string_view first, std::string_view second) {
    Lines lines;
    LineSplitter splitter([&](std::string_view line) -> Result<void> {
      lines.emplace_back(line);
      return {};
    });
    ASSERT_TRUE(splitter.add(as_bytes(first)));
    ASSERT_TRUE(splitter.add(as_bytes(second)));
    ASSERT_TRUE(splitter.end());
    EXPECT_EQ(lines, (Lines{"one", "", "two", "last"}));
  });
}

TEST(Lines, HaveALimit) {
  LineSplitter splitter([](std::string_view) -> Result<void> { return {}; }, 4);
  EXPECT_TRUE(splitter.add(as_bytes("1234\n12")));
  EXPECT_FALSE(splitter.add(as_bytes("345")));
}

TEST(Events, AreReadAsTheStandardSays) {
  const std::string stream =
      ": keep-alive\n\ndata: {\"a\":1}\n\nid: 7\nevent: end\ndata: x\ndata:y\nretry: "
      "5\n\ndata:\n\nnothing\n\ndata: cut off";
  for_each_cut(stream, [](std::string_view first, std::string_view second) {
    Lines seen;
    EventReader events([&](const Event& event) -> Result<void> {
      seen.push_back(event.name + "|" + event.data + "|" + event.id);
      return {};
    });
    LineSplitter splitter([&](std::string_view line) { return events.line(line); });
    ASSERT_TRUE(splitter.add(as_bytes(first)));
    ASSERT_TRUE(splitter.add(as_bytes(second)));
    ASSERT_TRUE(splitter.end());
    EXPECT_EQ(seen, (Lines{"message|{\"a\":1}|", "end|x\ny|7", "message||7"}));
  });
}

}  // namespace
}  // namespace alcove::net
