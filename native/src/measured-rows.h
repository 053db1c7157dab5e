// Measures an image on its way from whoever decodes it to whoever resizes it: its levels are read while they lie in the cache.
#pragma once

#include <memory>

#include "kernels.h"
#include "memory.h"
#include "outcome.h"

namespace plumage {

// Gives rows of an image that is in memory.
class StoredRows final : public RowSource {
 public:
  StoredRows(const unsigned char* image, long width) : image_(image), width_(width) {}
  const unsigned char* rows(long row, long) override { return image_ + row * width_ * 3; }

 private:
  const unsigned char* image_;
  long width_;
};

// Says what is measured: the image as it is upright, by the EXIF orientation of the rows.
struct MeasureTask {
  PixelMeasures measures;  // of the upright image
  int orientation;         // 1 to 8
};

class MeasuredRows final : public RowSource {
 public:
  // The source must stay.
  MeasuredRows(const Kernels& kernels, RowSource& source, const MeasureTask& task);
  // Gives the rows that the source gives. Each row is to be asked for once, from the first on.
  const unsigned char* rows(long row, long count) override;
  // Takes memory. Gives false where the system refuses it, which the outcome says.
  bool begin(Outcome& outcome);
  // Is to be called when all rows have come.
  void finish();
  const PixelMeasures& measures() const { return measures_; }

 private:
  // Measures an image that lies otherwise than upright: it is known only when its last row is.
  void measureTurned();
  long storedWidth() const { return orientation_ >= 5 ? measures_.height : measures_.width; }
  long storedHeight() const { return orientation_ >= 5 ? measures_.width : measures_.height; }

  const Kernels& kernels_;
  RowSource& source_;
  PixelMeasures measures_;
  int orientation_;
  std::shared_ptr<Region> sums_;
  std::shared_ptr<Region> image_;  // of an image that is to be turned
  std::shared_ptr<Region> strip_;
};

}  // namespace plumage
