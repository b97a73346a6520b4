#include "app/read_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "api/sheet_json.h"
#include "api/status.h"
#include "app/compare.h"
#include "app/exit_code.h"
#include "app/text_table.h"
#include "base/csv.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "net/http_client.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

// What the original's own gateway waits for its Space, which may be asleep.
constexpr std::chrono::seconds kPatience{300};

struct Timed {
  Json body;
  double milliseconds = 0;
};

struct Compared {
  fs::path file;
  Timed ours, theirs;
  std::vector<Difference> differences;

  bool agrees() const { return std::ranges::all_of(differences, &Difference::agrees); }
};

template <class Read>
Result<Timed> timed(Read read) {
  const auto start = std::chrono::steady_clock::now();
  Timed done{TRY(read()), 0};
  done.milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return done;
}

std::string extract_url(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url.ends_with("/extract") ? url : url + "/extract";
}

// A file that cannot be read has a body too: the server's error.
Result<Timed> read_here(Bytes file, sheets::SheetReader& reader, imaging::Decoder& decoder,
                        const sheets::SheetOptions& options) {
  return timed([&]() -> Result<Json> {
    const auto reading = sheets::read_sheet(reader, decoder, file, options);
    return reading ? api::to_json(*reading, reader.models()) : api::error_json(reading.error());
  });
}

// Why a side has no reading, in its own words.
std::string error_of(const Json& body) {
  const auto detail = body.contains("detail") ? body.at("detail") : body.value("error", Json());
  return detail.is_string() ? detail.get<std::string>() : std::string();
}

// A status that is no success, or a body that is no JSON, is an answer as well. Only silence is an error.
Result<Timed> read_there(const fs::path& path, Bytes file, const std::string& url) {
  return timed([&]() -> Result<Json> {
    const std::vector<net::FormPart> form{
        {.name = "file", .file_name = path.filename().string(), .content = file}};
    const auto reply =
        TRY(net::send({.method = "POST", .url = url, .body = form, .limits = {.total = kPatience}}));
    auto body = parse_json(reply.body);
    if (!body || !body->is_object())
      return Json{{"detail", fmt::format("status {}, and a body that is no JSON object", reply.status)}};
    if (reply.status != 200 && error_of(*body).empty())
      (*body)["detail"] = fmt::format("status {}, and not a word why", reply.status);
    return *std::move(body);
  });
}

Result<Compared> compare_file(const fs::path& path, sheets::SheetReader& reader, imaging::Decoder& decoder,
                              const sheets::SheetOptions& options, const std::string& url) {
  const auto file = TRY(MappedFile::open(path));
  Compared compared{.file = path, .ours = {}, .theirs = {}, .differences = {}};
  compared.ours = TRY(read_here(file.bytes(), reader, decoder, options));
  compared.theirs = TRY(read_there(path, file.bytes(), url));
  compared.differences = compare(compared.ours.body, compared.theirs.body);
  return compared;
}

std::string said(const Difference& difference) {
  if (difference.agrees) return "agrees";
  if (!difference.distance) return "differs";
  if (!difference.is_text) return fmt::format("differs by {:.4f}", *difference.distance);
  return fmt::format("differs in {:.0f} symbol{}", *difference.distance,
                     *difference.distance == 1 ? "" : "s");
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

void print_table(const std::vector<Compared>& files) {
  std::vector<std::vector<std::string>> rows{{"FILE", "FIELD", "HERE", "THERE", ""}};
  for (const auto& file : files) {
    for (const auto& difference : file.differences)
      rows.push_back({file.file.string(), difference.field, or_dash(difference.ours),
                      or_dash(difference.theirs), said(difference)});
    if (!error_of(file.theirs.body).empty() || !error_of(file.ours.body).empty())
      rows.push_back({file.file.string(), "error", or_dash(error_of(file.ours.body)),
                      or_dash(error_of(file.theirs.body)), ""});
    rows.push_back({file.file.string(), "time", fmt::format("{:.0f} ms", file.ours.milliseconds),
                    fmt::format("{:.0f} ms", file.theirs.milliseconds),
                    fmt::format("{:.1f} x", file.theirs.milliseconds / file.ours.milliseconds)});
  }
  fmt::print("{}", text_table(rows));
}

void print_csv(const std::vector<Compared>& files) {
  fmt::print("file,field,here,there,agrees,distance,here_ms,there_ms\r\n");
  for (const auto& file : files)
    for (const auto& difference : file.differences)
      fmt::print("{}\r\n",
                 csv_row({file.file.string(), difference.field, difference.ours, difference.theirs,
                          difference.agrees ? "yes" : "no",
                          difference.distance ? fmt::format("{:.4f}", *difference.distance) : std::string(),
                          fmt::format("{:.1f}", file.ours.milliseconds),
                          fmt::format("{:.1f}", file.theirs.milliseconds)}));
}

void print_json(const std::vector<Compared>& files) {
  auto array = Json::array();
  for (const auto& file : files) {
    auto fields = Json::array();
    for (const auto& difference : file.differences)
      fields.push_back({{"field", difference.field},
                        {"ours", difference.ours},
                        {"theirs", difference.theirs},
                        {"agrees", difference.agrees},
                        {"distance", difference.distance ? Json(*difference.distance) : Json()}});
    array.push_back(
        {{"file", file.file.string()},
         {"agrees", file.agrees()},
         {"fields", std::move(fields)},
         {"milliseconds", {{"ours", file.ours.milliseconds}, {"theirs", file.theirs.milliseconds}}},
         {"ours", file.ours.body},
         {"theirs", file.theirs.body}});
  }
  fmt::print("{}\n", to_text(array, 2));
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void print_summary(const std::vector<Compared>& files) {
  std::vector<double> ours, theirs;
  for (const auto& file : files) {
    ours.push_back(file.ours.milliseconds);
    theirs.push_back(file.theirs.milliseconds);
  }
  fmt::print(stderr, "{} of {} agree in every field; median {:.0f} ms here, {:.0f} ms there\n",
             std::ranges::count_if(files, &Compared::agrees), files.size(), median(ours), median(theirs));
}

}  // namespace

int read_and_compare(const std::vector<fs::path>& files, sheets::SheetReader& reader,
                     imaging::Decoder& decoder, const sheets::SheetOptions& options,
                     const OtherServer& server) {
  const auto url = extract_url(server.url);
  std::vector<Compared> compared;
  {
    Progress progress(files.size(), "sheets");
    for (const auto& file : files) {
      auto one = compare_file(file, reader, decoder, options, url);
      // What one file does the next will do too: the server is not there, or the disk.
      if (!one) return report(one.error());
      compared.push_back(*std::move(one));
      progress.advance();
    }
  }
  if (server.format == "json")
    print_json(compared);
  else if (server.format == "csv")
    print_csv(compared);
  else
    print_table(compared);
  print_summary(compared);
  return std::ranges::all_of(compared, &Compared::agrees) ? kDone : kNeedsAttention;
}

}  // namespace alcove::app
