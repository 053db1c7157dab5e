// Decodes JPEG strip by strip, through the libvips that sharp has loaded: the pixels are those that sharp gives, and are never in memory as a whole.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace plumage {

// Is the libvips of this process, of which these functions are used. They have been the same for all of version 8.
struct Vips;

// Gives the library at this path where it has been loaded already, or null. It stays loaded.
const Vips* loadedVips(const char* path);

class Jpeg final : public RowSource {
 public:
  // The bytes must stay. libjpeg itself makes the image smaller by `shrink`: 1, 2, 4 or 8.
  Jpeg(const Vips& vips, const unsigned char* bytes, size_t length, int shrink);
  ~Jpeg();
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;

  // Tells whether this is an image of these sides, of 8-bit RGB or grey levels.
  bool is(long height, long width) const;
  // Gives RGB.
  const unsigned char* rows(long row, long count) override;

 private:
  void release();

  const Vips& vips_;
  void* image_ = nullptr;
  void* region_ = nullptr;
  unsigned char* strip_ = nullptr;  // is libvips' own memory
  unsigned char* colours_ = nullptr;
  long width_ = 0;
  int bands_ = 0;
};

}  // namespace plumage
