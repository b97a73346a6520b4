#include "papers/embedder.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>

#include "base/sha256.h"
#include "models/text_model.h"
#include "papers/batches.h"
#include "text/tokenizer.h"

namespace alcove::papers {
namespace {

// Texts that are sorted together; the next ones are cut into tokens while these run.
constexpr std::size_t kWindow = 2048;

using Tokens = std::vector<text::TokenId>;

class BertEmbedder : public Embedder {
 public:
  BertEmbedder(EmbedderSettings settings, text::Tokenizer tokenizer, models::TextFolder folder)
      : settings_(std::move(settings)), tokenizer_(std::move(tokenizer)), folder_(std::move(folder)) {}

  Result<void> open() {
    if (!settings_.adapter.empty()) adapter_ = TRY(models::open_text_adapter(settings_.adapter));
    if (!settings_.query_adapter.empty() && !settings_.compat)
      query_adapter_ = TRY(models::open_text_adapter(settings_.query_adapter));
    max_tokens_ = TRY(choose_length());
    if (tokenizer_.id_count() > static_cast<std::size_t>(folder_.config.vocabulary))
      return fail(
          ErrorKind::Unsupported,
          fmt::format("{}: the vocabulary has {} pieces and the model {}; is it another model's vocabulary?",
                      folder_.path.string(), tokenizer_.id_count(), folder_.config.vocabulary));
    hash_ =
        sha256_hex(as_bytes(fmt::format("{} {} {} {} {}", folder_.sha256, adapter_ ? adapter_->sha256 : "",
                                        tokenizer_.fingerprint(), max_tokens_, settings_.compat)));
    return {};
  }

  Result<Vectors> embed(std::span<const EmbedText> texts, Purpose purpose,
                        const Progress& progress) override {
    auto& session = *TRY(session_for(purpose));
    const auto budget = engine_.load()->batch_tokens();
    Vectors made{.width = width()};
    made.values.resize(texts.size() * made.width);
    made.tokens.resize(texts.size());
    const auto cut = [&](std::size_t first) {
      const auto window = texts.subspan(first, std::min(kWindow, texts.size() - first));
      std::vector<Tokens> ids;
      for (const auto& each : window) ids.push_back(tokens_of(each));
      return ids;
    };
    auto ahead = std::async(std::launch::deferred, cut, 0);
    for (std::size_t first = 0, done = 0; first < texts.size(); first += kWindow) {
      const auto ids = ahead.get();
      if (first + kWindow < texts.size()) ahead = std::async(std::launch::async, cut, first + kWindow);
      std::vector<std::uint32_t> lengths;
      for (const auto& each : ids) lengths.push_back(static_cast<std::uint32_t>(each.size()));
      std::ranges::copy(lengths, made.tokens.begin() + static_cast<std::ptrdiff_t>(first));
      for (const auto& batch : plan_batches(lengths, budget)) {
        TRY(run(session, ids, batch, std::span(made.values).subspan(first * made.width)));
        done += batch.rows.size();
        if (progress && !progress(done))
          return fail(ErrorKind::Unavailable, "stopped before every text was embedded");
      }
    }
    return made;
  }

  Result<void> prepare(Purpose purpose) override {
    return TRY(session_for(purpose))->warm_up(engine::Shape{1, 8});
  }

  Tokens tokens_of(const EmbedText& each) const override {
    if (!each.abstract) return tokenizer_.encode(each.title, max_tokens_);
    if (settings_.compat)
      return tokenizer_.encode(fmt::format("{} {}", each.title, *each.abstract), max_tokens_);
    return tokenizer_.encode(each.title, *each.abstract, max_tokens_);
  }

  std::size_t width() const override { return static_cast<std::size_t>(folder_.width()); }
  int max_tokens() const override { return static_cast<int>(max_tokens_); }
  bool normalised() const override { return folder_.head.normalised; }
  const std::string& model_hash() const override { return hash_; }
  std::optional<EngineUse> engine() const override {
    const auto* engine = engine_.load();
    if (engine == nullptr) return {};
    return EngineUse{engine->description(), std::string(engine::name_of(engine->device())), engine->reason()};
  }
  std::string description() const override {
    return fmt::format("BERT, {} layers, {} wide, {}{}", folder_.config.layers, width(),
                       models::name_of(folder_.head.pooling),
                       adapter_ ? ", adapter " + adapter_->adapter.config.name : std::string());
  }

