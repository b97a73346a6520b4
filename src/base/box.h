#pragma once
// A rectangle on a page.

#include <algorithm>

namespace alcove {

// In pixels, fractions allowed; right and bottom are exclusive.
struct Box {
  float left = 0;
  float top = 0;
  float right = 0;
  float bottom = 0;

  float width() const { return right - left; }
  float height() const { return bottom - top; }
};

// Of what both cover, in square pixels; 0 when they lie apart.
inline float common_area(const Box& a, const Box& b) {
  const float width = std::max(0.0F, std::min(a.right, b.right) - std::max(a.left, b.left));
  const float height = std::max(0.0F, std::min(a.bottom, b.bottom) - std::max(a.top, b.top));
  return width * height;
}

}  // namespace alcove
