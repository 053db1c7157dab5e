// Holds the addon's functions on images. They run on the threads that read files and decode, and need no engine.
#include <algorithm>
#include <cstring>

#include "background.h"
#include "functions.h"
#include "host.h"
#include "jpeg.h"
#include "measured-rows.h"

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

// Reads what a resize is asked for by JavaScript: [height, width, horizontalBits, verticalBits, verticalFirst], and in `kept` from `at` on
// out, first, count, weights of the horizontal axis, then of the vertical one. Without outputs on either axis nothing is to be resized.
ResampleArgs argsOf(napi_env env, const napi_value* arguments, napi_value kept, uint32_t at) {
  const long height = whole(env, arguments[0], "The height", 1, MOST_PIXELS);
  const long width = whole(env, arguments[1], "The width", 1, MOST_PIXELS);
  const int horizontalBits = static_cast<int>(whole(env, arguments[2], "The bits of horizontal weights", 1, 30));
  const int verticalBits = static_cast<int>(whole(env, arguments[3], "The bits of vertical weights", 1, 30));
  const bool verticalFirst = boolean(env, arguments[4]);
  const Span<unsigned char> to = bytes(env, element(env, kept, at), "The resized image");
  const ResampleAxis horizontal = axisOf(env, kept, at + 1, width, horizontalBits);
  const ResampleAxis vertical = axisOf(env, kept, at + 4, height, verticalBits);
  const long newWidth = horizontal.outputs > 0 ? horizontal.outputs : width;
  const long newHeight = vertical.outputs > 0 ? vertical.outputs : height;
  if (newWidth > MOST_PIXELS || newHeight > MOST_PIXELS || to.length != static_cast<size_t>(newHeight) * newWidth * 3) {
    throw Refusal(WRONG_ARGUMENT, "An image of %ld x %ld pixels does not become one of %ld x %ld in %zu bytes.", height, width, newHeight, newWidth,
                  to.length);
  }
  return {nullptr, nullptr, height, width, horizontal, vertical, verticalFirst, to.data};
}

// Gives false where the rows do not come, or there is no memory, which the outcome says.
bool resampleWith(const Kernels& kernels, const ResampleArgs& args, Outcome& outcome) {
  const long bytes = kernels.resampleScratchBytes(args);
  const std::shared_ptr<Region> scratch = Region::allocate(static_cast<size_t>(bytes));
  if (scratch == nullptr) {
    outcome.status = Status::outOfMemory;
    outcome.value = static_cast<double>(bytes);
    return false;
  }
  return kernels.resample(args, reinterpret_cast<char*>(scratch->floats()));
}

// resample(instructionSet, height, width, horizontalBits, verticalBits, verticalFirst,
//          [callback, image, out, first, count, weights of the horizontal axis, then of the vertical one])
napi_value resample(napi_env env, napi_value* arguments) {
  const Kernels& kernels = kernelsNamed(env, arguments[0]);
  ResampleArgs args = argsOf(env, arguments + 1, arguments[6], 2);
  const Span<unsigned char> from = bytes(env, element(env, arguments[6], 1), "The image");
  if (args.horizontal.outputs + args.vertical.outputs == 0 || from.length != static_cast<size_t>(args.height) * args.width * 3) {
    throw Refusal(WRONG_ARGUMENT, "An image of %ld x %ld pixels in %zu bytes is not to be resized.", args.height, args.width, from.length);
  }
  args.in = from.data;
  queueWork(env, "plumage resample", arguments[6], [&kernels, args](Outcome& outcome) { resampleWith(kernels, args, outcome); });
  return nullptr;
}

bool copyRows(RowSource& source, const ResampleArgs& args) {
  for (long row = 0; row < args.height; row += RowSource::ROWS) {
    const long count = std::min(RowSource::ROWS, args.height - row);
    const unsigned char* rows = source.rows(row, count);
    if (rows == nullptr) return false;
    std::memcpy(args.out + row * args.width * 3, rows, static_cast<size_t>(count * args.width * 3));
  }
  return true;
}

// Reads what is to be measured of an image of height x width pixels as it is stored: [orientation, factor], and in `kept` from `at` on the states of the digest,
// the averages and the bytes that make no word, for which `rest` is the room. A factor of 0 measures nothing.
MeasureTask measureOf(napi_env env, const napi_value* arguments, napi_value kept, uint32_t at, long height, long width, Span<unsigned char>* rest) {
  const int orientation = static_cast<int>(whole(env, arguments[0], "The orientation", 1, 8));
  const long factor = whole(env, arguments[1], "The side of an averaged square", 0, MOST_AVERAGED);
  const Span<int> states = integers(env, element(env, kept, at), "The digest of an image");
  const Span<unsigned char> averages = bytes(env, element(env, kept, at + 1), "The averages of an image");
  *rest = bytes(env, element(env, kept, at + 2), "The last bytes of an image");
  if (orientation >= 5) std::swap(height, width);
  if (factor > 0) {
    const size_t levels = static_cast<size_t>(height) * static_cast<size_t>(width) * 3, words = levels / 4;
    const size_t blocks = (words + static_cast<size_t>(DIGEST_BLOCK) - 1) / static_cast<size_t>(DIGEST_BLOCK);
    const size_t squares = static_cast<size_t>(height / factor) * static_cast<size_t>(width / factor);
    if (states.length != blocks * 2 * static_cast<size_t>(DIGEST_LANES) || averages.length != squares * 3 || rest->length != levels % 4) {
      throw Refusal(WRONG_ARGUMENT, "What is measured of an image of %ld x %ld pixels does not have %zu words, %zu averages and %zu bytes.", height, width,
                    states.length, averages.length, rest->length);
    }
  }
  PixelMeasures measures = {};
  measures.height = height;
  measures.width = width;
  measures.factor = factor;
  measures.states = states.data;
  measures.averages = averages.data;
  return {measures, orientation};
}