 private:
  Result<std::size_t> choose_length() const {
    auto most = folder_.max_tokens;
    if (tokenizer_.max_tokens() > 0) most = std::min(most, tokenizer_.max_tokens());
    if (settings_.max_tokens == 0) return most;
    const auto wanted = static_cast<std::size_t>(std::max(settings_.max_tokens, 0));
    if (wanted >= 2 && wanted <= static_cast<std::size_t>(folder_.config.positions)) return wanted;
    return fail(ErrorKind::BadInput, fmt::format("a text can have 2 to {} tokens with this model, not {}",
                                                 folder_.config.positions, settings_.max_tokens));
  }

  Result<engine::Session*> session_for(Purpose purpose) {
    const bool query = purpose == Purpose::Query && query_adapter_;
    const auto& adapter = query ? query_adapter_ : adapter_;
    std::lock_guard lock(mutex_);
    auto& session = query ? query_session_ : session_;
    if (!session) {
      auto* engine = TRY(engine::open_engine(settings_.engine.choice));
      engine_ = engine;
      const auto graph = TRY(models::build_text_model(folder_, adapter ? &*adapter : nullptr));
      const engine::CacheKey key{sha256_hex(as_bytes(folder_.sha256 + (adapter ? adapter->sha256 : "")))};
      session = TRY(engine->load(graph, key, settings_.engine));
    }
    return session.get();
  }

  // One batch through the model, its vectors to their places.
  Result<void> run(engine::Session& session, const std::vector<Tokens>& ids, const Batch& batch,
                   std::span<float> vectors) const {
    const engine::Shape shape{static_cast<std::int64_t>(batch.rows.size()),
                              static_cast<std::int64_t>(batch.length)};
    const auto count = batch.rows.size() * batch.length;
    std::vector<std::int64_t> pieces(count, tokenizer_.padding()), mask(count), types(count);
    for (std::size_t row = 0; row < batch.rows.size(); ++row) {
      const auto& from = ids[batch.rows[row]];
      const auto at = static_cast<std::ptrdiff_t>(row * batch.length);
      std::ranges::copy(from, pieces.begin() + at);
      std::fill_n(mask.begin() + at, from.size(), 1);
    }
    const engine::Input inputs[] = {{shape, pieces}, {shape, mask}, {shape, types}};
    const auto outputs = TRY(session.run(inputs));
    const auto& out = outputs.front();
    if (out.values.size() != batch.rows.size() * width())
      return fail(ErrorKind::Internal, "the model gave vectors of another width");
    for (std::size_t row = 0; row < batch.rows.size(); ++row)
      std::ranges::copy(std::span(out.values).subspan(row * width(), width()),
                        vectors.subspan(batch.rows[row] * width()).begin());
    return {};
  }

  const EmbedderSettings settings_;
  const text::Tokenizer tokenizer_;
  const models::TextFolder folder_;
  std::optional<models::TextAdapter> adapter_, query_adapter_;
  std::size_t max_tokens_ = 0;
  std::string hash_;
  std::atomic<engine::Engine*> engine_ = nullptr;
  std::mutex mutex_;  // of what follows
  std::unique_ptr<engine::Session> session_, query_session_;
};

}  // namespace

Result<std::unique_ptr<Embedder>> load_embedder(const EmbedderSettings& settings) {
  std::optional<models::Pooling> pooling;
  if (!settings.pooling.empty()) pooling = TRY(models::parse_pooling(settings.pooling));
  auto tokenizer = TRY(text::Tokenizer::load(settings.model));
  auto folder = TRY(models::open_text_folder(settings.model, pooling));
  auto embedder = std::make_unique<BertEmbedder>(settings, std::move(tokenizer), std::move(folder));
  TRY(embedder->open());
  return embedder;
}

}  // namespace alcove::papers
