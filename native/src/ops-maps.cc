// Holds what is done to pictures that have a pixel to a row, and to texts that have a token to one: convolutions, resizing, the row of an id. Of each, first
// what it may be asked, then what it does.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "check-ops.h"
#include "cpu.h"
#include "execution.h"

namespace plumage {

namespace {

long roundUp(long value, long unit) { return (value + unit - 1) / unit * unit; }

// Counts the floats from one row of patches to the next in a format, which are whole lines.
long patchStride(long depth, Format format) {
  switch (format) {
    case Format::float32:
      return roundUp(depth, 16);
    case Format::bfloat16:
      return roundUp(depth, 32) / 2;
    case Format::split:
      return roundUp(depth, 32);
    case Format::int8:
      return roundUp(depth, 64) / 4 + 16;
    case Format::int16:
      return roundUp(depth, 32) / 2 + 16;
  }
  return 0;
}

}  // namespace

// Says where a kernel's places lie in a picture of `planeHeight` x `planeWidth`.
struct KernelPlaces {
  const Op& op;
  long down, across;

  explicit KernelPlaces(const Op& of) : op(of), down(along(of.planeHeight)), across(along(of.planeWidth)) {}
  long along(long side) const { return 1 + (side + 2 * op.padding - op.patchSize) / op.patchStride; }
};

void Checker::kernelPass(const Op& op, long pixels, long places) const {
  const long height = op.planeHeight, width = op.planeWidth, kernel = op.patchSize;
  require(height >= 1 && height <= MOST && width >= 1 && width <= MOST && kernel >= 1 && kernel <= 1L << 10, "its picture or its kernel has no size");
  require(op.patchStride >= 1 && op.patchStride <= MOST && op.padding >= 0 && op.padding < kernel, "its kernel does not pass over the picture");
  require(kernel <= std::min(height, width) + 2 * op.padding, "its kernel is larger than the picture");
  require(height * width == pixels, "it has not one row for each pixel");
  const KernelPlaces all(op);
  require(all.down * all.across == places, "it has not one row for each place of the kernel");
}

// ---- Convolutions ----

void Checker::conv2d(const Op& op) {
  plainSlot(op.input);
  slot(op.output);
  kernelPass(op, op.input.rows, op.output.rows);
  require(op.input.width <= MOST / op.patchSize / op.patchSize, "its patches are too large");
  product(op, op.patchSize * op.patchSize * op.input.width);
}

// Patches of a chunk of places are laid out, brought into the format of the products, and multiplied while they are in the second-level cache.
ConvolutionShape convolutionShape(const Kernels& kernels, const Op& op, long rows, int threads) {
  static const long cacheBytes = levelTwoCacheBytes();
  const Product& product = *kernels.products[static_cast<int>(op.weight.precision)];
  const long depth = op.patchSize * op.patchSize * op.input.width;
  ConvolutionShape shape{product, depth, 0, patchStride(depth, Format::float32), 0};
  if (product.rows != Format::float32) shape.narrowStride = patchStride(depth, product.rows);
  const long tiles = (rows + product.tileRows - 1) / product.tileRows;
  const long tileBytes = 4 * product.tileRows * (shape.stride + shape.narrowStride);
  const long fitting = std::max<long>(1, cacheBytes * 3 / 8 / tileBytes);
  const long chunks = (tiles + fitting - 1) / fitting;
  // Each thread gets as many.
  const long shared = std::min(tiles, (chunks + threads - 1) / threads * threads);
  shape.chunkRows = (tiles + shared - 1) / shared * product.tileRows;
  return shape;
}

long ConvolutionShape::scratchFloats() const {
  return chunkRows * (stride + narrowStride) + std::max((chunkRows + 2 * product.tileRows) * product.tileColumns, roundUp(depth, 64));
}

void Execution::conv2d(const Op& op) {
  const long places = op.output.rows, rows = input_.batch * places;
  const ConvolutionShape shape = convolutionShape(kernels_, op, rows, pool_.size());
  const KernelPlaces all(op);
  const long panels = (op.output.width + shape.product.tileColumns - 1) / shape.product.tileColumns;
  const float* in = slot(op.input);
  pool_.run((rows + shape.chunkRows - 1) / shape.chunkRows, cancelled_, [&](int thread, long chunk) {
    const long first = chunk * shape.chunkRows, count = std::min(shape.chunkRows, rows - first);
    float* patches = scratch(thread);
    float* narrow = patches + shape.chunkRows * shape.stride;
    float* rest = narrow + shape.chunkRows * shape.narrowStride;
    for (long r = 0; r < count; r++) {
      const long image = (first + r) / places, place = (first + r) % places;
      layOutPatch(op, in + image * op.input.rows * op.input.stride, place / all.across, place % all.across, patches + r * shape.stride);
    }
    GemmArgs args;
    args.a = {patches, shape.stride, Format::float32, 0};
    if (shape.narrowStride > 0) {
      const ConvertArgs convert{args.a, {narrow, shape.narrowStride, shape.product.rows, roundUp(shape.depth, 32) / 2}, shape.depth};
      kernels_.convert(convert, 0, count, rest);
      args.a = convert.out;
    }
    args.weight = weight(op.weight.offset);
    args.out = this->rows(op.output);
    args.out.data += first * args.out.stride;
    args.rows = count;
    args.columns = op.output.width;
    args.depth = args.toDepth = shape.depth;
    args.fromDepth = 0;
    args.chunkRows = shape.chunkRows;
    args.epilogue = epilogue(op);
    args.epilogue.other += first * args.epilogue.otherStride;
    for (long panel = 0; panel < panels; panel++) shape.product.gemm(args, panel, rest);
  });
}

// Writes the pixels under a place of the kernel one behind the other, and zeros for those outside the picture.
void Execution::layOutPatch(const Op& op, const float* picture, long row, long column, float* out) const {
  const long channels = op.input.width, top = row * op.patchStride - op.padding, left = column * op.patchStride - op.padding;
  for (long y = top; y < top + op.patchSize; y++) {
    for (long x = left; x < left + op.patchSize; x++, out += channels) {
      if (y < 0 || y >= op.planeHeight || x < 0 || x >= op.planeWidth) {
        std::memset(out, 0, sizeof(float) * channels);
      } else {
        std::memcpy(out, picture + (y * op.planeWidth + x) * op.input.stride, sizeof(float) * channels);
      }
    }
  }
}

void Checker::foldPatches(const Op& op) {
  plainSlot(op.input);
  plainSlot(op.output);
  kernelPass(op, op.output.rows, op.input.rows);
  require(op.input.width / op.patchSize / op.patchSize == op.output.width && op.input.width % (op.patchSize * op.patchSize) == 0,
          "its patches do not fit its kernel");
  weightsOrNone(op.bias, op.output.width);
}
// Each pixel adds up what lies on it, so that no two threads write one.
void Execution::foldPatches(const Op& op) {
  const long pixels = op.output.rows, channels = op.output.width, kernel = op.patchSize, stride = op.patchStride;
  const KernelPlaces all(op);
  const float* bias = weight(op.bias);
  const float* in = slot(op.input);
  float* out = slot(op.output);
  forRows(input_.batch * pixels, channels, [&](int, long first, long last) {
    for (long r = first; r < last; r++) {
      const float* patches = in + r / pixels * op.input.rows * op.input.stride;
      const long y = r % pixels / op.planeWidth + op.padding, x = r % pixels % op.planeWidth + op.padding;
      float* to = out + r * op.output.stride;
      for (long c = 0; c < channels; c++) to[c] = bias == nullptr ? 0 : bias[c];
      // The kernel is `y - row * stride` down where a place in `row` has the pixel under it.
      for (long row = std::min(y / stride, all.down - 1); row >= 0 && y - row * stride < kernel; row--) {
        for (long column = std::min(x / stride, all.across - 1); column >= 0 && x - column * stride < kernel; column--) {
          const long within = (y - row * stride) * kernel + x - column * stride;
          const float* from = patches + (row * all.across + column) * op.input.stride + within * channels;
          for (long c = 0; c < channels; c++) to[c] += from[c];
        }
      }
    }
  });
}

// ---- Resizing ----

void Checker::taps(long offset, long rows, long taps, long most) {
  constants(offset, rows * 2 * taps);
  for (long r = 0; r < rows; r++) {
    for (long i = 0; i < taps; i++) {
      const float from = constants_[offset + r * 2 * taps + i];
      require(from >= 0 && from < static_cast<float>(most) && from == std::floor(from), "a tap names a row or a column that is not there");
    }
  }
}
void Checker::resize(const Op& op) {
  plainSlot(op.input);
  plainSlot(op.output);
  const long height = op.planeHeight, width = op.planeWidth, across = op.gridColumns;
  require(height >= 1 && height <= MOST && width >= 1 && width <= MOST && height * width == op.input.rows, "it has not one row for each pixel");
  require(across >= 1 && across <= MOST && op.output.rows % across == 0, "its output is no picture");
  require(op.taps >= 1 && op.taps <= MOST / 2, "it has no taps");
  require(op.input.width == op.output.width && width <= MOST / op.input.width, "its slots are not as wide as each other");
  taps(op.constant, op.output.rows / across, op.taps, height);
  taps(op.columnTable, across, op.taps, width);
}
// A task has a row of pixels: rows of the old picture are added up first, then columns of their sum.
void Execution::resize(const Op& op) {
  const long width = op.planeWidth, channels = op.input.width, across = op.gridColumns, down = op.output.rows / across, taps = op.taps;
  const float* vertical = constant(op.constant);
  const float* horizontal = constant(op.columnTable);
  pool_.run(input_.batch * down, cancelled_, [&](int thread, long index) {
    const float* in = slot(op.input) + index / down * op.input.rows * op.input.stride;
    float* out = slot(op.output) + index * across * op.output.stride;
    float* sums = scratch(thread);
    const float* rows = vertical + index % down * 2 * taps;
    std::memset(sums, 0, sizeof(float) * width * channels);
    for (long i = 0; i < taps; i++) addScaled(in + static_cast<long>(rows[i]) * width * op.input.stride, op.input.stride, rows[taps + i], width, channels, sums);
    for (long x = 0; x < across; x++, out += op.output.stride) {
      const float* columns = horizontal + x * 2 * taps;
      std::memset(out, 0, sizeof(float) * channels);
      for (long i = 0; i < taps; i++) addScaled(sums + static_cast<long>(columns[i]) * channels, channels, columns[taps + i], 1, channels, out);
    }
  });
}
void Execution::addScaled(const float* in, long stride, float scale, long rows, long width, float* out) {
  for (long r = 0; r < rows; r++, in += stride, out += width) {
    for (long c = 0; c < width; c++) out[c] += scale * in[c];
  }
}

// ---- The row of an id ----

void Checker::takeRow(const Op& op) {
  plainSlot(op.input);
  plainSlot(op.second);
  plainSlot(op.output);
  sameRows(op.input, op.second);
  require(op.output.rows == 1, "it takes more than one row");
  wideEnough(op.input, op.output.width);
}
void Execution::takeRow(const Op& op) {
  const long rows = op.input.rows;
  for (long image = 0; image < input_.batch; image++) {
    const float* ids = slot(op.second) + image * rows * op.second.stride;
    long found = 0;
    if (op.takesLargest) {
      for (long r = 1; r < rows; r++) {
        if (ids[r * op.second.stride] > ids[found * op.second.stride]) found = r;
      }
    } else {
      const float id = static_cast<float>(op.id);
      while (found < rows && ids[found * op.second.stride] != id) found++;
      if (found == rows) found = 0;
    }
    std::memcpy(slot(op.output) + image * op.output.stride, slot(op.input) + (image * rows + found) * op.input.stride, sizeof(float) * op.output.width);
  }
}

}  // namespace plumage
