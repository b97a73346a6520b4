#include "api/sheet_service.h"

#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>

namespace alcove::api {
namespace {

class NoModels final : public sheets::SheetReader {
 public:
  Result<sheets::SheetReading> read(const imaging::Image&) override {
    return fail(ErrorKind::Internal, "not asked in these tests");
  }
  std::vector<sheets::ModelInfo> models() const override {
    return {{"detector", "improved_weights.pt", "ab12", "a detector"}};
  }
  std::string device() const override { return "cpu"; }
  std::string device_reason() const override { return "a test"; }
  std::string engine() const override { return "none"; }
  std::string precision() const override { return "f32"; }
};

Result<std::shared_ptr<sheets::SheetReader>> loaded() { return std::make_shared<NoModels>(); }

// Reads a file by its first word.
Result<PageReading> by_word(sheets::SheetReader&, Bytes file, const PageOptions& options) {
  const auto text = as_text(file);
  if (text == "encrypted" && options.password != "secret")
    return fail(ErrorKind::Unreadable, "the PDF is encrypted", "pdf_encrypted");
  if (text == "rubbish") return fail(ErrorKind::Unreadable, "not an image", "unknown_format");
  if (text == "huge") return fail(ErrorKind::TooLarge, "too many pixels", "too_many_pixels");
  if (text == "crowd") return fail(ErrorKind::Unavailable, "no process to be had", "no_decode_worker");
  if (text == "explosion") throw std::bad_alloc();
  PageReading page;
  page.reading.reasons = {"no_register_box", "no_subject_box"};
  page.reading.timings = {{"decode", 1.5}};
  if (options.preview) page.preview = "jpeg";
  return page;
}

// A Space without sockets.
class Space : public testing::Test {
 protected:
  void start(LoadReader load = loaded, ReadPage read = by_word, ServiceSettings settings = {},
             int queue = 4) {
    space_ = std::make_unique<SheetSpace>(SpaceSettings{.models = testing::TempDir() + "no-models-here",
                                                        .workers = 1,
                                                        .queue = static_cast<std::size_t>(queue),
                                                        .look_again = std::chrono::milliseconds(1)},
                                          std::move(load));
    service_ = std::make_unique<SheetService>(settings, *space_, std::move(read));
    space_->start();
  }
  void start_and_load(ReadPage read = by_word, ServiceSettings settings = {}, int queue = 4) {
    start(loaded, std::move(read), settings, queue);
    while (!space_->state().reader) std::this_thread::yield();
  }

  // As the server does it: headers first, then the whole request.
  Reply ask(Request request) {
    if (auto refused = service_->refuse(request)) return *std::move(refused);
    return later(std::move(request)).get();
  }
  std::future<Reply> later(Request request, bool gone = false) {
    auto promise = std::make_shared<std::promise<Reply>>();
    auto reply = promise->get_future();
    service_->handle(std::move(request),
                     {.send = [promise](Reply sent) { promise->set_value(std::move(sent)); },
                      .gone = [gone] { return gone; },
                      .stream = [promise](Reply head) -> std::shared_ptr<Outflow> {
                        return std::make_shared<WholeBody>(promise, std::move(head));
                      }});
    return reply;
  }
  // A body in pieces, as one reply once it ends.
  struct WholeBody final : Outflow {
    WholeBody(std::shared_ptr<std::promise<Reply>> promise, Reply head)
        : promise_(std::move(promise)), reply_(std::move(head)) {}
    bool send(std::string_view piece) override {
      const std::lock_guard lock(mutex_);
      reply_.body.append(piece);
      return true;
    }
    void end() override { promise_->set_value(std::move(reply_)); }

   private:
    std::mutex mutex_;
    std::shared_ptr<std::promise<Reply>> promise_;
    Reply reply_;
  };
  Reply get(std::string path, std::string accept = "*/*") {
    return ask({.path = std::move(path),
                .query = {},
                .headers = {{"accept", std::move(accept)}},
                .body = {},
                .id = {},
                .declared_length = {},
                .memory = {}});
  }

