#pragma once
// People's names, as they are printed and as they are typed.

#include <string>
#include <string_view>
#include <vector>

namespace alcove::papers {

// "LeCun, Yann" is "Yann LeCun"; "King, Jr., Martin" keeps its suffix last. Without a comma, as it is.
std::string first_last(std::string_view name);

// "Laurens van der Maaten" is family "van der Maaten", given "Laurens"; "LeCun, Yann" says it itself.
struct NameParts {
  std::string given;
  std::string family;
};
NameParts name_parts(std::string_view name);
std::string family_name(std::string_view name);

// A name that was typed, ready to be held against many.
class NameQuery {
 public:
  explicit NameQuery(std::string_view typed);

  // True when the printed name may be the one meant: case and accents do not matter, an initial stands for
  // every name it begins, names in the middle may be missing, and a single word is any of the names in full.
  // "Y. LeCun", "LeCun, Yann" and "lecun" all match "Yann LeCun"; "LeCun" matches no "Yann Le". An OpenReview
  // profile
  // ("~Yann_LeCun1") matches the profile's name.
  bool matches(std::string_view printed) const;
  bool empty() const { return words_.empty(); }

 private:
  std::vector<std::string> words_;  // folded, given names first
};

}  // namespace alcove::papers
