#include "api/page_picture.h"

#include <nlohmann/json.hpp>

#include "imaging/decode_pool.h"
#include "imaging/encode_jpeg.h"
#include "imaging/picture_pdf.h"
#include "imaging/straighten.h"
#include "sheets/pipeline.h"

namespace alcove::api {
namespace {

constexpr int kMostPixels = 2400;  // a side: a cut-out of it is as sharp as the scan
constexpr int kQuality = 82;
constexpr int kMostPages = 10'000;
constexpr double kMostDegrees = 45;

// A reply may be a stranger's: what is no sound way to hold a page is left out.
sheets::SheetReading way_of(const Json& reply) {
  sheets::SheetReading reading;
  const auto& number = member(member(reply, "page"), "number");
  const auto& turned = member(reply, "orientation");
  const auto& skew = member(reply, "skew");
  if (number.is_number_unsigned() && number <= kMostPages) reading.page = std::max(1, number.get<int>());
  if (turned.is_number_unsigned() && turned < 360) reading.orientation = turned.get<int>() / 90 * 90;
  if (skew.is_number() && std::abs(skew.get<double>()) < kMostDegrees) reading.skew = skew.get<double>();
  return reading;
}

}  // namespace

PagePictures::PagePictures() = default;
PagePictures::~PagePictures() = default;

imaging::DecodePool& PagePictures::pool() {
  const std::lock_guard lock(mutex_);
  if (!pool_) pool_ = std::make_unique<imaging::DecodePool>();
  return *pool_;
}

Result<std::string> PagePictures::picture(Bytes file, const Json& reply) {
  const auto page = TRY(sheets::page_of(pool(), file, way_of(reply)));
  return imaging::encode_jpeg(imaging::shrunk_to(page, kMostPixels), kQuality);
}

Result<std::string> PagePictures::pdf(Bytes file) {
  if (imaging::sniff(file) == imaging::Format::Pdf) return std::string(as_text(file));
  if (auto as_it_is = imaging::picture_as_pdf(file)) return *std::move(as_it_is);  // without a child
  return imaging::any_picture_as_pdf(pool(), file);
}

}  // namespace alcove::api
