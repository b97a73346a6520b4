#pragma once
// Text as people look for it: the same letters whatever their case, accents or width. Home of utf8proc.
// Bytes that are not UTF-8 are read as U+FFFD; nothing here fails.

#include <string>
#include <string_view>
#include <vector>

namespace alcove::text {

// Lower case, without accents, in compatibility form: "Łukasz Müller" is "lukasz muller", "ﬁ" is "fi".
std::string fold(std::string_view utf8);

// The runs of letters and digits of a folded text: "Self-Supervised  U-Net++" gives self, supervised, u, net.
// An apostrophe inside a word is left out: "Müller's" gives mullers.
std::vector<std::string> folded_words(std::string_view utf8);

std::string decompose(std::string_view utf8);  // NFD: a letter, then its accents
std::string compose(std::string_view utf8);    // NFC

// Characters, not bytes; what is not UTF-8 counts one each byte.
std::size_t length(std::string_view utf8);

}  // namespace alcove::text
