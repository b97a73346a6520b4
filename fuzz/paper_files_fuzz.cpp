// Any bytes as a file of papers: BibTeX, RIS, CSV, JSON. What is read is written in every format, and its
// JSON is read again.

#include <cstdlib>

#include "papers/export.h"
#include "papers/readers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove::papers;
  using Format = ExportFormat;
  const auto text = alcove::as_text({data, size});
  for (const auto* name : {"x.bib", "x.ris", "x.csv", "x.json"}) {
    const auto read = read_papers(text, name);
    if (!read) continue;
    for (const auto format :
         {Format::JsonLines, Format::Csv, Format::Bibtex, Format::Ris, Format::CslJson, Format::Markdown})
      (void)export_papers(read->papers, format);
    const auto back = read_papers(export_papers(read->papers, Format::Json), "x.json");
    if (!back && !read->papers.empty()) std::abort();
  }
  return 0;
}
