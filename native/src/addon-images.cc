// Holds the addon's functions on images. They run on the threads that read files and decode, and need no engine.
#include "background.h"
#include "functions.h"
#include "host.h"

namespace plumage {
namespace {

// No side of an image comes near this, and products of two of them can't run over.
constexpr long MOST_PIXELS = 1L << 30;

// Elements [at, at + 3) of `kept` are first, count and weights of an axis of `inputs`. Throws for taps outside it.
ResampleAxis axisOf(napi_env env, napi_value kept, uint32_t at, long inputs, int bits) {
  const Span<int> first = integers(env, element(env, kept, at), "The first taps");
  const Span<int> count = integers(env, element(env, kept, at + 1), "The numbers of taps");
  const Span<int> weights = integers(env, element(env, kept, at + 2), "The weights of taps");
  const long outputs = static_cast<long>(first.length);
  const long stride = outputs == 0 ? 0 : static_cast<long>(weights.length) / outputs;
  bool fits = count.length == first.length && weights.length == first.length * static_cast<size_t>(stride);
  for (long i = 0; fits && i < outputs; i++) {
    fits = first.data[i] >= 0 && count.data[i] >= 1 && count.data[i] <= stride && count.data[i] <= inputs - first.data[i];
  }
  for (size_t i = 0; fits && i < weights.length; i++) fits = weights.data[i] <= LARGEST_WEIGHT && weights.data[i] >= -LARGEST_WEIGHT;
  if (!fits) throw Refusal(WRONG_ARGUMENT, "The taps do not lie within a side of %ld pixels.", inputs);
  return {first.data, count.data, weights.data, stride, outputs, bits};
}

// resample(instructionSet, height, width, horizontalBits, verticalBits, verticalFirst,
//          [callback, image, out, first, count, weights of the horizontal axis, then of the vertical one])
napi_value resample(napi_env env, napi_value* arguments) {
  const Kernels& kernels = kernelsNamed(env, arguments[0]);
  const long height = whole(env, arguments[1], "The height", 1, MOST_PIXELS);
  const long width = whole(env, arguments[2], "The width", 1, MOST_PIXELS);
  const int horizontalBits = static_cast<int>(whole(env, arguments[3], "The bits of horizontal weights", 1, 30));
  const int verticalBits = static_cast<int>(whole(env, arguments[4], "The bits of vertical weights", 1, 30));
  const bool verticalFirst = boolean(env, arguments[5]);
  const Span<unsigned char> from = bytes(env, element(env, arguments[6], 1), "The image");
  const Span<unsigned char> to = bytes(env, element(env, arguments[6], 2), "The resized image");
  const ResampleAxis horizontal = axisOf(env, arguments[6], 3, width, horizontalBits);
  const ResampleAxis vertical = axisOf(env, arguments[6], 6, height, verticalBits);
  const long newWidth = horizontal.outputs > 0 ? horizontal.outputs : width;
  const long newHeight = vertical.outputs > 0 ? vertical.outputs : height;
  if (newWidth > MOST_PIXELS || newHeight > MOST_PIXELS || horizontal.outputs + vertical.outputs == 0 ||
      from.length != static_cast<size_t>(height) * width * 3 || to.length != static_cast<size_t>(newHeight) * newWidth * 3) {
    throw Refusal(WRONG_ARGUMENT, "An image of %ld x %ld pixels in %zu bytes does not become one of %ld x %ld in %zu bytes.", height, width,
                  from.length, newHeight, newWidth, to.length);
  }
  const ResampleArgs args{from.data, height, width, horizontal, vertical, verticalFirst, to.data};
  queueWork(env, "plumage resample", arguments[6], [&kernels, args](Outcome& outcome) {
    const long bytes = kernels.resampleScratchBytes(args);
    const std::shared_ptr<Region> scratch = Region::allocate(static_cast<size_t>(bytes));
    if (scratch == nullptr) {
      outcome.status = Status::outOfMemory;
      outcome.value = static_cast<double>(bytes);
    } else {
      kernels.resample(args, reinterpret_cast<char*>(scratch->floats()));
    }
  });
  return nullptr;
}

}  // namespace

void defineImages(napi_env env, napi_value exports) { define<resample, 7>(env, exports, "resample"); }

}  // namespace plumage
