#pragma once
// The routes that Gradio's clients speak to, in front of functions of our own. See the page on the protocol
// in docs/http.md.

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/gradio_queue.h"
#include "api/gradio_uploads.h"
#include "api/routes.h"

namespace alcove::api {

struct GradioValue {
  std::string name, label;
  std::string component;  // "Textbox", "Number", "File", "JSON", "Dataframe"
  Json fallback;          // of an input that may be left out; null: it may not
};

struct GradioCall {
  // One for each input, defaults filled in; of a file, null: it is in `file`.
  std::vector<Json> values;
  std::shared_ptr<const GradioFile> file;  // the one file input's
  std::function<bool()> gone;
  std::function<void()> begin;             // it is its turn
  std::function<void(Result<Json>)> done;  // a list with one value for each output; once
};

struct GradioEndpoint {
  std::string name;  // "predict"
  std::string description;
  std::vector<GradioValue> inputs, outputs;
  std::function<void(GradioCall)> run;  // returns at once
};

// Safe from any thread once made.
class Gradio {
 public:
  Gradio(std::string title, std::uint64_t body_limit, std::vector<GradioEndpoint> endpoints);

  // What /config and /gradio_api/… answer. They refer to this object.
  std::vector<Route> routes();

 private:
  Json config(const Request& request) const;
  Json info() const;
  void upload(Request, Answer);
  void join(Request, Answer);
  void cancel(Request, Answer);
  void start(const GradioEndpoint& endpoint, Request, Answer);  // POST /call/{name}
  Result<GradioCall> call_of(const GradioEndpoint& endpoint, const Json& data, const std::string& event);
  void run(const GradioEndpoint& endpoint, const Json& data, const std::string& event);

  const std::string title_;
  const std::uint64_t body_limit_;
  const std::vector<GradioEndpoint> endpoints_;
  GradioUploads uploads_;
  GradioQueue queue_;
};

}  // namespace alcove::api
