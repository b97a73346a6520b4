// alcove embed: texts in, vectors out.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/reader_options.h"
#include "app/text_input.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "papers/embedder.h"

namespace alcove::app {
namespace {

// Texts whose vectors are printed together: what a reader down a pipe waits for at most.
constexpr std::size_t kTextsAtOnce = 8192;

struct EmbedOptions {
  std::string file;
  bool tokens = false;
  papers::EmbedderSettings embedder;
  ReaderOptions engine;
};

Result<std::string> read_all(const std::string& file) {
  if (file != "-") return std::string(as_text(TRY(MappedFile::open(file)).bytes()));
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

papers::EmbedText as_text_to_embed(const TextInput& input) {
  return {.title = input.title, .abstract = input.abstract};
}

void print_row(std::string& line, auto&& numbers) {
  line += '[';
  for (bool first = true; const auto number : numbers) {
    fmt::format_to(std::back_inserter(line), "{}{}", first ? "" : ",", number);
    first = false;
  }
  line += "]\n";
}

Result<void> print_vectors(papers::Embedder& embedder, std::span<const papers::EmbedText> texts) {
  Progress bar(texts.size(), "texts");
  for (std::size_t at = 0; at < texts.size(); at += kTextsAtOnce) {
    const auto some = texts.subspan(at, std::min(kTextsAtOnce, texts.size() - at));
    std::size_t shown = 0;
    const auto vectors = TRY(embedder.embed(some, papers::Purpose::Paper, [&](std::size_t done) {
      for (; shown < done; ++shown) bar.advance();
      return true;
    }));
    std::string lines;
    for (std::size_t row = 0; row < vectors.size(); ++row) print_row(lines, vectors[row]);
    fmt::print("{}", lines);
  }
  return {};
}

Result<void> embed(EmbedOptions options) {
  const auto text = TRY(read_all(options.file));
  auto inputs = parse_texts(text);
  if (!inputs)
    return fail_in(options.file == "-" ? "standard input" : options.file, std::move(inputs).error());
  options.embedder.engine = TRY(engine_settings(options.engine));
  const auto embedder = TRY(papers::load_embedder(options.embedder));
  std::vector<papers::EmbedText> texts;
  for (const auto& input : *inputs) texts.push_back(as_text_to_embed(input));
  if (!options.tokens) return print_vectors(*embedder, texts);
  for (const auto& each : texts) {
    std::string line;
    print_row(line, embedder->tokens_of(each));
    fmt::print("{}", line);
  }
  return {};
}

}  // namespace

void add_embed(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("embed", "Turn texts into vectors: one JSON array a line, in order");
  auto options = std::make_shared<EmbedOptions>();
  auto& embedder = options->embedder;
  command
      ->add_option(
          "file", options->file,
          "a JSON array of strings, or one JSON value a line; objects have text, or title and abstract; - is "
          "standard input")
      ->required();
  command
      ->add_option("--model", embedder.model,
                   "folder of a BERT model, transformers' or sentence-transformers'")
      ->envname("ALCOVE_MODEL")
      ->required();
  command->add_option("--adapter", embedder.adapter, "folder of a bottleneck adapter")
      ->envname("ALCOVE_ADAPTER");
  command->add_option("--pooling", embedder.pooling, "cls, mean or max, instead of what the folder says");
  command->add_option("--max-tokens", embedder.max_tokens, "of a text; what is past them is not read");
  command->add_flag("--compat", embedder.compat,
                    "a blank between title and abstract, as the original finder has it");
  command->add_flag("--tokens", options->tokens, "print what the model reads, token ids, instead of vectors");
  add_engine_options(*command, options->engine);
  command->callback([options, &run] {
    run = [options] {
      set_log_level(LogLevel::Warning);
      const auto done = embed(*options);
      return done ? kDone : report(done.error());
    };
  });
}

}  // namespace alcove::app
