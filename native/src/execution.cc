#include "execution.h"

#include <algorithm>
#include <cstring>

namespace plumage {

Execution::Execution(const Program& program, const RunInput& input, float* arena, ThreadPool& pool, const std::atomic<bool>& cancelled)
    : program_(program),
      kernels_(program.kernels_),
      input_(input),
      pool_(pool),
      cancelled_(cancelled),
      arena_(arena),
      scratch_(arena_ + input.batch * program.arenaFloats_),
      scratchStride_(program.scratchFloats(input.batch, pool.size())) {}

void Execution::run(const Op& op) {
  switch (op.kind) {
#define PLUMAGE_CASE(kind) \
  case OpKind::kind:       \
    return kind(op);
    PLUMAGE_OP_KINDS(PLUMAGE_CASE)
#undef PLUMAGE_CASE
  }
}

void Execution::copyIn(const Op& op) {
  const long width = op.output.width;
  copyRows(input_.pixels, width, slot(op.output), op.output.stride, input_.batch * op.output.rows, width);
}

void Execution::copyOut(const Op& op) {
  float* output = input_.outputs[op.outputIndex];
  const long rows = input_.batch * op.input.rows, width = op.input.width;
  // The input itself has no place in the arena: its stride is 0.
  if (op.input.stride == 0) return copyRows(input_.pixels, width, output, width, rows, width);
  copyRows(slot(op.input), op.input.stride, output, width, rows, width);
}

Rows Execution::rows(const SlotRef& ref) const {
  return {slot(ref), ref.stride, ref.format, (ref.width + 31) / 32 * 16};
}

NormWeights Execution::normWeights(const NormRef& ref) const {
  return {ref.kind, weight(ref.weight), weight(ref.bias), ref.epsilon};
}

Epilogue Execution::epilogue(const Op& op) const {
  const float* other = op.combine == Combine::none ? arena_ : slot(op.second);
  return {weight(op.bias), weight(op.gamma), op.activation, op.combine, other, op.second.stride};
}

// Calls body(thread, from, to) on groups of rows, each large enough to be worth handing out.
template <typename Body>
void Execution::forRows(long rows, long floatsOfRow, const Body& body) {
  const long group = std::max<long>(1, 16384 / std::max<long>(1, floatsOfRow));
  pool_.run((rows + group - 1) / group, cancelled_,
            [&](int thread, long index) { body(thread, index * group, std::min(rows, (index + 1) * group)); });
}

void Execution::copyRows(const float* from, long fromStride, float* to, long toStride, long rows, long width) {
  forRows(rows, width, [&](int, long first, long last) {
    for (long r = first; r < last; r++) std::memcpy(to + r * toStride, from + r * fromStride, sizeof(float) * width);
  });
}

void Execution::patchifyPlanes(const Op& op) { patchify(op, true); }

void Execution::patchifyRows(const Op& op) { patchify(op, false); }

void Execution::patchify(const Op& op, bool planes) {
  const long channels = op.channels, height = op.planeHeight, width = op.planeWidth, patch = op.patchSize;
  const long down = height / patch, across = width / patch;
  const float* from = planes ? input_.pixels : slot(op.input);
  const long imageStride = planes ? channels * height * width : height * width * op.input.stride;
  const long channelStep = planes ? height * width : 1, pixelStep = planes ? 1 : op.input.stride;
  float* to = slot(op.output);
  pool_.run(input_.batch * down, cancelled_, [&](int, long index) {
    const long image = index / down, row = index % down;
    for (long column = 0; column < across; column++) {
      float* out = to + (index * across + column) * op.output.stride;
      for (long c = 0; c < channels; c++) {
        for (long y = row * patch; y < (row + 1) * patch; y++) {
          const float* in = from + image * imageStride + c * channelStep + (y * width + column * patch) * pixelStep;
          for (long x = 0; x < patch; x++) *out++ = in[x * pixelStep];
        }
      }
    }
  });
}

void Execution::linear(const Op& op) {
  const LinearShape shape = linearShape(kernels_, op, input_.batch, pool_.size());
  GemmArgs args;
  args.a = rows(op.input);
  args.weight = weight(op.weight.offset);
  args.out = rows(op.output);
  args.rows = shape.rows;
  args.columns = shape.columns;
  args.depth = shape.depth;
  args.chunkRows = shape.chunkRows;
  args.epilogue = epilogue(op);
  const long chunks = (args.rows + args.chunkRows - 1) / args.chunkRows;
  const long panels = (args.columns + shape.product.tileColumns - 1) / shape.product.tileColumns;
  for (args.fromDepth = 0; args.fromDepth < args.depth; args.fromDepth += shape.sliceDepth) {
    args.toDepth = std::min(args.depth, args.fromDepth + shape.sliceDepth);
    if (args.fromDepth > 0) {
      // The other slices are added to what the first one left.
      args.epilogue.other = args.out.data;
      args.epilogue.otherStride = args.out.stride;
    }
    pool_.run(chunks * panels, cancelled_, [&](int thread, long task) { shape.product.gemm(args, task, scratch(thread)); });
  }
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

void Execution::norm(const Op& op) {
  const NormArgs args{slot(op.input), op.input.stride, rows(op.output), op.input.width, 1, normWeights(op.norm)};
  forRows(input_.batch * op.input.rows, op.input.width,
          [&](int thread, long first, long last) { kernels_.norm(args, first, last, scratch(thread)); });
}

void Execution::convert(const Op& op) {
  const ConvertArgs args{rows(op.input), rows(op.output), op.input.width};
  forRows(input_.batch * op.input.rows, op.input.width,
          [&](int thread, long first, long last) { kernels_.convert(args, first, last, scratch(thread)); });
}

void Execution::attention(const Op& op) {
  // Self-attention: `in` holds q, k, v and `second` is `in`. Otherwise `in` is the queries and `second` keys and values.
  const long width = op.output.width, batch = input_.batch;
  AttentionArgs args;
  const float* in = slot(op.input);
  const float* second = slot(op.second);
  args.query = {in, op.input.stride, op.input.rows * op.input.stride};
  // Keys and values begin here in a row, in floats.
  const bool narrow = op.input.format != Format::float32;
  const long key = narrow ? op.keysAt / 2 : op.keysAt, value = narrow ? op.valuesAt / 2 : op.valuesAt;
  args.key = {second + key, op.second.stride, op.second.rows * op.second.stride};
  args.value = {second + value, op.second.stride, op.second.rows * op.second.stride};
  args.queries = op.input.rows;
  args.keys = op.second.rows;
  if (op.weightOperand == WeightOperand::query) {
    args.query = {weight(op.weight.offset), width, 0};
    args.queries = op.output.rows;
    // Soft mixture, dispatch: keys are the normed tokens, values the tokens themselves.
    args.key = {in, op.input.stride, op.input.rows * op.input.stride};
  } else if (op.weightOperand == WeightOperand::key) {
    args.key = {weight(op.weight.offset), width, 0};
  }
  args.heads = op.heads;
  args.headWidth = args.valueWidth = width / op.heads;
  args.scale = op.scale;
  args.images = batch;
  args.out = rows(op.output);
  args.outImageStride = op.output.rows * op.output.stride;
  args.low = rows(op.input).low;

  if (op.temporary.rows > 0) {
    // Normed q and k beside each other; v is read where it lies.
    const SlotRef& normed = op.temporary;
    float* to = slot(normed);
    const long headWidth = args.headWidth;
    const NormRef parts[2] = {op.norm, op.keyNorm};
    forRows(batch * op.input.rows, 2 * width, [&](int, long first, long last) {
      for (int part = 0; part < 2; part++) {
        const float* from = in + part * width;
        if (parts[part].kind == NormKind::none) {
          for (long r = first; r < last; r++) {
            std::memcpy(to + r * normed.stride + part * width, from + r * op.input.stride, sizeof(float) * width);
          }
          continue;
        }
        const Rows target{to + part * width, normed.stride, Format::float32, 0};
        const NormArgs norm{from, op.input.stride, target, headWidth, op.heads, normWeights(parts[part])};
        kernels_.norm(norm, first, last, nullptr);
      }
    });
    args.query = {to, normed.stride, normed.rows * normed.stride};
    args.key = {to + width, normed.stride, normed.rows * normed.stride};
  }
  if (narrow) {
    // Values are packed once for each task; so few tasks, but enough to share out evenly.
    const long blocks = (args.queries + 31) / 32;
    const long groups = std::clamp<long>(8 * pool_.size() / (batch * op.heads), 1, blocks);
    args.blocksOfTask = (blocks + groups - 1) / groups;
    const long tasks = batch * op.heads * ((blocks + args.blocksOfTask - 1) / args.blocksOfTask);
    return pool_.run(tasks, cancelled_,
                     [&](int thread, long task) { kernels_.tileAttention(args, op.input.format, task, scratch(thread)); });
  }
  const long blocks = (args.queries + kernels_.queryBlock - 1) / kernels_.queryBlock;
  // As many together as leave enough tasks to share out evenly.
  args.blocksOfTask = std::clamp<long>(batch * op.heads * blocks / (24 * pool_.size()), 1, std::min(MOST_BLOCKS_OF_TASK, blocks));
  const long groups = (blocks + args.blocksOfTask - 1) / args.blocksOfTask;
  pool_.run(batch * op.heads * groups, cancelled_,
            [&](int thread, long task) { kernels_.attention(args, task, scratch(thread)); });
}

void Execution::elementwise(const Op& op) {
  const ElementwiseArgs args{slot(op.input), op.input.stride, slot(op.output), op.output.stride, op.input.width, epilogue(op)};
  forRows(input_.batch * op.input.rows, op.input.width, [&](int, long first, long last) { kernels_.elementwise(args, first, last); });
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

void Execution::meanRows(const Op& op) {
  const long vectors = (op.input.width + 15) / 16;
  const float* in = slot(op.input);
  float* out = slot(op.output);
  pool_.run(input_.batch * vectors, cancelled_, [&](int, long index) {
    const long image = index / vectors, from = index % vectors * 16;
    kernels_.meanRows(in + image * op.input.rows * op.input.stride, op.input.stride, op.input.rows, out + image * op.output.stride, from, from + 16);
  });
}

void Execution::maxRows(const Op& op) {
  const long vectors = (op.input.width + 15) / 16;
  const float* in = slot(op.input);
  float* out = slot(op.output);
  pool_.run(input_.batch * vectors, cancelled_, [&](int, long index) {
    const long image = index / vectors, from = index % vectors * 16;
    kernels_.maxRows(in + image * op.input.rows * op.input.stride, op.input.stride, op.input.rows, out + image * op.output.stride, from, from + 16);
  });
}

void Execution::broadcast(const Op& op) {
  const float* from = op.constant < 0 ? weight(op.weight.offset) : constant(op.constant);
  for (long image = 0; image < input_.batch; image++) {
    copyRows(from, op.output.width, slot(op.output) + image * op.output.rows * op.output.stride, op.output.stride, op.output.rows, op.output.width);
  }
}

void Execution::probeAttention(const Op& op) {
  ProbeArgs args;
  args.latents = weight(op.weight.offset);
  args.latentCount = op.latents;
  args.keys = slot(op.input);
  args.values = slot(op.second);
  args.stride = op.input.stride;
  args.valueStride = op.second.stride;
  args.imageStride = op.input.rows * op.input.stride;
  args.valueImageStride = op.second.rows * op.second.stride;
  args.out = slot(op.output);
  args.outImageStride = op.output.stride;
  args.images = input_.batch;
  args.heads = op.heads;
  args.width = op.input.width;
  args.rows = op.input.rows;
  args.scale = op.scale;
  pool_.run(args.images * args.latentCount, cancelled_,
            [&](int thread, long task) { kernels_.probe(args, task, scratch(thread)); });
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

}  // namespace plumage
