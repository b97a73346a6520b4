#include "papers/latex.h"

#include <gtest/gtest.h>

namespace alcove::papers {
namespace {

TEST(ToLatex, EscapesWhatLatexWouldRun) {
  EXPECT_EQ(to_latex("50% of R&D_x #1 {a} ~^\\"),
            "50\\% of R\\&D\\_x \\#1 {\\textbraceleft}a{\\textbraceright} "
            "\\textasciitilde{}\\textasciicircum{}\\textbackslash{}");
  EXPECT_EQ(to_latex("Jürgen Đ Łukasz Çelik Erdős naïve"),
            "J{\\\"u}rgen Đ {\\L}ukasz {\\c C}elik Erd{\\H o}s na{\\\"\\i}ve");
  EXPECT_EQ(to_latex("costs $5"), "costs \\$5");
  EXPECT_EQ(to_latex("an $\\ell_2$ norm & $x^2$"), "an $\\ell_2$ norm \\& $x^2$");
}

TEST(ToLatexTitle, KeepsCapitalsThatMatter) {
  EXPECT_EQ(to_latex_title("BERT: Pre-training of GANs and U-Net for A Task"),
            "{BERT:} Pre-training of {GANs} and {U-Net} for A Task");
}

TEST(FromLatex, ReadsAccentsAndDropsBraces) {
  EXPECT_EQ(from_latex("{J{\\\"u}rgen} \\'{e} \\c{c} \\c c {\\ss} \\o{} na\\\"\\i ve"),
            "Jürgen é ç ç ß ø naïve");
  EXPECT_EQ(from_latex("R\\&D 5\\%~off \\emph{now} $a_b$"), "R&D 5% off now $a_b$");
  EXPECT_EQ(from_latex("\\"), "\\");
  EXPECT_EQ(from_latex("\\\""), "\"");
  EXPECT_EQ(from_latex("$open"), "$open");
}

TEST(FromLatex, UndoesToLatex) {
  for (const auto* text :
       {"Jürgen Łukasz Çelik Erdős", "50% of R&D_x #1 {a} ~^\\ x", "an $\\ell_2$ norm", "Ångström ß"})
    EXPECT_EQ(from_latex(to_latex(text)), text);
}

}  // namespace
}  // namespace alcove::papers
