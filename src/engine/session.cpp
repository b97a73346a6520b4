#include "engine/session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <mutex>

#include "base/log.h"

namespace alcove::engine {
namespace {

constexpr std::int64_t kMaxNumbers = std::int64_t{1} << 28;  // 1 GiB of f32

using Shapes = std::vector<Shape>;  // one for each input
using SharedCompiled = Result<std::shared_ptr<Compiled>>;

std::string text_of(const Shape& shape) {
  std::vector<std::string> sizes;
  for (const auto size : shape) sizes.push_back(size == kAnySize ? "?" : std::to_string(size));
  return fmt::format("{}", fmt::join(sizes, "x"));
}

std::string text_of(const Shapes& shapes) {
  std::vector<std::string> texts;
  for (const auto& shape : shapes) texts.push_back(text_of(shape));
  return fmt::format("{}", fmt::join(texts, ","));
}

std::string text_of(const graph::Port& port) {
  std::vector<std::string> sizes;
  for (const auto& dimension : port.shape)
    sizes.push_back(dimension.size >= 0      ? std::to_string(dimension.size)
                    : dimension.name.empty() ? "?"
                                             : dimension.name);
  return fmt::format("{} [{}]", port.name, fmt::join(sizes, ","));
}

struct FileState {
  std::filesystem::path path;
  std::uintmax_t size = 0;
  std::filesystem::file_time_type written;

  static FileState of(const std::filesystem::path& path) {
    std::error_code ignored;
    return {path, std::filesystem::file_size(path, ignored), std::filesystem::last_write_time(path, ignored)};
  }
  bool operator==(const FileState&) const = default;
};

class ShapeSession : public Session {
 public:
  ShapeSession(std::unique_ptr<Network> network, SessionSource source)
      : network_(std::move(network)), source_(std::move(source)), cache_(source_.cache) {
    for (const auto& file : source_.files) files_.push_back(FileState::of(file));
  }

  Result<std::vector<Array>> run(std::span<const Input> inputs) override {
    if (inputs.size() != source_.inputs.size())
      return fail(ErrorKind::BadInput, fmt::format("the model has {} inputs and was given {}",
                                                   source_.inputs.size(), inputs.size()));
    Shapes shapes;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      TRY(check(source_.inputs[i], inputs[i]));
      shapes.emplace_back(inputs[i].shape.begin(), inputs[i].shape.end());
    }
    auto compiled = TRY(compiled_for(std::move(shapes)));
    return compiled->run(inputs);
  }

  Result<void> warm_up(std::span<const std::int64_t> shape) override {
    const auto count = TRY(count_of(source_.inputs.front(), shape));
    const std::vector<float> zeros(count);
    const std::vector<std::int64_t> ids(count);
    std::vector<Input> inputs;
    for (const auto& port : source_.inputs)
      if (port.type == graph::ElementType::I64)
        inputs.push_back({shape, ids});
      else
        inputs.push_back({shape, zeros});
    TRY(run(inputs));
    return {};
  }

  using Session::run;
  Precision precision() const override { return source_.precision; }
  bool loaded_from_cache() const override { return from_cache_; }

 private:
  struct Entry {
    std::shared_future<SharedCompiled> compiled;
    std::uint64_t last_used = 0;
  };

  static Result<void> check(const graph::Port& port, const Input& input) {
    const auto count = TRY(count_of(port, input.shape));
    const auto given = std::visit([](const auto& values) { return values.size(); }, input.values);
    if (std::holds_alternative<std::span<const float>>(input.values) !=
        (port.type == graph::ElementType::F32))
      return fail(ErrorKind::BadInput, fmt::format("{} was given numbers of another type", text_of(port)));
    if (given == count) return {};
    return fail(ErrorKind::BadInput, fmt::format("an input of shape {} has {} numbers, not {}",
                                                 fmt::join(input.shape, "x"), count, given));
  }

  // How many numbers an input of that shape has; BadInput when the model does not take it.
  static Result<std::size_t> count_of(const graph::Port& port, std::span<const std::int64_t> shape) {
    const auto& wanted = port.shape;
    bool fits = shape.size() == wanted.size();
    std::int64_t count = 1;
    for (std::size_t i = 0; fits && i < shape.size(); ++i) {
      fits = shape[i] > 0 && (wanted[i].size < 0 || wanted[i].size == shape[i]) &&
             shape[i] <= kMaxNumbers / count;
      if (fits) count *= shape[i];
    }
    if (!fits)
      return fail(ErrorKind::BadInput,
                  fmt::format("the model takes {} and was given [{}]", text_of(port), fmt::join(shape, ",")));
    return static_cast<std::size_t>(count);
  }

