// Any text as the body of a request of Chroma's clients, and its filters held against a record.

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "api/chroma_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  api::Request request;
  request.body = as_text({data, size});
  const auto body = api::chroma_body(request);
  if (!body) return 0;
  static const Json kMetadata{{"a", 1}, {"b", "text"}, {"c", {1, 2}}, {"d", true}, {"e", 0.5}};
  const auto filter = store::RecordFilter::parse(*body, Json());
  if (filter) {
    (void)filter->matches(kMetadata, "a text of graphs");
    (void)filter->matches(Json(), std::nullopt);
  }
  const auto of_text = store::RecordFilter::parse(Json(), *body);
  if (of_text && of_text->matches(Json(), "a text") && of_text->is_everything()) std::abort();
  (void)api::get_request(*body);
  (void)api::query_request(*body, 3);
  (void)api::delete_request(*body);
  for (const auto how : {store::Writing::Add, store::Writing::Update, store::Writing::Upsert})
    if (const auto changes = api::record_changes(*body, how))
      for (const auto& change : *changes)
        if (change.id.empty() || (change.embedding && change.embedding->empty())) std::abort();
  if (const auto made = api::new_collection(*body)) (void)api::changed_collection(*made, *body);
  return 0;
}
