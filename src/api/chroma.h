#pragma once
// The routes that Chroma's clients speak to, version 2 of its HTTP API. The finder's own papers are the
// collection `openreview_papers`, which is only read here; others are kept beside the index. See
// docs/http.md.

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "api/chroma_json.h"
#include "api/finder_space.h"
#include "api/routes.h"

namespace alcove::api {

inline constexpr std::uint64_t kChromaBodyLimit = 42 << 20;  // as Chroma's own server

// Safe from any thread once made.
class Chroma {
 public:
  // What refuses somebody who may not write, in front of a request that may turn out to be no writing.
  using Refuse = std::function<std::optional<Reply>(Request)>;
  Chroma(FinderSpace& space, Refuse refuse) : space_(space), refuse_(std::move(refuse)) {}

  std::vector<Route> routes();  // they refer to this object

 private:
  struct Target;  // a collection, and the papers when it is theirs
  using Work = Result<Reply> (Chroma::*)(const Request&);
  Route route(Method method, std::string path, Access access, Work work);
  void run(Work work, Request request, const Answer& answer);

  Result<std::shared_ptr<store::Collections>> collections();
  Result<void> check_database(const std::string& tenant, const std::string& database);
  store::Collection papers_collection() const;
  Result<Target> target_with_id(const Request& request);
  Result<store::Collection> collection_named(const Request& request);
  Result<store::Collection> to_write(const Request& request);
  Result<std::unique_ptr<store::RecordSource>> records(const Target& target);

  Result<Reply> make_tenant(const Request&);
  Result<Reply> tenant(const Request&);
  Result<Reply> databases(const Request&);
  Result<Reply> make_database(const Request&);
  Result<Reply> database(const Request&);
  Result<Reply> remove_database(const Request&);
  Result<std::vector<store::Collection>> all_collections(const Request&);
  Result<Reply> list(const Request&);
  Result<Reply> count_collections(const Request&);
  Result<Reply> make(const Request&);
  Result<Reply> by_name(const Request&);
  Result<Reply> by_id(const Request&);
  Result<Reply> change(const Request&);
  Result<Reply> remove(const Request&);
  Result<Reply> write(const Request& request, store::Writing how, int status);
  Result<Reply> add(const Request& request) { return write(request, store::Writing::Add, 201); }
  Result<Reply> update(const Request& request) { return write(request, store::Writing::Update, 200); }
  Result<Reply> upsert(const Request& request) { return write(request, store::Writing::Upsert, 200); }
  Result<Reply> remove_records(const Request&);
  Result<Reply> get(const Request&);
  Result<Reply> query(const Request&);
  Result<Reply> count(const Request&);

  FinderSpace& space_;
  const Refuse refuse_;
  std::mutex mutex_;
  std::shared_ptr<store::Collections> collections_;  // opened when first needed
};

}  // namespace alcove::api
