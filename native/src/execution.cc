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
  const long rows = input_.batch * op.in.rows;
  switch (op.kind) {
    case OpKind::copyIn:
      return copyRows(input_.pixels, op.out.width, slot(op.out), op.out.stride, input_.batch * op.out.rows, op.out.width);
    case OpKind::copyOut: {
      float* output = input_.outputs[op.numbers[0]];
      // The input itself has no place in the arena: its stride is 0.
      if (op.in.stride == 0) return copyRows(input_.pixels, op.in.width, output, op.in.width, rows, op.in.width);
      return copyRows(slot(op.in), op.in.stride, output, op.in.width, rows, op.in.width);
    }
    case OpKind::patchifyPlanes:
    case OpKind::patchifyRows:
      return patchify(op);
    case OpKind::linear:
      return linear(op);
    case OpKind::assembleTokens:
      return assembleTokens(op);
    case OpKind::norm:
      return norm(op);
    case OpKind::attention:
      return attention(op);
    case OpKind::elementwise:
      return elementwise(op);
    case OpKind::sliceRows:
      return sliceRows(op);
    case OpKind::meanRows:
      return meanRows(op);
    case OpKind::broadcast:
      return broadcast(op);
    case OpKind::probeAttention:
      return probe(op);
    case OpKind::regroup:
      return regroup(op);
    case OpKind::convert:
      return convert(op);
  }
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

