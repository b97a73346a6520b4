#pragma once
// Which records of a collection are meant: the filters `where`, over metadata, and `where_document`, over
// texts, as Chroma's clients write them. Home of RE2.
//
//   {"year": {"$gte": 2020}}   {"$and": [{"venue": "ICML"}, {"area": {"$in": ["theory", "vision"]}}]}
//   {"$contains": "graph"}     {"$or": [{"$regex": "(?i)bayes"}, {"$not_contains": "survey"}]}

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/json.h"

namespace alcove::store {

// Safe from any thread.
class RecordFilter {
 public:
  RecordFilter() = default;  // everything

  // Null stands for no filter. BadInput, saying what is wrong, for anything but what the grammar has.
  static Result<RecordFilter> parse(const Json& where, const Json& where_document);

  bool is_everything() const { return !where_ && !where_document_; }
  bool reads_document() const;

  // `metadata` is an object or null. A record without the key, or without a document, passes what is said in
  // the negative.
  bool matches(const Json& metadata, const std::optional<std::string>& document) const;

  struct Node;

 private:
  std::shared_ptr<const Node> where_, where_document_;
};

}  // namespace alcove::store
