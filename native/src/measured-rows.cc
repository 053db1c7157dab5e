#include "measured-rows.h"

#include <algorithm>
#include <cstring>

namespace plumage {

namespace {

unsigned char* bytesOf(const std::shared_ptr<Region>& region) { return reinterpret_cast<unsigned char*>(region->floats()); }

bool take(std::shared_ptr<Region>& region, long bytes, Outcome& outcome) {
  region = Region::allocate(static_cast<size_t>(bytes));
  if (region != nullptr) return true;
  outcome.status = Status::outOfMemory;
  outcome.value = static_cast<double>(bytes);
  return false;
}

// Says where the upright image's first pixel is stored, and how far on its next row and its next column are, in pixels.
struct Walk {
  long first, down, right;
};

// Turns as src/image/turn-upright.ts does.
Walk walkOf(int orientation, long height, long width) {
  switch (orientation) {
    case 2:
      return {width - 1, width, -1};
    case 3:
      return {height * width - 1, -width, -1};
    case 4:
      return {(height - 1) * width, -width, 1};
    case 5:
      return {0, 1, width};
    case 6:
      return {(height - 1) * width, 1, -width};
    case 7:
      return {height * width - 1, -1, -width};
    case 8:
      return {width - 1, -1, width};
    default:
      return {0, width, 1};
  }
}

}  // namespace

MeasuredRows::MeasuredRows(const Kernels& kernels, RowSource& source, const MeasureTask& task)
    : kernels_(kernels), source_(source), measures_(task.measures), orientation_(task.orientation) {}

bool MeasuredRows::begin(Outcome& outcome) {
  const long row = measures_.width * 3;
  if (!take(sums_, row * static_cast<long>(sizeof(unsigned short)), outcome)) return false;
  measures_.sums = reinterpret_cast<unsigned short*>(bytesOf(sums_));
  return orientation_ == 1 || (take(image_, measures_.height * row, outcome) && take(strip_, ROWS * row, outcome));
}

const unsigned char* MeasuredRows::rows(long row, long count) {
  const unsigned char* found = source_.rows(row, count);
  if (found == nullptr) return nullptr;
  if (orientation_ == 1) {
    kernels_.measureRows(measures_, found, count);
  } else {
    const long length = storedWidth() * 3;
    std::memcpy(bytesOf(image_) + row * length, found, static_cast<size_t>(count * length));
  }
  return found;
}

void MeasuredRows::finish() {
  if (orientation_ != 1) measureTurned();
  kernels_.finishMeasures(measures_);
}

void MeasuredRows::measureTurned() {
  const Walk walk = walkOf(orientation_, storedHeight(), storedWidth());
  const unsigned char* image = bytesOf(image_);
  unsigned char* strip = bytesOf(strip_);
  const long width = measures_.width;
  const auto copy = [&](long y, long x, long stripRow) {
    const unsigned char* from = image + (walk.first + y * walk.down + x * walk.right) * 3;
    unsigned char* to = strip + (stripRow * width + x) * 3;
    to[0] = from[0];
    to[1] = from[1];
    to[2] = from[2];
  };
  for (long row = 0; row < measures_.height; row += ROWS) {
    const long count = std::min(ROWS, measures_.height - row);
    // Pixels that are stored side by side are read together.
    if (orientation_ >= 5) {
      for (long x = 0; x < width; x++)
        for (long i = 0; i < count; i++) copy(row + i, x, i);
    } else {
      for (long i = 0; i < count; i++)
        for (long x = 0; x < width; x++) copy(row + i, x, i);
    }
    kernels_.measureRows(measures_, strip, count);
  }
}

}  // namespace plumage