void Execution::patchify(const Op& op) {
  const bool planes = op.kind == OpKind::patchifyPlanes;
  const long channels = op.numbers[0], height = op.numbers[1], width = op.numbers[2], patch = op.numbers[3];
  const long down = height / patch, across = width / patch;
  const float* from = planes ? input_.pixels : slot(op.in);
  const long imageStride = planes ? channels * height * width : height * width * op.in.stride;
  const long channelStep = planes ? height * width : 1, pixelStep = planes ? 1 : op.in.stride;
  float* to = slot(op.out);
  pool_.run(input_.batch * down, cancelled_, [&](int, long index) {
    const long image = index / down, row = index % down;
    for (long column = 0; column < across; column++) {
      float* out = to + (index * across + column) * op.out.stride;
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
  args.a = rows(op.in);
  args.weight = weight(op.weight);
  args.out = rows(op.out);
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
  const float* classToken = weight(op.weight);
  const float* registers = weight(op.gamma);
  const float* positions = op.bias < 0 ? nullptr : program_.constants_->floats() + op.bias;
  const long head = classToken == nullptr ? 0 : 1;
  const long special = op.out.rows - op.in.rows, width = op.out.width;
  const float* in = slot(op.in);
  float* out = slot(op.out);
  forRows(input_.batch * op.out.rows, width, [&](int, long first, long last) {
    for (long r = first; r < last; r++) {
      const long image = r / op.out.rows, row = r % op.out.rows;
      float* to = out + r * op.out.stride;
      if (row < special) {
        std::memcpy(to, row < head ? classToken : registers + (row - head) * width, sizeof(float) * width);
        continue;
      }
      const float* from = in + (image * op.in.rows + row - special) * op.in.stride;
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
  const NormArgs args{slot(op.in), op.in.stride, rows(op.out), op.in.width, 1, normWeights(op.norm)};
  forRows(input_.batch * op.in.rows, op.in.width,
          [&](int thread, long first, long last) { kernels_.norm(args, first, last, scratch(thread)); });
}

void Execution::convert(const Op& op) {
  const ConvertArgs args{rows(op.in), rows(op.out), op.in.width};
  forRows(input_.batch * op.in.rows, op.in.width,
          [&](int thread, long first, long last) { kernels_.convert(args, first, last, scratch(thread)); });
}

void Execution::attention(const Op& op) {
  // Self-attention: `in` holds q, k, v and `second` is `in`. Otherwise `in` is the queries and `second` keys and values.
  const long width = op.out.width, batch = input_.batch;
  const bool self = op.numbers[0] == 1;
  AttentionArgs args;
  const float* in = slot(op.in);
  const float* second = slot(op.second);
  args.query = {in, op.in.stride, op.in.rows * op.in.stride};
  // Where keys and values begin in a row, in floats.
  const bool narrow = op.in.format != Format::float32;
  const long key = narrow ? op.numbers[1] / 2 : op.numbers[1], value = narrow ? op.numbers[2] / 2 : op.numbers[2];
  args.key = {second + key, op.second.stride, op.second.rows * op.second.stride};
  args.value = {second + value, op.second.stride, op.second.rows * op.second.stride};
  args.queries = op.in.rows;
  args.keys = op.second.rows;
  if (op.weightOperand == WeightOperand::query) {
    args.query = {weight(op.weight), width, 0};
    args.queries = op.out.rows;
    // Soft mixture, dispatch: keys are the normed tokens, values the tokens themselves.
    args.key = {in, op.in.stride, op.in.rows * op.in.stride};
  } else if (op.weightOperand == WeightOperand::key) {
    args.key = {weight(op.weight), width, 0};
  }
  args.heads = op.heads;
  args.headWidth = args.valueWidth = width / op.heads;
  args.scale = op.scale;
  args.images = batch;
  args.out = rows(op.out);
  args.outImageStride = op.out.rows * op.out.stride;
  args.low = rows(op.in).low;

  if (self && op.temporary >= 0) {
    // Normed q and k beside each other; v is read where it lies.
    const SlotRef normed{op.temporary, op.in.rows, 2 * width, op.numbers[3], Format::float32};
    float* to = slot(normed);
    const long headWidth = args.headWidth;
    const NormRef parts[2] = {op.norm, op.keyNorm};
    forRows(batch * op.in.rows, 2 * width, [&](int, long first, long last) {
      for (int part = 0; part < 2; part++) {
        const float* from = in + part * width;
        if (parts[part].kind == NormKind::none) {
          for (long r = first; r < last; r++) {
            std::memcpy(to + r * normed.stride + part * width, from + r * op.in.stride, sizeof(float) * width);
          }
          continue;
        }
        const Rows target{to + part * width, normed.stride, Format::float32, 0};
        const NormArgs norm{from, op.in.stride, target, headWidth, op.heads, normWeights(parts[part])};
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
                     [&](int thread, long task) { kernels_.tileAttention(args, op.in.format, task, scratch(thread)); });
  }
  const long blocks = (args.queries + kernels_.queryBlock - 1) / kernels_.queryBlock;
  // As many together as leave enough tasks to share out evenly.
  args.blocksOfTask = std::clamp<long>(batch * op.heads * blocks / (24 * pool_.size()), 1, std::min(MOST_BLOCKS_OF_TASK, blocks));
  const long groups = (blocks + args.blocksOfTask - 1) / args.blocksOfTask;
  pool_.run(batch * op.heads * groups, cancelled_,
            [&](int thread, long task) { kernels_.attention(args, task, scratch(thread)); });
}

void Execution::elementwise(const Op& op) {
  const ElementwiseArgs args{slot(op.in), op.in.stride, slot(op.out), op.out.stride, op.in.width, epilogue(op)};
  forRows(input_.batch * op.in.rows, op.in.width, [&](int, long first, long last) { kernels_.elementwise(args, first, last); });
}

void Execution::sliceRows(const Op& op) {
  const float* in = slot(op.in);
  float* out = slot(op.out);
  forRows(input_.batch * op.out.rows, op.out.width, [&](int, long first, long last) {
    for (long r = first; r < last; r++) {
      const long image = r / op.out.rows, row = r % op.out.rows + op.numbers[0];
      std::memcpy(out + r * op.out.stride, in + (image * op.in.rows + row) * op.in.stride, sizeof(float) * op.out.width);
    }
  });
}

void Execution::meanRows(const Op& op) {
  const long vectors = (op.in.width + 15) / 16;
  const float* in = slot(op.in);
  float* out = slot(op.out);
  pool_.run(input_.batch * vectors, cancelled_, [&](int, long index) {
    const long image = index / vectors, from = index % vectors * 16;
    kernels_.meanRows(in + image * op.in.rows * op.in.stride, op.in.stride, op.in.rows, out + image * op.out.stride, from, from + 16);
  });
}

void Execution::broadcast(const Op& op) {
  const float* from = weight(op.weight);
  for (long image = 0; image < input_.batch; image++) {
    copyRows(from, op.out.width, slot(op.out) + image * op.out.rows * op.out.stride, op.out.stride, op.out.rows, op.out.width);
  }
}

void Execution::probe(const Op& op) {
  ProbeArgs args;
  args.latents = weight(op.weight);
  args.latentCount = op.numbers[0];
  args.keys = slot(op.in);
  args.values = slot(op.second);
  args.stride = op.in.stride;
  args.valueStride = op.second.stride;
  args.imageStride = op.in.rows * op.in.stride;
  args.valueImageStride = op.second.rows * op.second.stride;
  args.out = slot(op.out);
  args.outImageStride = op.out.stride;
  args.images = input_.batch;
  args.heads = op.heads;
  args.width = op.in.width;
  args.rows = op.in.rows;
  args.scale = op.scale;
  pool_.run(args.images * args.latentCount, cancelled_,
            [&](int thread, long task) { kernels_.probe(args, task, scratch(thread)); });
}

// Rows in the order [image][group][row] become [group][image][row], or the other way round: a group's rows of all images then
// lie together, as one product wants them.
void Execution::regroup(const Op& op) {
  const long groups = op.numbers[0], rows = op.in.rows / groups, batch = input_.batch;
  const bool back = op.numbers[1] == 1;
  const float* in = slot(op.in);
  float* out = slot(op.out);
  pool_.run(batch * groups, cancelled_, [&](int, long index) {
    const long byImage = index * rows, byGroup = (index % groups * batch + index / groups) * rows;
    for (long r = 0; r < rows; r++) {
      std::memcpy(out + ((back ? byImage : byGroup) + r) * op.out.stride, in + ((back ? byGroup : byImage) + r) * op.in.stride,
                  sizeof(float) * op.in.width);
    }
  });
}

}  // namespace plumage
