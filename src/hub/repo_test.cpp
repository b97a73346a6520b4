#include "hub/repo.h"

#include <gtest/gtest.h>

namespace alcove::hub {
namespace {

TEST(Repo, NamesItsPlaces) {
  const auto space = parse_repo("alice/sheet-ml", RepoKind::Space).value();
  EXPECT_EQ(space.owner(), "alice");
  EXPECT_EQ(space.name(), "sheet-ml");
  EXPECT_EQ(space.api_path(), "/api/spaces/alice/sheet-ml");
  EXPECT_EQ(space.page_path(), "/spaces/alice/sheet-ml");
  EXPECT_EQ(space.cache_folder(), "spaces--alice--sheet-ml");
  const auto model = parse_repo("bert-base-uncased", RepoKind::Model).value();
  EXPECT_EQ(model.owner(), "");
  EXPECT_EQ(model.page_path(), "/bert-base-uncased");
}

TEST(Repo, RefusesEveryIllegalShape) {
  for (const std::string id :
       {"", "/", "a/", "/b", "a/b/c", "a b/c", "a/-b", "a/b-", "a/.b", "a--b/c", "a/b..c", "a/b.git",
        "../etc/passwd", "a/b?x", "a/b#c", "a/b%20", "ä/b", "a/b\n", "https://huggingface.co/a/b"})
    EXPECT_FALSE(parse_repo(id, RepoKind::Model)) << id;
  EXPECT_FALSE(parse_repo("a/" + std::string(97, 'x'), RepoKind::Model));
  EXPECT_TRUE(parse_repo("a/" + std::string(96, 'x'), RepoKind::Model));
  EXPECT_FALSE(parse_repo("alone", RepoKind::Space));
}

TEST(RepoPath, StaysInside) {
  for (const char* path :
       {"README.md", "a/b/c.bin", "with blank #1 100%.txt", "ü.md", "..a/b..", ".gitattributes"})
    EXPECT_TRUE(check_path(path)) << path;
  for (const char* path : {"", "/etc/passwd", "../x", "a/../b", "a/..", "a//b", "a/", ".", "C:/x", "a\\..\\b",
                           ".git/config", "a/.git/hooks"})
    EXPECT_FALSE(check_path(path)) << path;
}

}  // namespace
}  // namespace alcove::hub
