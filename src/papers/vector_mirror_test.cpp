#include "papers/vector_mirror.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "net/testing.h"
#include "papers/finder.h"
#include "papers/importer.h"
#include "papers/testing.h"

namespace alcove::papers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kId = "11111111-2222-4333-8444-555555555555";
constexpr std::string_view kPath = "/api/v2/tenants/default_tenant/databases/default_database/collections";

// The part of a Chroma server that is asked for here, in memory; `twist` may answer in its place.
class FakeChroma {
 public:
  using Twist = std::function<std::optional<std::string>(const net::Received&)>;

  std::string address() const { return "chroma://127.0.0.1:" + std::to_string(server_.port()); }
  void twist(Twist twist) {
    const std::lock_guard lock(mutex_);
    twist_ = std::move(twist);
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return records_.size();
  }
  std::vector<net::Received> received() const { return server_.received(); }
  Json metadata;  // of the collection; null while there is none

 private:
  struct Record {
    Json metadata;
    std::vector<float> vector;
  };

  static bool is_named(const Json& body, const std::string& id) {
    if (!body.contains("ids")) return true;
    const auto ids = body["ids"].get<std::set<std::string>>();
    return ids.contains(id);
  }
  static std::string said(const Json& json) { return net::http_reply(200, json.dump()); }

  std::string answer(const net::Received& request) {
    const std::lock_guard lock(mutex_);
    if (twist_)
      if (auto reply = twist_(request)) return *reply;
    if (request.target == "/api/v2/heartbeat") return said({{"nanosecond heartbeat", 1}});
    const auto body = parse_json(request.body).value_or(Json());
    if (request.target == kPath) {
      metadata = body["metadata"];
      records_.clear();
      return said({{"id", kId}});
    }
    if (request.target == std::string(kPath) + "/openreview_papers") {
      if (metadata.is_null()) return net::http_reply(404, R"({"error":"NotFoundError","message":"none"})");
      if (request.method == "DELETE") metadata = Json();
      return said({{"id", kId}, {"metadata", metadata}});
    }
    return records(request.target.substr(kPath.size() + 38), body);
  }

  std::string records(const std::string& what, const Json& body) {
    if (what == "upsert")
      for (std::size_t i = 0; i < body["ids"].size(); ++i)
        records_[body["ids"][i]] = {body["metadatas"][i], body["embeddings"][i]};
    if (what == "delete")
      for (const auto& id : body["ids"]) records_.erase(id.get<std::string>());
    if (what == "query") return query(body);
    Json reply{{"ids", Json::array()}, {"metadatas", Json::array()}, {"embeddings", Json::array()}};
    const auto offset = body.value("offset", std::size_t{0});
    std::size_t place = 0;
    for (const auto& [id, record] : records_) {
      if (!is_named(body, id) || place++ < offset || reply["ids"].size() >= body.value("limit", 1'000'000U))
        continue;
      reply["ids"].push_back(id);
      reply["metadatas"].push_back(record.metadata);
      reply["embeddings"].push_back(record.vector);
    }
    return said(reply);
  }

  std::string query(const Json& body) {
    const auto wanted = body["query_embeddings"][0].get<std::vector<float>>();
    std::vector<std::pair<float, std::string>> nearest;
    for (const auto& [id, record] : records_)
      if (is_named(body, id))
        nearest.emplace_back(
            1 - store::dot(wanted, record.vector) /
                    std::sqrt(store::dot(wanted, wanted) * store::dot(record.vector, record.vector)),
            id);
    std::ranges::sort(nearest);
    nearest.resize(std::min(nearest.size(), body["n_results"].get<std::size_t>()));
    Json ids = Json::array(), distances = Json::array();
    for (const auto& [distance, id] : nearest) {
      ids.push_back(id);
      distances.push_back(distance);
    }
    return said({{"ids", {ids}}, {"distances", {distances}}});
  }

  std::mutex mutex_;
  Twist twist_;
  std::map<std::string, Record> records_;
  net::LoopbackServer server_{[this](const net::Received& request) { return answer(request); }};
};

