#include "papers/names.h"

#include <gtest/gtest.h>

namespace alcove::papers {
namespace {

bool match(std::string_view typed, std::string_view printed) { return NameQuery(typed).matches(printed); }

TEST(FirstLast, TurnsNamesWithCommas) {
  EXPECT_EQ(first_last("LeCun, Yann"), "Yann LeCun");
  EXPECT_EQ(first_last("  Yann   LeCun "), "Yann LeCun");
  EXPECT_EQ(first_last("King, Jr., Martin"), "Martin King Jr.");
  EXPECT_EQ(first_last("Martin King, Jr."), "Martin King Jr.");
  EXPECT_EQ(first_last(","), ",");
}

TEST(NameParts, KeepsParticlesWithTheFamily) {
  EXPECT_EQ(family_name("Laurens van der Maaten"), "van der Maaten");
  EXPECT_EQ(name_parts("Geoffrey E. Hinton").given, "Geoffrey E.");
  EXPECT_EQ(family_name("Martin King Jr."), "King Jr.");
  EXPECT_EQ(family_name("DeepMind"), "DeepMind");
  EXPECT_EQ(name_parts("DeepMind").given, "");
  EXPECT_EQ(family_name(""), "");
}

TEST(NameQuery, KnowsTheWaysToTypeAName) {
  for (const auto* typed : {"Yann LeCun", "yann lecun", "Y. LeCun", "LeCun, Yann", "LeCun, Y.", "lecun",
                            "Yann", "LeCun Yann", "Yann Le Cun", "~Yann_LeCun1"})
    EXPECT_TRUE(match(typed, "Yann LeCun")) << typed;
  EXPECT_TRUE(match("Geoffrey Hinton", "Geoffrey E. Hinton"));
  EXPECT_TRUE(match("G. E. Hinton", "Geoffrey Everest Hinton"));
  EXPECT_TRUE(match("Yann LeCun", "Y. LeCun"));
  EXPECT_TRUE(match("Schmidhuber", "Jürgen Schmidhuber"));
  EXPECT_TRUE(match("Juergen Schmidhuber, ", "Juergen Schmidhuber"));
  EXPECT_TRUE(match("Jürgen Schmidhuber", "Jurgen Schmidhuber"));
  EXPECT_TRUE(match("van der Maaten, L.", "Laurens van der Maaten"));
  EXPECT_TRUE(match("Maaten", "Laurens van der Maaten"));
  EXPECT_TRUE(match("Martin King", "Martin King, Jr."));
  EXPECT_TRUE(match("Li Fei-Fei", "Li Fei-Fei"));
}

TEST(NameQuery, DoesNotTakeOnePersonForAnother) {
  EXPECT_FALSE(match("Samy Bengio", "Yoshua Bengio"));
  EXPECT_FALSE(match("S. Bengio", "Yoshua Bengio"));
  EXPECT_FALSE(match("Bengio, Samy", "Yoshua Bengio"));
  EXPECT_FALSE(match("Y. LeCun", "Yann LeRoy"));
  EXPECT_FALSE(match("Ho", "Jonathan Hoffman"));
  EXPECT_FALSE(match("H", "Jonathan Ho"));
  EXPECT_FALSE(match("", "Jonathan Ho"));
  EXPECT_FALSE(match("Jonathan Ho", ""));
  EXPECT_FALSE(match("\xFF", "\xFF"));
}

}  // namespace
}  // namespace alcove::papers
