// Any text as a query, as its conditions typed again, and as a name and words to look for.

#include <cstdlib>

#include "base/bytes.h"
#include "papers/names.h"
#include "papers/query.h"
#include "papers/search_words.h"
#include "store/paper_index.h"
#include "store/paper_words.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const auto text = as_text({data, size});
  const auto query = papers::read_query(text);
  if (query)
    for (const auto& condition : query->conditions) {
      const auto again = papers::read_query(papers::to_text(condition));
      if (again && again->conditions.size() > 1) std::abort();
    }
  const auto words = papers::search_words(text);
  (void)papers::nearest_word(text, {{"transform", 2}, {"graph", 1}});
  (void)papers::NameQuery(text).matches(text);
  (void)papers::sentences(text);
  (void)store::with_joined_words(text);
  (void)store::match_expression({.any = words, .all = {std::string(text)}, .without = words});
  return 0;
}