  std::unique_ptr<SheetSpace> space_;
  std::unique_ptr<SheetService> service_;
};

Request upload(std::string_view content, std::string_view name = "a.jpg", std::string_view more = {}) {
  std::string body = "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"";
  body.append(name).append("\"\r\n\r\n").append(content).append("\r\n").append(more).append("--cut--\r\n");
  return {.method = Method::Post,
          .path = "/extract",
          .query = {},
          .headers = {{"content-type", "multipart/form-data; boundary=cut"}},
          .body = std::move(body),
          .id = {},
          .declared_length = {},
          .memory = {}};
}

Json json_of(const Reply& reply) { return parse_json(reply.body).value(); }

std::string header_of(const Reply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.headers)
    if (key == name) return value;
  return {};
}

TEST_F(Space, ProbesAreAnsweredWhileModelsLoad) {
  std::promise<void> release;
  start([released = release.get_future().share()] {
    released.wait();
    return loaded();
  });
  EXPECT_EQ(get("/health").status, 200);
  EXPECT_EQ(get("/health").body, R"({"status":"ok","service":"Answer Sheet ML Inference"})");
  EXPECT_EQ(get("/livez").status, 200);
  for (const auto* path : {"/readyz", "/v2/health/ready"}) {
    const auto ready = get(path);
    EXPECT_EQ(ready.status, 503);
    EXPECT_EQ(json_of(ready)["code"], "loading");
    EXPECT_EQ(header_of(ready, "Retry-After"), "2");
  }
  EXPECT_EQ(json_of(get("/status"))["ready"], false);
  EXPECT_EQ(json_of(get("/status"))["state"], "loading");
  const auto early = ask(upload("sheet"));
  EXPECT_EQ(early.status, 503);
  EXPECT_EQ(header_of(early, "Retry-After"), "2");
  release.set_value();
  while (!space_->state().reader) std::this_thread::yield();
  EXPECT_EQ(get("/readyz").status, 200);
  EXPECT_EQ(ask(upload("sheet")).status, 200);
}

TEST_F(Space, ASheetThatNoProcessCouldOpenMayComeAgain) {
  start_and_load();
  const auto reply = ask(upload("crowd"));
  EXPECT_EQ(reply.status, 503);
  EXPECT_GE(std::stoi(header_of(reply, "Retry-After")), 1);
}

TEST_F(Space, StatusHasTheOriginalsKeysAndOurs) {
  start_and_load();
  const auto status = json_of(get("/status"));
  EXPECT_EQ(status["ready"], true);
  EXPECT_EQ(status["device"], "cpu");
  for (const auto* key : {"primary_yolo", "register_crnn", "subject_crnn"})
    EXPECT_TRUE(status[key].is_boolean()) << key;
  EXPECT_FALSE(status.contains("error"));
  EXPECT_EQ(status["precision"], "f32");
  EXPECT_EQ(status["models"][0]["sha256"], "ab12");
  EXPECT_EQ(status["limits"]["body_bytes"], 52'428'800);
}

TEST_F(Space, MissingModelsAreNamedAndLookedForAgain) {
  std::atomic<int> loads{0};
  start([&]() -> Result<std::shared_ptr<sheets::SheetReader>> {
    ++loads;
    return fail(ErrorKind::NotFound, "Model weights not found: improved_weights.pt");
  });
  while (space_->state().phase != SheetSpace::Phase::Failed) std::this_thread::yield();
  const auto status = json_of(get("/status"));
  EXPECT_EQ(status["ready"], false);
  EXPECT_EQ(status["primary_yolo"], false);
  EXPECT_EQ(status["error"], "Model weights not found: improved_weights.pt");
  EXPECT_EQ(ask(upload("sheet")).status, 503);
  EXPECT_EQ(loads, 1) << "nothing changed in the folder, so nothing is loaded again";
}

TEST_F(Space, AReadingIsTheContractsBody) {
  start_and_load();
  const auto reply = ask(upload(
      "sheet", "a.jpg", "--cut\r\nContent-Disposition: form-data; name=\"exam_type\"\r\n\r\nCIA1\r\n"));
  EXPECT_EQ(reply.status, 200);
  const auto body = json_of(reply);
  EXPECT_EQ(body["success"], true);
  EXPECT_EQ(body["exam_type"], "CIA1");
  EXPECT_EQ(body["models"][0]["role"], "detector");
  EXPECT_FALSE(body.contains("preview"));
  EXPECT_TRUE(header_of(reply, "Server-Timing").ends_with("decode;dur=1.50"));
  auto with_preview = upload("sheet");
  with_preview.query = "preview=1";
  EXPECT_EQ(json_of(ask(with_preview))["preview"], "data:image/jpeg;base64,anBlZw==");
}

TEST_F(Space, WhatCannotBeReadSaysWhy) {
  start_and_load();
  const auto encrypted = ask(upload("encrypted", "a.pdf"));
  EXPECT_EQ(encrypted.status, 422);
  EXPECT_EQ(
      encrypted.body,
      R"({"success":false,"error":"the PDF is encrypted","detail":"the PDF is encrypted","code":"pdf_encrypted"})");
  EXPECT_EQ(ask(upload("encrypted", "a.pdf",
                       "--cut\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nsecret\r\n"))
                .status,
            200);
  EXPECT_EQ(ask(upload("huge")).status, 413);
  EXPECT_EQ(ask(upload("explosion")).status, 500) << "memory that runs out costs one request";
  EXPECT_EQ(ask(upload("sheet")).status, 200);
}

TEST_F(Space, UnrecognisedContentIsJudgedByItsName) {
  start_and_load();
  EXPECT_EQ(ask(upload("rubbish", "a.jpg")).status, 422);
  EXPECT_EQ(ask(upload("rubbish", "A.TIFF")).status, 422);
  EXPECT_EQ(ask(upload("rubbish", "notes.txt")).status, 400);
  EXPECT_EQ(ask(upload("rubbish", "")).status, 400);
  EXPECT_EQ(ask(upload("sheet", "notes.txt")).status, 200) << "recognised content wins over its name";
}

TEST_F(Space, AFullLineIsRefusedAtOnce) {
  std::promise<void> release, entered;
  start_and_load(
      [&, released = release.get_future().share()](sheets::SheetReader& reader, Bytes file,
                                                   const PageOptions& options) {
        if (as_text(file) == "first") entered.set_value();
        released.wait();
        return by_word(reader, file, options);
      },
      {}, 1);
  auto first = later(upload("first"));
  entered.get_future().wait();
  auto second = later(upload("second"));
  const auto third = ask(upload("third"));
  EXPECT_EQ(third.status, 429);
  EXPECT_GE(std::stoi(header_of(third, "Retry-After")), 1);
  EXPECT_EQ(get("/readyz").status, 200) << "busy is not broken";
  EXPECT_EQ(get("/health").status, 200);
  release.set_value();
  EXPECT_EQ(first.get().status, 200);
  EXPECT_EQ(second.get().status, 200);
}

TEST_F(Space, RetryAfterIsAboutWhenTheLineIsThrough) {
  start_and_load(
      [](sheets::SheetReader&, Bytes, const PageOptions&) -> Result<PageReading> {
        std::this_thread::sleep_for(std::chrono::milliseconds(40));
        return PageReading();
      },
      {}, 60);
  for (int i = 0; i < 16; ++i) ask(upload("a sheet"));  // so that it knows how long they take
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::future<Reply>> line;
  for (int i = 0; i < 60; ++i) line.push_back(later(upload("a sheet")));
  const double promised = space_->retry_after();
  for (auto& reply : line) EXPECT_EQ(reply.get().status, 200);
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_GE(promised, took / 2);
  EXPECT_LE(promised, 2 * took + 1);
}

TEST_F(Space, WorkForNobodyIsDropped) {
  std::atomic<int> reads{0};
  start_and_load([&](sheets::SheetReader& reader, Bytes file, const PageOptions& options) {
    ++reads;
    return by_word(reader, file, options);
  });
  later(upload("sheet"), true).get();
  EXPECT_EQ(reads, 0);
}

TEST_F(Space, DrainingRefusesNewSheets) {
  start_and_load();
  space_->drain();
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(json_of(get("/readyz"))["code"], "shutting_down");
  EXPECT_EQ(ask(upload("sheet")).status, 503);
  EXPECT_EQ(get("/health").status, 200);
}

TEST_F(Space, TheTokenGuardsExtractAlone) {
  Tokens tokens;
  tokens.add("let-me-in");
  start_and_load(by_word, {.door = {tokens}});
  EXPECT_EQ(get("/status").status, 200);
  for (const auto* path : {"/jobs/1", "/jobs/1/events"}) EXPECT_EQ(get(path).status, 401) << path;
  EXPECT_EQ(get("/", "text/html").status, 200);
  auto request = upload("sheet");
  const auto refused = ask(request);
  EXPECT_EQ(refused.status, 401);
  EXPECT_TRUE(json_of(refused).contains("detail"));
  EXPECT_EQ(header_of(refused, "WWW-Authenticate"), "Bearer");
  request.headers.emplace_back("authorization", "Bearer let-me-on");
  EXPECT_EQ(ask(request).status, 401);
  request.headers.back().second = "Bearer let-me-in";
  EXPECT_EQ(ask(request).status, 200);
}

TEST_F(Space, UnknownPathsAndMethodsAnswerInJson) {
  start_and_load();
  EXPECT_EQ(get("/nope").status, 404);
  EXPECT_TRUE(json_of(get("/nope")).contains("detail"));
  const auto wrong = get("/extract");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(header_of(wrong, "Allow"), "POST");
  auto preflight = upload("");
  preflight.method = Method::Options;
  EXPECT_EQ(ask(preflight).status, 204);
  EXPECT_EQ(header_of(ask(preflight), "Access-Control-Allow-Methods"), "POST, OPTIONS");
  preflight.path = "/nope";
  EXPECT_EQ(ask(preflight).status, 404);
  auto wrong_job = upload("");
  wrong_job.path = "/jobs/1";
  EXPECT_EQ(header_of(ask(wrong_job), "Allow"), "PUT, GET, DELETE");
}

TEST_F(Space, FiguresCanBeGuardedTooAndProbesNever) {
  Tokens tokens;
  tokens.add("let-me-in");
  start_and_load(by_word, {.door = {tokens, true}});
  EXPECT_EQ(get("/metrics").status, 401);
  EXPECT_EQ(get("/status").status, 401);
  for (const auto* path :
       {"/livez", "/readyz", "/v2/health/ready", "/v2/models/detector/ready", "/openapi.json"})
    EXPECT_EQ(get(path).status, 200) << path;
}

TEST_F(Space, EachModelTellsWhetherItIsReady) {
  start_and_load();
  EXPECT_EQ(json_of(get("/v2/models/detector/ready"))["ready"], true);
  EXPECT_EQ(get("/v2/models/nobody/ready").status, 404);
}

TEST_F(Space, WhoeverWaitedTooLongIsToldSo) {
  start_and_load(by_word, {.longest_wait = std::chrono::seconds(-1)});
  const auto late = ask(upload("sheet"));
  EXPECT_EQ(late.status, 504);
  EXPECT_EQ(json_of(late)["code"], "too_late");
  EXPECT_FALSE(header_of(late, "Retry-After").empty());
}

std::vector<Json> lines_of(const Reply& reply) {
  std::vector<Json> lines;
  for (std::size_t at = 0; at < reply.body.size();) {
    const auto end = reply.body.find('\n', at);
    lines.push_back(parse_json(std::string_view(reply.body).substr(at, end - at)).value());
    at = end + 1;
  }
  return lines;
}

Request batch(std::initializer_list<std::string_view> words) {
  std::string more;
  for (const auto word : words)
    more.append("--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"")
        .append(word)
        .append(".jpg\"\r\n\r\n")
        .append(word)
        .append("\r\n");
  auto request = upload("sheet", "first.jpg", more);
  request.path = "/extract/batch";
  return request;
}

TEST_F(Space, ABatchIsALineForEachFileWhateverBecomesOfTheOthers) {
  start_and_load(by_word, {}, 1);
  const auto reply = ask(batch({"rubbish", "explosion", "encrypted"}));
  EXPECT_EQ(reply.content_type, "application/x-ndjson");
  const auto lines = lines_of(reply);
  ASSERT_EQ(lines.size(), 4);
  const int statuses[] = {200, 422, 500, 422};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["index"], i) << "one worker reads in order";
    EXPECT_EQ(lines[i]["status"], statuses[i]);
    EXPECT_EQ(lines[i]["success"], statuses[i] == 200);
  }
  EXPECT_EQ(lines[0]["file"], "first.jpg");
  EXPECT_EQ(lines[3]["code"], "pdf_encrypted");
}

