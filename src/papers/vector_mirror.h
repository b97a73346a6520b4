#pragma once
// The vectors of an index, held and compared by a Chroma server: `--store chroma://…`. The index file keeps
// what was computed, and the server's collection is filled from it; so it may be away, lose everything or be
// replaced, and nothing is embedded twice. This process then keeps no vectors in memory.

#include <filesystem>
#include <memory>
#include <shared_mutex>
#include <stop_token>

#include "papers/chroma_server.h"
#include "papers/paper_vectors.h"

namespace alcove::papers {

// One for a process and a collection. Safe from any thread; fill() by one at a time.
class VectorMirror {
 public:
  explicit VectorMirror(ChromaAddress address) : address_(std::move(address)) {}

  // Makes the collection hold the vectors of this index file and no others: what is missing or was made of
  // another text is sent, what is too much taken out. What is there is found meanwhile. Unavailable when
  // `stop` ended it.
  Result<void> fill(const std::filesystem::path& index, const std::stop_token& stop);

  bool is_away() const;         // nothing is found; fill() looks again
  std::string why_not() const;  // as PaperVectors::why_not
  std::size_t held() const;     // records that are there
  const std::string& address() const { return address_.url; }

  Result<std::vector<ChromaNear>> nearest(std::span<const float> query, std::size_t limit,
                                          const std::vector<std::string>* among) const;
  Result<std::unordered_map<std::string, std::vector<float>>> vectors(std::span<const std::string> ids,
                                                                      std::size_t width) const;
  // Those of the ids that are there.
  std::vector<std::string> held_of(const std::vector<std::string>& ids, const store::RowFilter& filter) const;

 private:
  Result<void> fill_collection(const std::filesystem::path& index, const std::stop_token& stop);
  Result<ChromaCollection> collection() const;
  // Passes an answer on; from a failure that other searches would meet as well until fill() has looked.
  template <class T>
  Result<T> noted(Result<T> answer) const;
  void leave(const Error& error) const;

  const ChromaAddress address_;
  mutable std::shared_mutex mutex_;
  mutable std::optional<ChromaCollection> collection_;  // none: away
  mutable std::string why_away_ = "the Chroma server with the papers' vectors has not answered yet";
  std::unordered_map<std::string, std::string> records_;  // that are there, and what each is made of
};

// The vectors of one index by the ids of its papers; `ids` are those that have one, in their order.
std::unique_ptr<PaperVectors> mirrored_vectors(std::shared_ptr<VectorMirror> mirror,
                                               std::vector<std::string> ids, std::size_t width);

}  // namespace alcove::papers
