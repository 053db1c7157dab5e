// Checks operations once, when a program is made: none may reach outside the arena, the weights, the constants, the pixels or the outputs. What
// each kind may be asked stands in ops-rows.cc, ops-linear.cc, ops-maps.cc, ops-experts.cc and ops-attention.cc, beside what it does.
#pragma once

#include <utility>
#include <vector>

#include "kernels.h"
#include "program.h"

namespace plumage {

// A program must be given this when it runs.
struct Needs {
  long weights = 0;           // the region has so many floats at least
  long pixels = 0;            // an image has so many; 0 where none are read
  std::vector<long> outputs;  // each has so many values for one image
};

// Rows, columns and offsets stay below this, so that sums and products of two of them can't run over.
constexpr long MOST = 1L << 31;

class Checker {
 public:
  Checker(const Kernels& kernels, long arenaFloats, const float* constants, long constantFloats)
      : kernels_(kernels), arenaFloats_(arenaFloats), constants_(constants), constantFloats_(constantFloats) {}

  void check(const Op& op, size_t index);
  Needs take() { return std::move(needs_); }

 private:
  void require(bool right, const char* problem) const;
  void slot(const SlotRef& ref) const;
  void plainSlot(const SlotRef& ref) const;
  // Rows are written one below the other for the whole batch, so each image must have as many.
  void sameRows(const SlotRef& a, const SlotRef& b) const;
  void wideEnough(const SlotRef& ref, long width) const;
  // `count` floats of weights are needed; they are read in whole vectors.
  void weights(long offset, long count);
  void weightsOrNone(long offset, long count);
  void weightMatrix(long offset, long rows, long width);
  void normWeights(const NormRef& norm, long width);
  void epilogue(const Op& op);
  void constants(long offset, long count);
  // `count` values of what a run is given of one image are read.
  void given(const Op& op, long count);

  // Each kind of operation has a function, so that a new one can't be forgotten.
#define PLUMAGE_DECLARE(kind) void kind(const Op& op);
  PLUMAGE_OP_KINDS(PLUMAGE_DECLARE)
#undef PLUMAGE_DECLARE
  void patchify(const Op& op);
  void product(const Op& op, long depth);
  void kernelPass(const Op& op, long pixels, long places) const;
  void taps(long offset, long rows, long taps, long most);
  void places(const SlotRef& ref, long tokens) const;
  void operandFormats(const Op& op, long width) const;
  void changeOfScores(const Op& op, long headWidth);
  void scoreBias(const Op& op, long own, long headWidth);
  void indices(long offset, long count, long most);

  const Kernels& kernels_;
  const long arenaFloats_;
  const float* const constants_;
  const long constantFloats_;
  size_t index_ = 0;
  Needs needs_;
};

// `length` numbers are OP_FIELDS for each operation. Throws Refusal where one is no number that a field can hold.
std::vector<Op> readOps(const double* fields, size_t length);

// Throws Refusal for the first operation that reaches outside, or that these kernels do not have.
Needs checkOps(const std::vector<Op>& ops, const Kernels& kernels, long arenaFloats, const float* constants, long constantFloats);

}  // namespace plumage
