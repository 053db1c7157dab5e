// One run of a program: turns each operation's offsets into addresses for this batch and shares its work between the threads.
#pragma once

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
  NormWeights normWeights(const NormRef& ref) const;
  Epilogue epilogue(const Op& op) const;
  float* scratch(int thread) const { return scratch_ + thread * scratchStride_; }
  template <typename Body>
  void forRows(long rows, long floatsOfRow, const Body& body);
  void copyRows(const float* from, long fromStride, float* to, long toStride, long rows, long width);

  void patchify(const Op& op);
  void linear(const Op& op);
  void assembleTokens(const Op& op);
  void norm(const Op& op);
  void attention(const Op& op);
  void elementwise(const Op& op);
  void sliceRows(const Op& op);
  void meanRows(const Op& op);
  void broadcast(const Op& op);
  void probe(const Op& op);
  void regroup(const Op& op);
  void convert(const Op& op);

  const Program& program_;
  const Kernels& kernels_;
  const RunInput& input_;
  ThreadPool& pool_;
  const std::atomic<bool>& cancelled_;
  float* arena_;
  float* scratch_;
  long scratchStride_;
};

}  // namespace plumage