TEST_F(Space, AJobIsReadOnceAndAnswersForItself) {
  std::atomic<int> reads{0};
  start_and_load([&](sheets::SheetReader& reader, Bytes file, const PageOptions& options) {
    ++reads;
    return by_word(reader, file, options);
  });
  auto put = batch({"rubbish"});
  put.method = Method::Put;
  put.path = "/jobs/monday-1";
  const auto accepted = ask(put);
  EXPECT_EQ(accepted.status, 202);
  EXPECT_EQ(header_of(accepted, "Location"), "/jobs/monday-1");
  while (json_of(get("/jobs/monday-1"))["state"] != "done") std::this_thread::yield();
  const auto job = json_of(get("/jobs/monday-1"));
  EXPECT_EQ(job["read"], 2);
  EXPECT_EQ(job["results"].size(), 2);
  EXPECT_EQ(ask(put).status, 200);
  EXPECT_EQ(reads, 2) << "the same files under the same id are not read again";
  const auto events = get("/jobs/monday-1/events");
  EXPECT_EQ(events.content_type, "text/event-stream");
  EXPECT_NE(events.body.find("id: 3\nevent: done\n"), std::string::npos);
  auto other = batch({"sheet"});
  other.method = Method::Put;
  other.path = "/jobs/monday-1";
  EXPECT_EQ(ask(other).status, 409);
  EXPECT_EQ(get("/jobs/nobody").status, 404);
  EXPECT_EQ(json_of(get("/jobs/nobody"))["code"], "no_such_job");
}

TEST_F(Space, BrowsersGetThePageAndClientsTheList) {
  start_and_load();
  const auto list = json_of(get("/"));
  EXPECT_EQ(list["service"], "Answer Sheet ML Inference");
  EXPECT_TRUE(list["endpoints"].is_array());
  const auto page = get("/", "text/html,application/xhtml+xml,*/*;q=0.8");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_TRUE(page.body.starts_with("<!doctype html>"));
  EXPECT_NE(header_of(page, "Content-Security-Policy").find("default-src 'none'"), std::string::npos);
  auto again = Request{.path = "/sheet/sheet.js",
                       .query = {},
                       .headers = {{"if-none-match", header_of(get("/sheet/sheet.js"), "ETag")}},
                       .body = {},
                       .id = {},
                       .declared_length = {},
                       .memory = {}};
  EXPECT_EQ(ask(again).status, 304);
  again.headers = {{"accept-encoding", "gzip, br"}};
  const auto packed = ask(again);
  EXPECT_EQ(header_of(packed, "Content-Encoding"), "gzip");
  EXPECT_LT(packed.body.size(), get("/sheet/sheet.js").body.size());
}

}  // namespace
}  // namespace alcove::api
