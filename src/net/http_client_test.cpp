#include "net/http_client.h"

#include <gtest/gtest.h>

#include <fstream>

#include "net/testing.h"

namespace alcove::net {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string echo(const Received& request) {
  return http_reply(200, request.method + "\n" + request.head + request.body);
}

TEST(HttpClient, SaysWhoDidNotAnswer) {
  const auto reply = send({.url = "http://127.0.0.1:1/health?token=secret"});  // port 1: nobody listens there
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(reply.error().code, "not_connected");
  EXPECT_NE(reply.error().message.find("127.0.0.1:1/health did not answer"), std::string::npos)
      << reply.error().message;
  EXPECT_EQ(reply.error().message.find("secret"), std::string::npos);
}

TEST(HttpClient, SpeaksHttpAlone) {
  const auto reply = send({.url = "file:///etc/hostname"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::BadInput);
}

TEST(HttpClient, GivesStatusHeadersAndBody) {
  LoopbackServer server(
      [](const Received&) { return http_reply(404, "none", "X-Error-Code:  RepoNotFound \r\n"); });
  const auto reply = send({.url = server.url("/a")});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 404);
  EXPECT_EQ(reply->body, "none");
  EXPECT_EQ(reply->header("x-error-code"), "RepoNotFound");
  EXPECT_EQ(reply->header("absent"), std::nullopt);
  EXPECT_EQ(reply->url, server.url("/a"));
}

TEST(HttpClient, KeepsItsConnection) {
  LoopbackServer server(echo);
  const Client client;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.send({.url = server.url()}));
  EXPECT_EQ(server.received().back().connection, 1);
}

TEST(HttpClient, SendsEachKindOfBody) {
  LoopbackServer server(echo);
  const Client client;
  const auto path = fs::path(testing::TempDir()) / "net_body";
  std::ofstream(path) << "0123456789";

  const auto text = client.send({.method = "PUT", .url = server.url(), .body = std::string("abc")});
  EXPECT_NE(text->body.find("Content-Length: 3"), std::string::npos);
  EXPECT_EQ(text->body.find("Content-Type"), std::string::npos) << "nobody said what it is";

  const auto empty = client.send({.method = "POST", .url = server.url()});
  EXPECT_NE(empty->body.find("Content-Length: 0"), std::string::npos);

  const auto slice = client.send({.method = "PUT", .url = server.url(), .body = FileSlice{path, 2, 5}});
  EXPECT_TRUE(slice->body.starts_with("PUT"));
  EXPECT_TRUE(slice->body.ends_with("23456"));
  EXPECT_EQ(slice->body.find("chunked"), std::string::npos);

  int pieces = 0;
  const auto piece = [&](std::span<std::uint8_t> into) -> Result<std::size_t> {
    if (pieces++ == 2) return 0;
    std::ranges::fill(into.first(4), std::uint8_t('x'));
    return 4;
  };
  const auto chunked =
      client.send({.method = "POST", .url = server.url(), .body = BodyReader{.read = piece}});
  EXPECT_NE(chunked->body.find("chunked"), std::string::npos);
  EXPECT_NE(chunked->body.find("xxxx"), std::string::npos);

  const auto form = client.send(
      {.method = "POST",
       .url = server.url(),
       .body = std::vector<FormPart>{{.name = "a", .content = as_bytes("plain")},
                                     {.name = "f", .file_name = "n.txt", .content = as_bytes("held")},
                                     {.name = "g", .file_name = "g.txt", .file = path}}});
  EXPECT_NE(form->body.find("name=\"f\"; filename=\"n.txt\""), std::string::npos) << form->body;
  EXPECT_NE(form->body.find("0123456789"), std::string::npos);
  fs::remove(path);
}

TEST(HttpClient, SaysWhenAFileShrinksOrVanishes) {
  LoopbackServer server(echo);
  const auto path = fs::path(testing::TempDir()) / "net_short";
  std::ofstream(path) << "0123";
  const auto shorter = send({.method = "PUT", .url = server.url(), .body = FileSlice{path, 0, 5}});
  ASSERT_FALSE(shorter);
  EXPECT_NE(shorter.error().message.find("became shorter"), std::string::npos) << shorter.error().message;
  fs::remove(path);
  const auto gone = send({.method = "PUT", .url = server.url(), .body = FileSlice{path, 0, 4}});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::NotFound);
}

