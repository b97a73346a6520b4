#pragma once
// A Chroma server from its client's side: one collection of unit vectors, compared by cosine. Chroma's HTTP
// API, version 2 (servers from 0.6 on). What the server says is checked like any foreign input.

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/http_client.h"

namespace alcove::papers {

struct ChromaAddress {
  std::string url;         // "http://host:8000"
  std::string collection;  // its name
  std::string token;       // sent as Authorization: Bearer and X-Chroma-Token; empty: none
};

// "chroma://host:port[/collection]", or "chroma+https://…"; without a name the collection is
// `openreview_papers`. BadInput, saying how one looks, for anything else.
Result<ChromaAddress> read_chroma_address(std::string_view text);

struct ChromaRecord {
  std::string id;
  std::string made_of;  // says whether the vector is still the right one
  std::string title;    // for whoever looks into the collection with other programs
  std::vector<float> vector;
};

struct ChromaNear {
  std::string id;
  float cosine;
};

// Every call may fail as Unavailable (nobody answers), Unreadable (not what a Chroma server says), NotFound
// (the collection is gone), Unsupported (a refusal). Safe from any thread.
class ChromaCollection {
 public:
  // The collection of this model's vectors: the one that is there, or a new one, also in place of one with
  // another model's. Unsupported, naming the way out, for one of somebody else's making.
  // `stop` ends what is being asked.
  static Result<ChromaCollection> open(const ChromaAddress& address, const std::string& model,
                                       std::stop_token stop = {});

  // Every record's id and what it is made of.
  Result<std::unordered_map<std::string, std::string>> list() const;
  // Added, or in place of those with their ids. At most most_at_once() of them.
  Result<void> put(std::span<const ChromaRecord> records) const;
  Result<void> remove(std::span<const std::string> ids) const;
  static std::size_t most_at_once(std::size_t width);

  // Nearest first, each once; by the server's graph, which may miss some. With `among` only those, all of
  // which have to be there.
  Result<std::vector<ChromaNear>> nearest(std::span<const float> query, std::size_t limit,
                                          const std::vector<std::string>* among = nullptr) const;
  // Of those that are there; each `width` finite numbers.
  Result<std::unordered_map<std::string, std::vector<float>>> vectors(std::span<const std::string> ids,
                                                                      std::size_t width) const;

 private:
  ChromaCollection(ChromaAddress address, std::shared_ptr<net::Client> client)
      : address_(std::move(address)), client_(std::move(client)) {}
  Result<std::string> ask(const char* method, const std::string& path, std::string body,
                          std::chrono::milliseconds patience = std::chrono::minutes(1)) const;
  Result<void> check_server() const;
  Result<void> find_or_make(const std::string& model);
  std::string in_collection(std::string_view what) const;

  ChromaAddress address_;
  std::shared_ptr<net::Client> client_;
  std::string id_;
  std::stop_token stop_;
};

}  // namespace alcove::papers