std::vector<Paper> some_papers() {
  std::vector<Paper> papers;
  for (int i = 0; i < 1'050; ++i)
    papers.push_back({.id = "p" + std::to_string(i),
                      .title = "Paper " + std::to_string(i % 40) + " on subject " + std::to_string(i % 7),
                      .abstract = "Words " + std::to_string(i),
                      .venue = i % 3 == 0 ? "ICML 2020" : "KDD 2021"});
  return papers;
}

class MirrorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("alcove-mirror-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    import(some_papers());
    mirror_ = std::make_shared<VectorMirror>(*read_chroma_address(chroma_.address()));
  }
  void TearDown() override { fs::remove_all(folder_); }

  void import(const std::vector<Paper>& papers, const std::string& whole_venue = {}) {
    ASSERT_TRUE(import_papers(
        {.data = folder_, .embedder = embedder_.get(), .whole_venue = whole_venue, .vectors = {}}, papers));
  }
  Result<void> fill() { return mirror_->fill(folder_ / "papers.db", {}); }
  std::shared_ptr<Finder> finder(bool mirrored = true) {
    return Finder::load(folder_, embedder_, mirrored ? mirror_ : nullptr).value();
  }
  static Result<SearchResult> search(Finder& finder, Mode mode,
                                     std::string_view typed = "subject 3 words 77") {
    return finder.search({.query = read_query(typed).value(), .mode = mode, .limit = 20});
  }
  static std::vector<std::string> ids(const SearchResult& result) {
    std::vector<std::string> ids;
    for (const auto& hit : result.hits) ids.push_back(hit.paper.id);
    return ids;
  }

  FakeChroma chroma_;
  fs::path folder_;
  std::shared_ptr<WordEmbedder> embedder_ = std::make_shared<WordEmbedder>();
  std::shared_ptr<VectorMirror> mirror_;
};

