// Checks operations once, when a program is made: none may reach outside the arena, the weights, the constants, the pixels or the outputs.
#pragma once

#include <vector>

#include "kernels.h"
#include "program.h"

namespace plumage {

// A program must be given this when it runs.
struct Needs {
  long weights = 0;           // floats that the region has at least
  long pixels = 0;            // of one image; 0 where none are read
  std::vector<long> outputs;  // values of each for one image
};

// `length` numbers are OP_FIELDS for each operation. Throws Refusal where one is no number that a field can hold.
std::vector<Op> readOps(const double* fields, size_t length);

// Throws Refusal for the first operation that reaches outside, or that these kernels do not have.
Needs checkOps(const std::vector<Op>& ops, const Kernels& kernels, long arenaFloats, long constantFloats);

}  // namespace plumage
