// Holds products of rows with a weight: what they may be asked, then what they do.
#include <algorithm>

#include "check-ops.h"
#include "execution.h"

namespace plumage {

void Checker::linear(const Op& op) {
  slot(op.input);
  sameRows(op.input, op.output);
  product(op, op.input.width);
  require(op.input.format == kernels_.products[static_cast<int>(op.weight.precision)]->rows, "its products do not read the format of its input");
}

// Is about products of rows of `depth` numbers.
void Checker::product(const Op& op, long depth) {
  require(op.weight.precision >= Precision::float32 && op.weight.precision <= Precision::int8, "its precision is none");
  const Product* product = kernels_.products[static_cast<int>(op.weight.precision)];
  require(product != nullptr, "the instruction set has no products of its precision");
  slot(op.output);
  require(!isInteger(op.output.format), "products do not write integers");
  // Their panels are no whole number of the lines of narrower rows.
  require(op.weight.precision != Precision::float32 || op.output.format == Format::float32, "products in float32 write nothing narrower");
  require(op.output.width <= MOST * MOST / 64 / depth, "its weight is too large");
  require(op.weight.offset >= 0, "a weight is missing");
  needs_.weights = std::max(needs_.weights, op.weight.offset + product->packedFloats(op.output.width, depth));
  epilogue(op);
}
void Execution::linear(const Op& op) { multiply(op, 0, input_.batch * op.input.rows); }

// Multiplies `count` rows of the batch, from `first` on; where a second slot joins, they are all.
void Execution::multiply(const Op& op, long first, long count) {
  const LinearShape shape = linearShape(kernels_, op, count, pool_.size());
  GemmArgs args;
  args.a = rows(op.input);
  args.a.data += first * args.a.stride;
  args.weight = weight(op.weight.offset);
  args.out = rows(op.output);
  args.out.data += first * args.out.stride;
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

}  // namespace plumage
