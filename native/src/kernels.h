// The contract between the portable program and the kernels compiled once per instruction set.
//
// Only plain data and function pointers cross this line: a file compiled for AVX-512 must not emit any inline function that the
// linker could choose for everybody, so nothing here has a body and no standard container is included.
//
// Matrices are rows of `stride` floats. Strides of slots are multiples of 16 floats, so whole vectors may be read and written past
// a row's width up to its stride; what lies there has no meaning.
#pragma once

#include <cstddef>

namespace plumage {

// Mirrored by ACTIVATION_CODES in src/platform/node/native/encode-ops.ts.
enum class Activation : int {
  identity,
  relu,
  relu6,
  leakyRelu,
  elu,
  selu,
  gelu,
  geluTanh,
  quickGelu,
  silu,
  mish,
  sigmoid,
  tanh,
  hardSigmoid,
  hardSwish,
  hardTanh,
  // Not activations: only for measuring the error of the functions that the others are made of.
  exp,
  expm1,
  exp2Softmax,
};

// What a product (or an element-wise step) does with its second input.
enum class Combine : int { none, add, gate };

// value = activation(value); value *= gamma; then `add`: value += other, or `gate`: value *= activation(other).
struct Epilogue {
  const float* bias;   // null where there is none; padded to whole vectors
  const float* gamma;  // null where there is none; padded likewise
  Activation activation;
  Combine combine;
  const float* other;
  long otherStride;
};

// out[r, n] = epilogue(sum over k of a[r, k] * weight[n, k]). `weight` is packed in panels of `tileColumns` columns: [panel][k][column].
struct GemmArgs {
  const float* a;
  long aStride;
  const float* weight;
  float* out;
  long outStride;
  long rows, columns, depth;
  long chunkRows;  // rows of `a` that stay in the second-level cache while all panels pass
  Epilogue epilogue;
};

enum class NormKind : int { none, layerNorm, rmsNorm };

struct NormWeights {
  NormKind kind;
  const float* weight;
  const float* bias;  // may be null
  float epsilon;
};

struct NormArgs {
  const float* in;
  long inStride;
  float* out;
  long outStride;
  long width;    // of one group
  long groups;   // groups side by side in a row, each normalised on its own (heads)
  NormWeights weights;
};

struct ElementwiseArgs {
  const float* in;
  long inStride;
  float* out;
  long outStride;
  long width;
  Epilogue epilogue;
};

// Rows of one operand of attention; a row of image b starts at data + b * imageStride + row * rowStride.
struct AttentionOperand {
  const float* data;
  long rowStride, imageStride;
};

constexpr long MOST_BLOCKS_OF_TASK = 4;

struct AttentionArgs {
  AttentionOperand query, key, value;
  float* out;
  long outRowStride, outImageStride;
  long images, heads, headWidth, valueWidth;  // valueWidth: columns of a head's values, headWidth in plain attention
  long queries, keys;
  // Blocks of `tileColumns` queries that one task takes through the keys together: values are packed once for all of them.
  long blocksOfTask;
  float scale;
};

struct ProbeArgs {
  const float* latents;  // [latents, width], contiguous
  long latentCount;
  const float* keys;
  const float* values;
  long stride, valueStride, imageStride, valueImageStride;
  float* out;
  long outImageStride;
  long images, heads, width, rows;
  float scale;
};

struct Kernels {
  const char* name;
  long tileRows, tileColumns, keyBlock;

  // Packs panels [from, to) of a weight [columns, depth].
  void (*packPanels)(const float* weight, long columns, long depth, float* packed, long from, long to);
  // One panel of columns for one chunk of rows; tasks are numbered chunk by chunk. Scratch: chunkRows * tileColumns floats.
  void (*gemm)(const GemmArgs&, long task, float* scratch);
  void (*norm)(const NormArgs&, long fromRow, long toRow);
  void (*elementwise)(const ElementwiseArgs&, long fromRow, long toRow);
  // `blocksOfTask` blocks of queries of one head of one image; tasks are numbered image by image, head by head.
  void (*attention)(const AttentionArgs&, long task, float* scratch);
  // One latent of one image. Scratch: 2 * rows, rounded up to 16 each.
  void (*probe)(const ProbeArgs&, long task, float* scratch);
  // Means over rows of columns [from, to).
  void (*meanRows)(const float* in, long stride, long rows, float* out, long from, long to);
  // The elementary functions, for measuring their error.
  void (*evaluate)(Activation function, const float* in, float* out, long count);
  // Runs independent multiply-adds in registers; returns how many floating-point operations that were.
  double (*multiplyAdd)(long repetitions, float* sink);
};

extern const Kernels genericKernels;
#if defined(PLUMAGE_X86)
extern const Kernels avx2Kernels;
extern const Kernels avx512Kernels;
#endif

}  // namespace plumage
