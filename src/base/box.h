#pragma once
// A rectangle on a page.

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

}  // namespace alcove