TEST(ChromaAddress, IsReadAndRefused) {
  const auto plain = read_chroma_address("chroma://localhost").value();
  EXPECT_EQ(plain.url, "http://localhost:8000");
  EXPECT_EQ(plain.collection, "openreview_papers");
  const auto whole = read_chroma_address("chroma+https://vectors.example.org/our-papers").value();
  EXPECT_EQ(whole.url, "https://vectors.example.org");
  EXPECT_EQ(whole.collection, "our-papers");
  EXPECT_EQ(read_chroma_address("chroma://[::1]:9000/").value().url, "http://[::1]:9000");
  for (const auto* wrong :
       {"", "localhost:8000", "http://localhost:8000", "chroma://", "chroma://a b:1", "chroma://h:8000/x",
        "chroma://h:8000/a/b", "chroma://user:word@h:8000", "chroma://h:8000/../x"}) {
    const auto read = read_chroma_address(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_NE(read.error().message.find("chroma://localhost:8000"), std::string::npos);
    EXPECT_EQ(read.error().message.find("word@"), std::string::npos);
  }
}

TEST_F(MirrorTest, AnswersAsTheIndexItselfWould) {
  ASSERT_TRUE(fill());
  EXPECT_EQ(chroma_.size(), 1'050U);
  const auto here = finder(false), there = finder();
  for (const auto mode : {Mode::Meaning, Mode::Both})
    for (const auto* typed :
         {"subject 3 words 77", "paper 12 venue:icml", "words year:>=1990", "words -venue:kdd -venue:icml"}) {
      const auto a = search(*here, mode, typed).value(), b = search(*there, mode, typed).value();
      EXPECT_EQ(ids(a), ids(b)) << typed;
      EXPECT_EQ(a.total, b.total);
      for (std::size_t i = 0; i < a.hits.size(); ++i) {
        ASSERT_EQ(a.hits[i].cosine.has_value(), b.hits[i].cosine.has_value());
        EXPECT_NEAR(a.hits[i].cosine.value_or(0), b.hits[i].cosine.value_or(0), 1e-5);
      }
    }
  const SearchRequest similar{.like = {"p3", "p10"}, .unlike = {"p4"}, .limit = 15};
  EXPECT_EQ(ids(here->search(similar).value()), ids(there->search(similar).value()));
}

TEST_F(MirrorTest, SendsOnlyWhatChangedAndTakesOutWhatIsGone) {
  ASSERT_TRUE(fill());
  const auto sent_by = [&](std::size_t from) {
    std::size_t records = 0;
    const auto received = chroma_.received();
    for (auto i = from; i < received.size(); ++i)
      if (received[i].target.ends_with("/upsert"))
        records += parse_json(received[i].body).value()["ids"].size();
    return records;
  };
  EXPECT_EQ(sent_by(0), 1'050U);
  auto before = chroma_.received().size();
  ASSERT_TRUE(fill());
  EXPECT_EQ(sent_by(before), 0U);
  auto papers = some_papers();
  papers[7].abstract = "Rewritten";
  papers.push_back({.id = "new", .title = "New"});
  import(papers);
  before = chroma_.received().size();
  ASSERT_TRUE(fill());
  EXPECT_EQ(sent_by(before), 2U);
  fs::remove_all(folder_);
  papers.resize(100);
  import(papers);
  ASSERT_TRUE(fill());
  EXPECT_EQ(chroma_.size(), 100U);
  EXPECT_EQ(mirror_->held(), 100U);
}

TEST_F(MirrorTest, AnotherModelsCollectionIsReplacedAndSomebodyElsesLeftAlone) {
  ASSERT_TRUE(fill());
  embedder_ = std::make_shared<WordEmbedder>("others", 32);
  import({});
  ASSERT_TRUE(fill());
  EXPECT_EQ(chroma_.metadata["model"], "others");
  EXPECT_EQ(chroma_.size(), 1'050U);
  chroma_.metadata = {{"about", "the original's papers"}};
  const auto refused = fill();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("was not made by Alcove"), std::string::npos);
  EXPECT_EQ(chroma_.size(), 1'050U);
}

TEST_F(MirrorTest, WordsStayWhileItIsAwayAndMeaningComesBack) {
  const auto there = finder();
  EXPECT_FALSE(there->can_search_by_meaning());
  ASSERT_TRUE(fill());
  EXPECT_TRUE(there->can_search_by_meaning());
  chroma_.twist([](const auto&) { return ""; });  // hangs up
  const auto both = search(*there, Mode::Both).value();
  EXPECT_EQ(both.mode, Mode::Words);
  EXPECT_EQ(both.hits.size(), 20U);
  ASSERT_EQ(both.notes.size(), 1U);
  EXPECT_TRUE(both.notes[0].starts_with("by words alone: the Chroma server cannot be reached"))
      << both.notes[0];
  const auto asked = chroma_.received().size();
  const auto meaning = search(*there, Mode::Meaning);
  ASSERT_FALSE(meaning);
  EXPECT_EQ(meaning.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(chroma_.received().size(), asked) << "who is away is not asked again by each search";
  const auto similar = there->search({.like = {"p3"}, .limit = 5});
  ASSERT_FALSE(similar && similar->mode == Mode::Meaning);
  chroma_.twist(nullptr);
  ASSERT_TRUE(fill());
  EXPECT_EQ(search(*there, Mode::Both)->mode, Mode::Both);
}

TEST_F(MirrorTest, WhatNoChromaServerSaysIsRefused) {
  struct Case {
    std::string target, reply, sentence;
  };
  const auto said = [](const std::string& body, int status = 200) { return net::http_reply(status, body); };
  const std::string nested(100'000, '[');
  const std::vector<Case> cases{
      {"/heartbeat", said("<html>", 404), "0.6 or later"},
      {"/heartbeat", said("<html>"), "heartbeat"},
      {"/heartbeat", said("{}"), "heartbeat"},
      {"/heartbeat", said("no", 401), "ALCOVE_STORE_TOKEN"},
      {"/heartbeat", said("", 503), "503"},
      {"/heartbeat", net::http_reply(302, "", "Location: http://127.0.0.1:1/\r\n"), "302"},
      {"/openreview_papers", said(R"({"id":"../../x","metadata":{"made_by":"alcove"}})"), "without an id"},
      {"/openreview_papers", said("[]"), "without an id"},
      {"/get", said(nested), "JSON"},
      {"/get", said(R"({"ids":["a"],"metadatas":[]})"), "another shape"},
      {"/get", said(R"({"ids":[1],"metadatas":[null]})"), "no text"},
      {"/query", said(R"({"ids":[["a"]],"distances":[[]]})"), "another shape"},
      {"/query", said(R"({"ids":[["a"]],"distances":[[null]]})"), "without a distance"},
      {"/query", said(R"({"ids":[[7]],"distances":[[0.5]]})"), "without a distance"},
      {"/query", said(R"({"ids":[],"distances":[]})"), "another shape"},
      {"/query", said(R"({"error":"ChromaError","message":"full"})", 422), "full"},
  };
  for (const auto& each : cases) {
    chroma_.twist(nullptr);
    ASSERT_TRUE(fill());
    chroma_.twist([&](const net::Received& request) {
      return request.target.ends_with(each.target) ? std::optional(each.reply) : std::nullopt;
    });
    const auto filled = fill();
    const auto found = search(*finder(), Mode::Meaning);
    ASSERT_FALSE(filled && found) << each.reply.substr(0, 200);
    const auto& error = filled ? found.error() : filled.error();
    EXPECT_NE(error.message.find(each.sentence), std::string::npos) << error.message;
  }
}

TEST_F(MirrorTest, StrangeHitsArePassedOver) {
  ASSERT_TRUE(fill());
  chroma_.twist([](const net::Received& request) -> std::optional<std::string> {
    if (!request.target.ends_with("/query")) return std::nullopt;
    return net::http_reply(200,
                           R"({"ids":[["p1","p1","nobody","p2","p0"]],"distances":[[0.1,0.0,0.0,-5,0.3]]})");
  });
  const auto found = search(*finder(), Mode::Meaning, "words venue:kdd").value();
  EXPECT_EQ(ids(found), (std::vector<std::string>{"p2", "p1"})) << "p0 is of another venue";
  EXPECT_EQ(found.hits[0].cosine, 1.0F);
}

TEST_F(MirrorTest, TheTokenGoesWithEveryRequest) {
  auto address = *read_chroma_address(chroma_.address());
  address.token = "secret";
  mirror_ = std::make_shared<VectorMirror>(address);
  ASSERT_TRUE(fill());
  for (const auto& request : chroma_.received()) {
    EXPECT_NE(request.head.find("Authorization: Bearer secret"), std::string::npos);
    EXPECT_NE(request.head.find("X-Chroma-Token: secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace alcove::papers
