#include "sheets/roster.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace alcove::sheets {
namespace {

Roster roster(std::string_view text) {
  auto read = import_roster(as_bytes(text));
  EXPECT_TRUE(read) << read.error().message;
  return read ? *std::move(read) : Roster{};
}

// "line code" of each finding.
std::vector<std::string> found(const Findings& findings) {
  std::vector<std::string> all;
  for (const auto& each : findings.list) {
    all.push_back(fmt::format("{} {}", each.line, each.code));
    const auto codes = finding_codes();
    EXPECT_NE(std::ranges::find(codes, each.code), codes.end())
        << each.code << " is not in the list of codes";
  }
  return all;
}
using Found = std::vector<std::string>;

TEST(Roster, ReadsTheColumnsItPromises) {
  const auto read =
      roster("register_number,name,subject_code\n212223060100,Anbu K,19AI405\n212223060101,Divya R,\n");
  ASSERT_EQ(read.entries.size(), 2U);
  EXPECT_EQ(read.entries[0].register_number, "212223060100");
  EXPECT_EQ(read.entries[0].name, "Anbu K");
  EXPECT_EQ(read.entries[0].subject_code, "19AI405");
  EXPECT_EQ(read.entries[0].line, 2);
  EXPECT_EQ(read.entries[1].subject_code, "");
  EXPECT_EQ(found(read.findings), Found{});
}

TEST(Roster, ReadsMoodlesGradingWorksheet) {
  const auto read = roster(
      "\xEF\xBB\xBF"
      "Identifier,\"Full name\",\"ID number\",\"Email address\",Status,Grade,\"Maximum Grade\"\n"
      "\"Participant 4711\",\"Anbu K\",212223060100,anbu@example.org,\"No submission\",,100.00\n");
  EXPECT_TRUE(read.from_moodle);
  ASSERT_EQ(read.entries.size(), 1U);
  EXPECT_EQ(read.entries[0].register_number, "212223060100");
  EXPECT_EQ(read.entries[0].name, "Anbu K");
  EXPECT_EQ(read.entries[0].email, "anbu@example.org");
  EXPECT_EQ(read.entries[0].participant, "4711");
}

TEST(Roster, KnowsColumnsByOtherHeadingsAndByTheirPlace) {
  const auto named = roster("Last name;First name;Reg. No.\nK;Anbu;2122-2306 0100\n");
  EXPECT_EQ(named.entries.at(0).name, "Anbu K");
  EXPECT_EQ(named.entries.at(0).register_number, "212223060100");
  EXPECT_EQ(found(named.findings), Found{"2 number_repaired"});

  const auto bare = roster("212223060100,Anbu K\n212223060101,Divya R\n");
  EXPECT_EQ(bare.entries.size(), 2U);
  EXPECT_EQ(found(bare.findings), Found{"0 no_heading"});

  EXPECT_EQ(import_roster(as_bytes("name,grade\nAnbu,1\n")).error().code, "no_number_column");
}

TEST(Roster, SaysWhatIsWrongWithWhichLine) {
  const auto read = roster(
      "register_number,name\n"
      "212223060100,Anbu K\n"               // 2
      "2.12223E+11,Divya R\n"               // 3: a spreadsheet was here
      ",Meena V\n"                          // 4
      "=HYPERLINK(\"x\"),Rahul P\n"         // 5
      "\"=\"\"212223060101\"\"\",Nila B\n"  // 6
      "212223060102.0,=cmd|calc\n"          // 7
      "'212223060103,\n"                    // 8
      "212223060100,Anbu K\n"               // 9
      "212223060100,Arun J\n"               // 10
      "2122230601O?,Sara L\n"               // 11
      "\xE2\x80\x8F"
      "212223060104,Deepa H\n");  // 12
  EXPECT_EQ(found(read.findings),
            (Found{"3 rounded_number", "4 no_number", "5 formula", "6 number_repaired", "7 number_repaired",
                   "7 formula", "8 number_repaired", "8 no_name", "9 duplicate", "10 other_name",
                   "11 not_a_number", "12 invisible_marks"}));
  EXPECT_EQ(read.findings.left_out, 6U);
  ASSERT_EQ(read.entries.size(), 5U);
  EXPECT_EQ(read.entries[1].register_number, "212223060101");
  EXPECT_EQ(read.entries[2].register_number, "212223060102");
  EXPECT_EQ(read.entries[2].name, "=cmd|calc") << "kept as it is: who writes a spreadsheet defuses it";
  EXPECT_EQ(read.entries[4].register_number, "212223060104");
  const auto other = std::ranges::find(read.findings.list, std::string("other_name"), &Finding::code);
  EXPECT_NE(other->message.find("Anbu K"), std::string::npos);
}

TEST(Roster, OnePersonMaySitSeveralSubjects) {
  const auto read =
      roster("register_number,name,subject_code\n2122,Anbu,CS1001\n2122,Anbu,CS1002\n2122,Anbu,cs1001\n");
  EXPECT_EQ(read.entries.size(), 2U);
  EXPECT_EQ(found(read.findings), (Found{"4 number_repaired", "4 duplicate"}));
}

TEST(Roster, WondersAboutALostLeadingZero) {
  std::string text = "register_number,name\n";
  for (int i = 0; i < 20; ++i) text += fmt::format("0122230601{:02},Name\n", i);
  const auto read = roster(text + "12223060120,Short\n");
  EXPECT_EQ(found(read.findings), Found{"22 odd_length"});
  EXPECT_EQ(read.entries.size(), 21U);
}

TEST(Roster, ReadsNamesOfAnyScriptAndDigitsToo) {
  const auto read = roster("register_number,name\n٢١٢٢٢٣٠٦٠١٠٠,\u200Fمحمد علي\u200F\n212223060101,அன்பு\n");
  ASSERT_EQ(read.entries.size(), 2U);
  EXPECT_EQ(read.entries[0].register_number, "212223060100");
  EXPECT_EQ(read.entries[0].name, "محمد علي");
  EXPECT_EQ(read.entries[1].name, "அன்பு");
}

TEST(Roster, TakesAHundredThousandLinesAndCountsWhatItDoesNotList) {
  std::string text = "register_number,name\n";
  for (int i = 0; i < 100'000; ++i) text += fmt::format("2122{:08},Name {}\n", i / 2, i / 2);
  const auto read = roster(text);
  EXPECT_EQ(read.entries.size(), 50'000U);
  EXPECT_EQ(read.findings.left_out, 50'000U);
  EXPECT_EQ(read.findings.list.size(), kMaxFindings);
  EXPECT_EQ(read.findings.unlisted, 50'000U - kMaxFindings);
}

TEST(Roster, ComparedFormLeavesCapitalsAndDigits) {
  EXPECT_EQ(compared_form("19ai-405"), "19AI405");
  EXPECT_EQ(compared_form("２１２２"), "2122");
  EXPECT_EQ(compared_form("२१"), "21");
  EXPECT_EQ(compared_form("21é"), "");
  EXPECT_EQ(compared_form("\xEF\xBC"), "") << "cut within a letter";
  EXPECT_EQ(compared_form(std::string(33, '1')), "");
}

TEST(Roster, TheDocumentHasEveryFindingAndReason) {
  std::ifstream file(ALCOVE_SOURCE_DIR "/docs/roster.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  auto codes = finding_codes();
  for (const auto* reason : {"not_in_roster", "already_taken", "low_margin", "subject_not_listed",
                             "low_subject_margin", "no_register_box", "no_subject_box", "blank_register",
                             "blank_subject", "length_N", "pattern", "check_digit", "low_symbol"})
    codes.emplace_back(reason);
  for (const auto code : codes)
    EXPECT_NE(text.find(fmt::format("`{}`", code)), std::string::npos) << code << " is not in docs/roster.md";
}

TEST(SubjectList, ReadsCodesAndTitles) {
  const auto read = import_subjects(
      as_bytes("subject_code,title\n19AI405,Linear Algebra\nhs4968,Physics\n19AI405,Again\n"));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->subjects.size(), 2U);
  EXPECT_EQ(read->subjects[0].code, "19AI405");
  EXPECT_EQ(read->subjects[0].title, "Linear Algebra");
  EXPECT_EQ(read->subjects[1].code, "HS4968");
  EXPECT_EQ(found(read->findings), (Found{"3 number_repaired", "4 duplicate"}));
  EXPECT_EQ(import_subjects(as_bytes("19AI405\nHS4968\n"))->subjects.size(), 2U);
}

}  // namespace
}  // namespace alcove::sheets