TEST(HttpClient, SendsNoHeaderThatWouldBecomeTwo) {
  const auto reply =
      send({.url = "http://127.0.0.1:1/", .headers = {{"Authorization", "Bearer a\r\nX: secret"}}});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::BadInput);
  EXPECT_EQ(reply.error().message.find("secret"), std::string::npos);
}

TEST(HttpClient, BoundsWhatItKeeps) {
  LoopbackServer server([](const Received&) { return http_reply(200, std::string(5'000, 'x')); });
  const auto reply = send({.url = server.url(), .limits = {.body = 4'999}});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::TooLarge);
  LoopbackServer headers([](const Received&) {
    std::string many;
    for (int i = 0; i < 20'000; ++i) many += "X-Many: 0123456789\r\n";
    return http_reply(200, "", many);
  });
  EXPECT_FALSE(send({.url = headers.url()}));
}

TEST(HttpClient, StreamsSuccessAndKeepsRefusals) {
  LoopbackServer server(
      [](const Received& request) { return http_reply(request.target == "/a" ? 200 : 500, "text"); });
  std::string seen;
  const Sink sink = [&](const Reply& head, Bytes piece) -> Result<void> {
    seen += std::to_string(head.status) + std::string(as_text(piece));
    return {};
  };
  EXPECT_TRUE(send({.url = server.url("/a"), .sink = sink})->body.empty());
  EXPECT_EQ(seen, "200text");
  EXPECT_EQ(send({.url = server.url("/b"), .sink = sink})->body, "text");
  EXPECT_EQ(seen, "200text");
  const auto stopped = send({.url = server.url("/a"), .sink = [](const Reply&, Bytes) -> Result<void> {
                               return fail(ErrorKind::Unsupported, "enough");
                             }});
  EXPECT_EQ(stopped.error().message, "enough");
}

TEST(HttpClient, TellsBrokenRepliesApart) {
  LoopbackServer server([](const Received& request) -> std::string {
    if (request.target == "/cut")
      return "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nfour";
    return {};
  });
  EXPECT_EQ(send({.url = server.url("/cut")}).error().code, "cut");
  EXPECT_EQ(send({.url = server.url("/nothing")}).error().code, "no_answer");
}

TEST(HttpClient, EndsAtItsLimitsOnTime) {
  std::atomic<bool> over = false;
  LoopbackServer server([&](const Received&) {
    while (!over) std::this_thread::sleep_for(5ms);
    return std::string();
  });
  EXPECT_EQ(send({.url = server.url(), .limits = {.total = 100ms}}).error().code, "timeout");
  const auto silent = send({.url = server.url(), .limits = {.total = 0ms, .silence = 100ms}});
  EXPECT_EQ(silent.error().code, "timeout");
  EXPECT_NE(silent.error().message.find("silent"), std::string::npos);
  over = true;
}

TEST(HttpClient, CanBeCancelled) {
  std::atomic<bool> over = false;
  LoopbackServer server([&](const Received&) {
    while (!over) std::this_thread::sleep_for(5ms);
    return std::string();
  });
  std::stop_source source;
  const std::jthread stopper([&] {
    while (server.received().empty()) std::this_thread::sleep_for(5ms);
    source.request_stop();
  });
  EXPECT_EQ(send({.url = server.url(), .limits = {.total = 0ms}, .stop = source.get_token()}).error().code,
            "cancelled");
  over = true;
}

TEST(HttpClient, TakesNoTokenToAnotherOrigin) {
  LoopbackServer cdn(echo);
  LoopbackServer hub([&](const Received& request) {
    if (request.target == "/here") return http_reply(200, request.head);
    const auto to = request.target == "/same" ? std::string("/here") : cdn.url("/blob");
    return http_reply(302, "", "Location: " + to + "\r\n");
  });
  const std::vector<Header> headers{{"Authorization", "Bearer secret"}};
  EXPECT_NE(send({.url = hub.url("/same"), .headers = headers})->body.find("secret"), std::string::npos);
  const auto moved = send({.url = hub.url("/away"), .headers = headers});
  EXPECT_EQ(moved->body.find("secret"), std::string::npos);
  EXPECT_EQ(moved->url, cdn.url("/blob"));
}

TEST(HttpClient, IsSafeFromManyThreads) {
  LoopbackServer server(echo);
  const Client client;
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        for (int k = 0; k < 20; ++k) good += client.send({.url = server.url()}).has_value() ? 1 : 0;
      });
  }
  EXPECT_EQ(good, 160);
  EXPECT_LE(server.received().size(), 160U);
}

}  // namespace
}  // namespace alcove::net
