// alcove template: a cover page to print, fill in and read.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "app/commands.h"
#include "app/exit_code.h"
#include "sheets/template.h"

namespace alcove::app {
namespace {

struct TemplateOptions {
  std::string out = "answer-sheet.pdf";
  std::string paper = "a4";
};

Result<void> write(const TemplateOptions& options) {
  const auto pdf = sheets::template_pdf(options.paper == "letter" ? sheets::kLetter : sheets::kA4);
  if (options.out == "-") {
    fmt::print("{}", pdf);
    return {};
  }
  std::ofstream file(options.out, std::ios::binary);
  file.write(pdf.data(), static_cast<std::streamsize>(pdf.size())).flush();
  if (!file)
    return fail(ErrorKind::BadInput, fmt::format("{} cannot be written: {}; name another file with --out",
                                                 options.out, std::strerror(errno)));
  fmt::print(
      "{} written: print it at its own size, fill it in, scan or photograph it, and give it to alcove read\n",
      options.out);
  return {};
}

}  // namespace

void add_template(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("template", "Write a form to print, fill in and read (PDF)");
  auto options = std::make_shared<TemplateOptions>();
  command->add_option("--out", options->out, "file to write; - is standard output")->capture_default_str();
  command->add_option("--paper", options->paper, "a4 or letter")
      ->check(CLI::IsMember({"a4", "letter"}))
      ->capture_default_str();
  command->callback([=, &run] {
    run = [=] {
      const auto written = write(*options);
      return written ? kDone : report(written.error());
    };
  });
}

}  // namespace alcove::app
