#include "imaging/straighten.h"

#include <emmintrin.h>  // SSE2, which every x86-64 has

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace alcove::imaging {
namespace {

constexpr int kCopySide = 800;  // of the copy that lines are looked for on
constexpr int kEdge = 20;       // least step between two rows that counts as an edge, grey levels
constexpr int kEdgeLimit = 80;  // a black bar is no better a line than a pencil's
// Enough to tell; more are thinned out. Many angles are tried with few edges, then few with many.
constexpr std::size_t kCoarseEdges = 8'000, kEdges = 24'000;
constexpr double kCoarseStep = 0.5, kFineStep = 0.1;  // degrees
constexpr int kCoarseRow = 3;  // pixels: wide enough that no line slips between two coarse angles
// The best angle's score over the mean of all: below this there are no lines to go by. Blank paper and
// photographs stay under 1.1, a form of three ruled lines reaches 1.5.
constexpr double kStandsOut = 1.2;

struct Edge {
  float x = 0, y = 0, weight = 0;
};

double radians(double degrees) { return degrees * std::numbers::pi / 180; }

constexpr int kAtOnce = 16;  // bytes

// Whether any of kAtOnce pixels may be an edge. Most of a page is paper, and passed over so.
bool may_have_edge(const std::uint8_t* above, const std::uint8_t* below) {
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(above));
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(below));
  const __m128i difference = _mm_max_epu8(_mm_subs_epu8(a, b), _mm_subs_epu8(b, a));
  const __m128i least = _mm_set1_epi8(kEdge);
  return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(difference, least), difference)) != 0;
}

// Where the grey changes from one row to the next more than from one column to the next.
std::vector<Edge> level_edges(const Image& grey) {
  std::vector<Edge> edges;
  for (int y = 1; y + 1 < grey.height; ++y) {
    const auto *above = grey.row(y - 1), *row = grey.row(y), *below = grey.row(y + 1);
    for (int x = 1; x + 1 < grey.width; ++x) {
      while (x + kAtOnce < grey.width && !may_have_edge(above + x, below + x)) x += kAtOnce;
      const int down = std::abs(below[x] - above[x]);
      if (down < kEdge || down < 2 * std::abs(row[x + 1] - row[x - 1])) continue;
      edges.push_back(
          {static_cast<float>(x), static_cast<float>(y), static_cast<float>(std::min(down, kEdgeLimit))});
    }
  }
  return edges;
}

// Every n-th edge, so that at most `limit` remain.
std::vector<Edge> thinned(const std::vector<Edge>& edges, std::size_t limit) {
  const std::size_t step = edges.size() / limit + 1;
  std::vector<Edge> kept;
  for (std::size_t i = 0; i < edges.size(); i += step) kept.push_back(edges[i]);
  return kept;
}

// Sum of the squared rows' weights when lines that climb by `degrees` are counted as level.
double levelness(const std::vector<Edge>& edges, double degrees, int row_height, const Image& grey) {
  const auto slope = static_cast<float>(std::tan(radians(degrees)));
  const auto reach = std::abs(slope) * static_cast<float>(grey.width);
  std::vector<float> rows(static_cast<std::size_t>((static_cast<float>(grey.height) + 2 * reach) /
                                                   static_cast<float>(row_height)) +
                          2);
  const float scale = 1.0F / static_cast<float>(row_height);
  for (const auto& edge : edges)
    rows[static_cast<std::size_t>((edge.y + edge.x * slope + reach) * scale)] += edge.weight;
  double sum = 0;
  for (const float row : rows) sum += static_cast<double>(row) * row;
  return sum;
}

}  // namespace

double find_skew(const Image& page) {
  const Image grey = to_grey(shrunk_to(page, kCopySide));
  const auto edges = thinned(level_edges(grey), kEdges);
  const auto some = thinned(edges, kCoarseEdges);
  double best = 0, best_score = 0, sum = 0;
  const int half = static_cast<int>(kMostSkew / kCoarseStep);
  for (int i = -half; i <= half; ++i) {
    const double score = levelness(some, i * kCoarseStep, kCoarseRow, grey);
    sum += score;
    if (score > best_score) best = i * kCoarseStep, best_score = score;
  }
  if (best_score * (2 * half + 1) < kStandsOut * sum || edges.empty()) return 0;

  const double coarse = best;
  best_score = 0;
  const int steps = static_cast<int>(std::lround(kCoarseStep / kFineStep));
  for (int i = -steps; i <= steps; ++i) {
    const double angle = coarse + i * kFineStep;
    const double score = levelness(edges, angle, 1, grey);
    if (score > best_score) best = angle, best_score = score;
  }
  return std::round(best / kFineStep) * kFineStep;
}

Image rotate(const Image& page, double degrees) {
  const double sine = std::sin(radians(degrees)), cosine = std::cos(radians(degrees));
  const int width = static_cast<int>(std::ceil(page.width * std::abs(cosine) + page.height * std::abs(sine)));
  const int height =
      static_cast<int>(std::ceil(page.width * std::abs(sine) + page.height * std::abs(cosine)));
  Image turned = make_image(width, height, page.channels, 255);
  constexpr int kBits = 8;  // of fraction: finer than the eight bits of a pixel can show
  constexpr int kOne = 1 << kBits;
  for (int y = 0; y < height; ++y) {
    std::uint8_t* out = turned.row(y);
    const double down = y + 0.5 - height / 2.0;
    for (int x = 0; x < width; ++x, out += page.channels) {
      const double across = x + 0.5 - width / 2.0;
      const double from_x = across * cosine + down * sine + page.width / 2.0 - 0.5;
      const double from_y = down * cosine - across * sine + page.height / 2.0 - 0.5;
      if (from_x < 0 || from_y < 0 || from_x > page.width - 1 || from_y > page.height - 1) continue;
      const int left = std::min(static_cast<int>(from_x), std::max(0, page.width - 2));
      const int top = std::min(static_cast<int>(from_y), std::max(0, page.height - 2));
      const int right_share = static_cast<int>((from_x - left) * kOne);
      const int lower_share = static_cast<int>((from_y - top) * kOne);
      const int step = page.width > 1 ? page.channels : 0;
      const std::uint8_t* above = page.row(top) + static_cast<std::size_t>(left) * page.channels;
      const std::uint8_t* below = page.height > 1 ? above + page.row_bytes() : above;
      for (int c = 0; c < page.channels; ++c) {
        const int upper = above[c] * (kOne - right_share) + above[c + step] * right_share;
        const int lower = below[c] * (kOne - right_share) + below[c + step] * right_share;
        out[c] = static_cast<std::uint8_t>(
            (upper * (kOne - lower_share) + lower * lower_share + (1 << (2 * kBits - 1))) >> (2 * kBits));
      }
    }
  }
  return turned;
}

Image shrunk_to(const Image& page, int side) {
  const double scale = static_cast<double>(side) / std::max(page.width, page.height);
  if (scale >= 1) return page;
  const auto shrunk = [&](int length) { return std::max(1, static_cast<int>(std::lround(length * scale))); };
  return resize_linear(page, shrunk(page.width), shrunk(page.height));
}

}  // namespace alcove::imaging