  // What is compiled so that batches of any count can follow.
  Shapes freed(Shapes shapes, bool everything) const {
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const auto& wanted = source_.inputs[i].shape;
      for (std::size_t axis = 0; axis < (everything ? wanted.size() : 1); ++axis)
        if (wanted[axis].size < 0) shapes[i][axis] = kAnySize;
    }
    return shapes;
  }

  SharedCompiled compiled_for(Shapes shapes) {
    std::promise<SharedCompiled> promise;
    std::shared_future<SharedCompiled> compiled;
    {
      std::lock_guard lock(mutex_);
      if (reads_texts_) {
        shapes = freed(std::move(shapes), true);
      } else if (!shapes.front().empty()) {
        auto any = freed(shapes, false);
        if (shapes.front()[0] > 1 || entries_.contains(any)) shapes = std::move(any);
      }
      if (const auto found = entries_.find(shapes); found != entries_.end()) {
        found->second.last_used = ++uses_;
        compiled = found->second.compiled;
      } else {
        make_room();
        entries_[shapes] = {promise.get_future().share(), ++uses_};
      }
    }
    // Whoever came first compiles, outside the lock; those who came for the same shape wait for it, others do
    // not.
    if (compiled.valid()) return compiled.get();
    auto made = make(shapes);
    promise.set_value(made);
    if (!made) {
      std::lock_guard lock(mutex_);
      entries_.erase(shapes);
    }
    return made;
  }

  void make_room() {
    if (entries_.size() < kKeptShapes) return;
    // Runs in flight hold what they use; it goes when they end.
    entries_.erase(
        std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.last_used; }));
  }

  SharedCompiled make(const Shapes& shapes) {
    BlobKey key = source_.key;
    key.shape = text_of(shapes);
    const auto start = std::chrono::steady_clock::now();
    auto compiled = import(key);
    const bool from_cache = compiled != nullptr;
    if (!compiled) compiled = TRY(compile(shapes, key));
    from_cache_ = from_cache;
    // Compiling takes as much again as the network itself, in pieces that malloc would keep.
    ::malloc_trim(0);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    log(LogLevel::Info, "model_ready",
        {{"model", key.weights.substr(0, 12)},
         {"shape", key.shape},
         {"precision", key.precision},
         {"from_cache", from_cache},
         {"ms", took.count()}});
    return compiled;
  }

  std::shared_ptr<Compiled> import(const BlobKey& key) {
    auto blob = cache_.find(key);
    if (!blob) return nullptr;
    auto compiled = network_->import_blob(blob->bytes, blob->owner);
    // The runtime has laid most weights out anew, and hashing has touched them all.
    forget(*blob);
    if (compiled) return *std::move(compiled);
    log(LogLevel::Info, "compiled_model_passed_over",
        {{"file", key.file_name()}, {"reason", compiled.error().message}});
    return nullptr;
  }

  SharedCompiled compile(const Shapes& shapes, const BlobKey& key) {
    for (const auto& file : files_)
      if (FileState::of(file.path) != file)
        return fail(ErrorKind::Unavailable,
                    fmt::format("{} has changed since it was loaded; restart to use the new one",
                                file.path.string()));
    auto compiled = TRY(network_->compile(shapes));
    if (!source_.cache.empty()) {
      if (const auto blob = compiled->write_blob()) cache_.keep(key, as_bytes(*blob));
    }
    return compiled;
  }

  const std::unique_ptr<Network> network_;
  const SessionSource source_;
  const BlobCache cache_;
  const bool reads_texts_ = source_.inputs.front().type == graph::ElementType::I64;
  std::vector<FileState> files_;
  std::atomic<bool> from_cache_ = false;
  std::mutex mutex_;  // of what follows
  std::map<Shapes, Entry> entries_;
  std::uint64_t uses_ = 0;
};

}  // namespace

std::unique_ptr<Session> make_session(std::unique_ptr<Network> network, SessionSource source) {
  return std::make_unique<ShapeSession>(std::move(network), std::move(source));
}

}  // namespace alcove::engine
