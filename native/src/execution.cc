#include "execution.h"

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

void Execution::copyRows(const float* from, long fromStride, float* to, long toStride, long rows, long width) {
  forRows(rows, width, [&](int, long first, long last) {
    for (long r = first; r < last; r++) std::memcpy(to + r * toStride, from + r * fromStride, sizeof(float) * width);
  });
}

}  // namespace plumage