// Lets `work` take the rows of a source, which are measured on their way where a task says so. Gives false where the rows do not come, or there is no
// memory, which the outcome says.
template <typename Work>
bool measuring(const Kernels& kernels, RowSource& source, const MeasureTask& task, Span<unsigned char> rest, Outcome& outcome, Work work) {
  if (task.measures.factor == 0) return work(source);
  MeasuredRows measured(kernels, source, task);
  if (!measured.begin(outcome) || !work(measured)) return false;
  measured.finish();
  const PixelMeasures& found = measured.measures();
  std::memcpy(rest.data, found.carried + found.carriedBytes / 4 * 4, rest.length);
  return true;
}

// measurePixels(instructionSet, height, width, orientation, factor, [callback, image, states, averages, rest])
// Height and width are those of the image as it is stored.
napi_value measurePixels(napi_env env, napi_value* arguments) {
  const Kernels& kernels = kernelsNamed(env, arguments[0]);
  const long height = whole(env, arguments[1], "The height", 1, MOST_PIXELS);
  const long width = whole(env, arguments[2], "The width", 1, MOST_PIXELS);
  Span<unsigned char> rest = {};
  const MeasureTask task = measureOf(env, arguments + 3, arguments[5], 2, height, width, &rest);
  const Span<unsigned char> image = bytes(env, element(env, arguments[5], 1), "The image");
  if (task.measures.factor == 0 || image.length != static_cast<size_t>(height) * static_cast<size_t>(width) * 3) {
    throw Refusal(WRONG_ARGUMENT, "An image of %ld x %ld pixels in %zu bytes is not to be measured.", height, width, image.length);
  }
  queueWork(env, "plumage measure", arguments[5], [&kernels, image, task, rest, height, width](Outcome& outcome) {
    StoredRows stored(image.data, width);
    measuring(kernels, stored, task, rest, outcome, [height](RowSource& rows) {
      for (long row = 0; row < height; row += RowSource::ROWS) rows.rows(row, std::min(RowSource::ROWS, height - row));
      return true;
    });
  });
  return nullptr;
}

const Vips* vipsAt(napi_env env, napi_value library) {
  char path[4096];
  check(env, napi_get_value_string_utf8(env, library, path, sizeof path, nullptr));
  return loadedVips(path);
}

// hasLibvips(library) -> boolean
napi_value hasLibvips(napi_env env, napi_value* arguments) {
  napi_value has;
  check(env, napi_get_boolean(env, vipsAt(env, arguments[0]) != nullptr, &has));
  return has;
}

// decodeJpeg(instructionSet, library, shrink, height, width, horizontalBits, verticalBits, verticalFirst, orientation, factor,
//            [callback, file, out, first, count, weights of the horizontal axis, then of the vertical one, states, averages, rest])
// Height and width are those of the image when it has been shrunk. Calls back with the value 1 where the image is there, and 0 where it is none of this
// kind or does not decode, which another decoder says in words.
napi_value decodeJpeg(napi_env env, napi_value* arguments) {
  const Kernels& kernels = kernelsNamed(env, arguments[0]);
  const Vips* vips = vipsAt(env, arguments[1]);
  const int shrink = static_cast<int>(whole(env, arguments[2], "The shrinking", 1, 8));
  const ResampleArgs args = argsOf(env, arguments + 3, arguments[10], 2);
  const Span<unsigned char> file = bytes(env, element(env, arguments[10], 1), "The file");
  Span<unsigned char> rest = {};
  const MeasureTask task = measureOf(env, arguments + 8, arguments[10], 9, args.height, args.width, &rest);
  const bool isResized = args.horizontal.outputs + args.vertical.outputs > 0;
  if (isResized && (args.horizontal.outputs == 0 || args.vertical.outputs == 0 || args.verticalFirst)) {
    throw Refusal(WRONG_ARGUMENT, "Rows are resized as they come where both sides change, the width first.");
  }
  queueWork(env, "plumage decode", arguments[10], [&kernels, args, file, vips, shrink, isResized, task, rest](Outcome& outcome) {
    if (vips == nullptr) return;
    Jpeg jpeg(*vips, file.data, file.length, shrink);
    if (!jpeg.is(args.height, args.width)) return;
    const bool isThere = measuring(kernels, jpeg, task, rest, outcome, [&](RowSource& rows) {
      ResampleArgs streamed = args;
      streamed.source = &rows;
      return isResized ? resampleWith(kernels, streamed, outcome) : copyRows(rows, args);
    });
    if (isThere) outcome.value = 1;
  });
  return nullptr;
}

}  // namespace

void defineImages(napi_env env, napi_value exports) {
  define<resample, 7>(env, exports, "resample");
  define<decodeJpeg, 11>(env, exports, "decodeJpeg");
  define<measurePixels, 6>(env, exports, "measurePixels");
  define<hasLibvips, 1>(env, exports, "hasLibvips");
}

}  // namespace plumage
