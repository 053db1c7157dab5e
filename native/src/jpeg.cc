#include "jpeg.h"

#include <cstdlib>
#include <mutex>

#if defined(__linux__) || defined(__APPLE__)
#include <dlfcn.h>
#endif

namespace plumage {

struct Vips {
  int (*loadJpeg)(const void* bytes, size_t length, void** image, ...);
  int (*width)(const void* image);
  int (*height)(const void* image);
  int (*bands)(const void* image);
  int (*format)(const void* image);
  int (*interpretation)(const void* image);
  void* (*newRegion)(void* image);
  unsigned char* (*fetch)(void* region, int left, int top, int width, int height, size_t* length);
  void (*unref)(void* object);
  void (*free)(void* memory);
  void (*clearError)();
  void (*shutThreadDown)();
};

namespace {

// These are numbers of libvips' enumerations VipsAccess, VipsFailOn, VipsBandFormat and VipsInterpretation.
constexpr int ACCESS_SEQUENTIAL = 1, FAIL_ON_ERROR = 2, FORMAT_UCHAR = 0, BLACK_AND_WHITE = 1, SRGB = 22;

#if defined(__linux__) || defined(__APPLE__)
template <typename Function>
bool find(void* library, const char* name, Function** function) {
  *function = reinterpret_cast<Function*>(dlsym(library, name));
  return *function != nullptr;
}

bool findAll(void* library, Vips& vips) {
  return find(library, "vips_jpegload_buffer", &vips.loadJpeg) && find(library, "vips_image_get_width", &vips.width) &&
         find(library, "vips_image_get_height", &vips.height) && find(library, "vips_image_get_bands", &vips.bands) &&
         find(library, "vips_image_get_format", &vips.format) && find(library, "vips_image_get_interpretation", &vips.interpretation) &&
         find(library, "vips_region_new", &vips.newRegion) && find(library, "vips_region_fetch", &vips.fetch) &&
         find(library, "g_object_unref", &vips.unref) && find(library, "g_free", &vips.free) &&
         find(library, "vips_error_clear", &vips.clearError) && find(library, "vips_thread_shutdown", &vips.shutThreadDown);
}
#endif

}  // namespace

const Vips* loadedVips(const char* path) {
#if defined(__linux__) || defined(__APPLE__)
  static std::mutex mutex;
  static Vips vips;
  static bool found = false;
  const std::lock_guard<std::mutex> lock(mutex);
  if (found) return &vips;
  void* library = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return nullptr;
  found = findAll(library, vips);
  return found ? &vips : nullptr;
#else
  return nullptr;
#endif
}

Jpeg::Jpeg(const Vips& vips, const unsigned char* bytes, size_t length, int shrink) : vips_(vips) {
  if (vips.loadJpeg(bytes, length, &image_, "access", ACCESS_SEQUENTIAL, "fail_on", FAIL_ON_ERROR, "shrink", shrink,
                    static_cast<char*>(nullptr)) != 0) {
    image_ = nullptr;
    return;
  }
  width_ = vips.width(image_);
  bands_ = vips.bands(image_);
  region_ = vips.newRegion(image_);
}

Jpeg::~Jpeg() {
  release();
  if (region_ != nullptr) vips_.unref(region_);
  if (image_ != nullptr) vips_.unref(image_);
  std::free(colours_);
  // libvips keeps messages for the process, and buffers for each thread that has used it.
  vips_.clearError();
  vips_.shutThreadDown();
}

bool Jpeg::is(long height, long width) const {
  if (region_ == nullptr || vips_.height(image_) != height || width_ != width || vips_.format(image_) != FORMAT_UCHAR) return false;
  const int interpretation = vips_.interpretation(image_);
  return (bands_ == 3 && interpretation == SRGB) || (bands_ == 1 && interpretation == BLACK_AND_WHITE);
}

const unsigned char* Jpeg::rows(long row, long count) {
  release();
  size_t length = 0;
  strip_ = vips_.fetch(region_, 0, static_cast<int>(row), static_cast<int>(width_), static_cast<int>(count), &length);
  const size_t pixels = static_cast<size_t>(width_) * static_cast<size_t>(count);
  if (strip_ == nullptr || length != pixels * static_cast<size_t>(bands_)) return nullptr;
  if (bands_ == 3) return strip_;
  std::free(colours_);
  colours_ = static_cast<unsigned char*>(std::malloc(pixels * 3));
  if (colours_ == nullptr) return nullptr;
  for (size_t i = 0; i < pixels; i++) colours_[3 * i] = colours_[3 * i + 1] = colours_[3 * i + 2] = strip_[i];
  return colours_;
}

void Jpeg::release() {
  if (strip_ != nullptr) vips_.free(strip_);
  strip_ = nullptr;
}

}  // namespace plumage
