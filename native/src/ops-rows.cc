// Holds the operations that work row by row: of each, first what it may be asked, then what it does.
#include <cmath>
#include <cstring>

#include "check-ops.h"
#include "execution.h"

namespace plumage {

namespace {

constexpr long MOST_OUTPUTS = 1L << 16;

}  // namespace

void Checker::copyIn(const Op& op) {
  plainSlot(op.output);
  given(op, op.output.rows * op.output.width);
}
void Execution::copyIn(const Op& op) {
  const long rows = op.output.rows, width = op.output.width;
  float* out = slot(op.output);
  forRows(input_.batch * rows, width, [&](int, long first, long last) {
    for (long r = first; r < last; r++) {
      std::memcpy(out + r * op.output.stride, given(op, r / rows) + r % rows * width, sizeof(float) * width);
    }
  });
}

void Checker::copyOut(const Op& op) {
  const long index = op.outputIndex;
  require(index >= 0 && index < MOST_OUTPUTS, "its output has no such number");
  if (op.input.stride == 0) {
    // The input itself is given back.
    require(op.input.rows == 1 && op.input.width >= 1 && op.input.width <= MOST, "the input has no size");
    given(op, op.input.width);
  } else {
    plainSlot(op.input);
  }
  const size_t at = static_cast<size_t>(index);
  if (needs_.outputs.size() <= at) needs_.outputs.resize(at + 1, 0);
  const long values = op.input.rows * op.input.width;
  require(needs_.outputs[at] == 0 || needs_.outputs[at] == values, "it writes an output in another size than another one");
  needs_.outputs[at] = values;
}
void Execution::copyOut(const Op& op) {
  float* output = input_.outputs[op.outputIndex];
  const long rows = input_.batch * op.input.rows, width = op.input.width;
  // The input itself has no place in the arena: its stride is 0.
  if (op.input.stride == 0) return copyRows(given(op, 0), op.inputLength, output, width, rows, width);
  // Nobody has touched it yet: the caller's memory is as fresh as the system gave it.
  preferHugePages(output, sizeof(float) * static_cast<size_t>(rows * width));
  copyRows(slot(op.input), op.input.stride, output, width, rows, width);
}

// Counts the patches along a side of an image, which is no smaller than one.
static long placesOf(long side, const Op& op) { return 1 + (side - op.patchSize) / op.patchStride; }

void Checker::patchify(const Op& op) {
  const long channels = op.channels, height = op.planeHeight, width = op.planeWidth, patch = op.patchSize, stride = op.patchStride;
  require(channels >= 1 && channels <= MOST && height >= 1 && height <= MOST && width >= 1 && width <= MOST && patch >= 1 && patch <= MOST,
          "an image has no size");
  require(stride >= 1 && stride <= MOST && patch <= height && patch <= width, "its patches are not where the image is");
  const long most = MOST * MOST / 2;
  require(channels <= most / height / width && channels <= most / patch / patch, "an image is too large");
  plainSlot(op.output);
  require(placesOf(height, op) * placesOf(width, op) == op.output.rows, "its output has not one row for each patch");
  wideEnough(op.output, channels * patch * patch);
}
void Checker::patchifyPlanes(const Op& op) {
  patchify(op);
  given(op, op.channels * op.planeHeight * op.planeWidth);
}
void Checker::patchifyRows(const Op& op) {
  patchify(op);
  plainSlot(op.input);
  require(op.input.rows == op.planeHeight * op.planeWidth, "its input has not one row for each pixel");
  wideEnough(op.input, op.channels);
}
void Execution::patchifyPlanes(const Op& op) { patchify(op, true); }
void Execution::patchifyRows(const Op& op) { patchify(op, false); }
void Execution::patchify(const Op& op, bool planes) {
  const long channels = op.channels, height = op.planeHeight, width = op.planeWidth, patch = op.patchSize;
  const long down = placesOf(height, op), across = placesOf(width, op);
  const float* from = planes ? given(op, 0) : slot(op.input);
  const long imageStride = planes ? op.inputLength : height * width * op.input.stride;
  const long channelStep = planes ? height * width : 1, pixelStep = planes ? 1 : op.input.stride;
  float* to = slot(op.output);
  pool_.run(input_.batch * down, cancelled_, [&](int, long index) {
    const long image = index / down, row = index % down;
    for (long column = 0; column < across; column++) {
      float* out = to + (index * across + column) * op.output.stride;
      for (long c = 0; c < channels; c++) {
        const long top = row * op.patchStride, left = column * op.patchStride;
        for (long y = top; y < top + patch; y++) {
          const float* in = from + image * imageStride + c * channelStep + (y * width + left) * pixelStep;
          for (long x = 0; x < patch; x++) *out++ = in[x * pixelStep];
        }
      }
    }
  });
}

void Checker::assembleTokens(const Op& op) {
  plainSlot(op.input);
  plainSlot(op.output);
  const long width = op.output.width, special = op.output.rows - op.input.rows, head = op.weight.offset < 0 ? 0 : 1;
  require(special >= head, "its output has no rows for the class token");
  wideEnough(op.input, width);
  if (head == 1) weights(op.weight.offset, width);
  if (special > head) weightMatrix(op.gamma, special - head, width);
  if (op.constant >= 0) constants(op.constant, op.input.rows * width);
}
void Execution::assembleTokens(const Op& op) {
  const float* classToken = weight(op.weight.offset);
  const float* registers = weight(op.gamma);
  const float* positions = constant(op.constant);
  const long head = classToken == nullptr ? 0 : 1;
  const long special = op.output.rows - op.input.rows, width = op.output.width;
  const float* in = slot(op.input);
  float* out = slot(op.output);
  forRows(input_.batch * op.output.rows, width, [&](int, long first, long last) {
    for (long r = first; r < last; r++) {
      const long image = r / op.output.rows, row = r % op.output.rows;
      float* to = out + r * op.output.stride;
      if (row < special) {
        std::memcpy(to, row < head ? classToken : registers + (row - head) * width, sizeof(float) * width);
        continue;
      }
      const float* from = in + (image * op.input.rows + row - special) * op.input.stride;
      if (positions == nullptr) {
        std::memcpy(to, from, sizeof(float) * width);
      } else {
        const float* position = positions + (row - special) * width;
        for (long c = 0; c < width; c++) to[c] = from[c] + position[c];
      }
    }
  });
}

void Checker::elementwise(const Op& op) {
  plainSlot(op.input);
  plainSlot(op.output);
  sameRows(op.input, op.output);
  wideEnough(op.input, op.output.width);
  wideEnough(op.output, op.input.width);
  epilogue(op);
}
void Execution::elementwise(const Op& op) {
  const ElementwiseArgs args{slot(op.input), op.input.stride, slot(op.output), op.output.stride, op.input.width, epilogue(op)};
  forRows(input_.batch * op.input.rows, op.input.width, [&](int, long first, long last) { kernels_.elementwise(args, first, last); });
}

void Checker::sliceRows(const Op& op) {
  plainSlot(op.input);
  plainSlot(op.output);
  wideEnough(op.input, op.output.width);
  require(op.firstRow >= 0 && op.firstRow <= op.input.rows - op.output.rows, "the rows that it takes are not there");
}
void Execution::sliceRows(const Op& op) {
  const float* in = slot(op.input);
  float* out = slot(op.output);
  forRows(input_.batch * op.output.rows, op.output.width, [&](int, long first, long last) {
    for (long r = first; r < last; r++) {
      const long image = r / op.output.rows, row = r % op.output.rows + op.firstRow;
      std::memcpy(out + r * op.output.stride, in + (image * op.input.rows + row) * op.input.stride, sizeof(float) * op.output.width);
    }
  });
}

void Checker::gatherRows(const Op& op) {
  plainSlot(op.input);
  plainSlot(op.output);
  wideEnough(op.input, op.output.width);
  constants(op.constant, op.output.rows);
  for (long r = 0; r < op.output.rows; r++) {
    const float from = constants_[op.constant + r];
    require(from >= -1 && from < static_cast<float>(op.input.rows) && from == std::floor(from), "its index names a row that is not there");
  }
}
void Execution::gatherRows(const Op& op) {
  const float* index = constant(op.constant);
  const float* in = slot(op.input);
  float* out = slot(op.output);
  const size_t bytes = sizeof(float) * static_cast<size_t>(op.output.width);
  forRows(input_.batch * op.output.rows, op.output.width, [&](int, long first, long last) {
    for (long r = first; r < last; r++) {
      const long image = r / op.output.rows, from = static_cast<long>(index[r % op.output.rows]);
      float* to = out + r * op.output.stride;
      if (from < 0) {
        std::memset(to, 0, bytes);
      } else {
        std::memcpy(to, in + (image * op.input.rows + from) * op.input.stride, bytes);
      }
    }
  });
}

void Checker::meanRows(const Op& op) {
  plainSlot(op.input);
  plainSlot(op.output);
  require(op.input.rows % op.output.rows == 0, "its groups do not share its rows");
  wideEnough(op.output, op.input.width);
}
void Execution::meanRows(const Op& op) { poolRows(op, kernels_.meanRows); }

// A group of rows that becomes one is like an image of its own.
void Execution::poolRows(const Op& op, decltype(Kernels::meanRows) kernel) {
  const long vectors = (op.input.width + 15) / 16, rows = op.input.rows / op.output.rows;
  const float* in = slot(op.input);
  float* out = slot(op.output);
  pool_.run(input_.batch * op.output.rows * vectors, cancelled_, [&](int, long index) {
    const long group = index / vectors, from = index % vectors * 16;
    kernel(in + group * rows * op.input.stride, op.input.stride, rows, out + group * op.output.stride, from, from + 16);
  });
}

void Checker::maxRows(const Op& op) {
  meanRows(op);
  require(op.output.rows == 1, "its output is not one row");
}
void Execution::maxRows(const Op& op) { poolRows(op, kernels_.maxRows); }

void Checker::broadcast(const Op& op) {
  plainSlot(op.output);
  if (op.constant >= 0) return constants(op.constant, op.output.rows * op.output.width);
  weightMatrix(op.weight.offset, op.output.rows, op.output.width);
}
void Execution::broadcast(const Op& op) {
  const float* from = op.constant < 0 ? weight(op.weight.offset) : constant(op.constant);
  for (long image = 0; image < input_.batch; image++) {
    copyRows(from, op.output.width, slot(op.output) + image * op.output.rows * op.output.stride, op.output.stride, op.output.rows, op.output.width);
  }
}

void Checker::regroup(const Op& op) {
  plainSlot(op.input);
  plainSlot(op.output);
  sameRows(op.input, op.output);
  wideEnough(op.output, op.input.width);
  require(op.groups >= 1 && op.input.rows % op.groups == 0, "its groups do not share its rows");
}
// Rows in the order [image][group][row] become [group][image][row], or the other way round: a group's rows of all images then
// lie together, as one product wants them.
void Execution::regroup(const Op& op) {
  const long groups = op.groups, rows = op.input.rows / groups, batch = input_.batch;
  const bool back = op.isBack;
  const float* in = slot(op.input);
  float* out = slot(op.output);
  pool_.run(batch * groups, cancelled_, [&](int, long index) {
    const long byImage = index * rows, byGroup = (index % groups * batch + index / groups) * rows;
    for (long r = 0; r < rows; r++) {
      std::memcpy(out + ((back ? byImage : byGroup) + r) * op.output.stride, in + ((back ? byGroup : byImage) + r) * op.input.stride,
                  sizeof(float) * op.input.width);
    }
  });
}

void Checker::norm(const Op& op) {
  plainSlot(op.input);
  slot(op.output);
  sameRows(op.input, op.output);
  wideEnough(op.output, op.input.width);
  normWeights(op.norm, op.input.width);
}
void Execution::norm(const Op& op) {
  const NormArgs args{slot(op.input), op.input.stride, rows(op.output), op.input.width, 1, normWeights(op.norm)};
  forRows(input_.batch * op.input.rows, op.input.width,
          [&](int thread, long first, long last) { kernels_.norm(args, first, last, scratch(thread)); });
}

void Checker::convert(const Op& op) {
  slot(op.input);
  slot(op.output);
  require(op.input.format == Format::float32 || op.input.format == Format::bfloat16, "it converts from a format that is only written");
  require(op.output.format != Format::float32, "it converts into float32");
  sameRows(op.input, op.output);
  wideEnough(op.output, op.input.width);
}
void Execution::convert(const Op& op) {
  const ConvertArgs args{rows(op.input), rows(op.output), op.input.width};
  forRows(input_.batch * op.input.rows, op.input.width,
          [&](int thread, long first, long last) { kernels_.convert(args, first, last, scratch(thread)); });
}

}  // namespace plumage
