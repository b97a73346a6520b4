#pragma once
// Text as BibTeX and LaTeX want it, and back.

#include <string>
#include <string_view>

namespace alcove::papers {

// What LaTeX takes for commands is escaped, accented Latin letters become commands, $…$ stays as it is when
// its dollars pair up. Other letters stay UTF-8.
std::string to_latex(std::string_view text);

// The same for a title: words whose capitals matter ("BERT", "GANs", "U-Net") are braced, since styles write
// titles in lower case.
std::string to_latex_title(std::string_view title);

// {\"u}, \"{u}, \'e, \ss, \c{c}, \& and braces as plain text; commands that are not known lose their
// backslash's name and keep their argument. $…$ stays.
std::string from_latex(std::string_view latex);

}  // namespace alcove::papers
