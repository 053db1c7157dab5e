// Runs a program once: turns each operation's offsets into addresses for this batch and shares its work between the threads. What each kind does
// stands in ops-rows.cc, ops-linear.cc, ops-maps.cc, ops-experts.cc and ops-attention.cc, beside what it may be asked.
#pragma once

#include <algorithm>

#include "program.h"

namespace plumage {

class Execution {
 public:
  Execution(const Program& program, const RunInput& input, float* arena, ThreadPool& pool, const std::atomic<bool>& cancelled);
  void run(const Op& op);

 private:
  float* slot(const SlotRef& ref) const { return arena_ + ref.offset * input_.batch; }
  Rows rows(const SlotRef& ref) const;
  const float* weight(long offset) const { return offset < 0 ? nullptr : input_.weights + offset; }
  const float* constant(long offset) const { return offset < 0 ? nullptr : program_.constants_->floats() + offset; }
  NormWeights normWeights(const NormRef& ref) const;
  Epilogue epilogue(const Op& op) const;
  float* scratch(int thread) const { return scratch_ + thread * scratchStride_; }
  template <typename Body>
  void forRows(long rows, long floatsOfRow, const Body& body);
  void copyRows(const float* from, long fromStride, float* to, long toStride, long rows, long width);

  // Each kind of operation has a function, so that a new one can't be forgotten.
#define PLUMAGE_DECLARE(kind) void kind(const Op& op);
  PLUMAGE_OP_KINDS(PLUMAGE_DECLARE)
#undef PLUMAGE_DECLARE
  void patchify(const Op& op, bool planes);
  const float* given(const Op& op, long image) const { return input_.pixels + image * op.inputLength + op.inputAt; }
  void multiply(const Op& op, long first, long count);
  void layOutPatch(const Op& op, const float* picture, long row, long column, float* out) const;
  static void addScaled(const float* in, long stride, float scale, long rows, long width, float* out);
  void poolRows(const Op& op, decltype(Kernels::meanRows) kernel);
  AttentionArgs attentionArgs(const Op& op, long width) const;

  const Program& program_;
  const Kernels& kernels_;
  const RunInput& input_;
  ThreadPool& pool_;
  const std::atomic<bool>& cancelled_;
  float* arena_;
  float* scratch_;
  long scratchStride_;
};

// Calls body(thread, from, to) on groups of rows, each large enough to be worth handing out.
template <typename Body>
void Execution::forRows(long rows, long floatsOfRow, const Body& body) {
  const long group = std::max<long>(1, 16384 / std::max<long>(1, floatsOfRow));
  pool_.run((rows + group - 1) / group, cancelled_,
            [&](int thread, long index) { body(thread, index * group, std::min(rows, (index + 1) * group)); });
}

}  // namespace plumage
