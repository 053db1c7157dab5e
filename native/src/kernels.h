// Holds the contract between the portable program and the kernels, which are compiled once per instruction set.
//
// Only plain data and function pointers cross this line: a file compiled for AVX-512 must not emit any inline function that the
// linker could choose for everybody, so nothing here has a body and no standard container is included.
//
// Matrices are rows of `stride` floats. Strides of slots are multiples of 16 floats, so whole vectors may be read and written past
// a row's width up to its stride; what lies there has no meaning.
#pragma once

#include <cstddef>

#include "ops.h"

namespace plumage {

// Computes value = activation(value); value *= gamma; then `add`: value += other, or `gate`: value *= activation(other).
struct Epilogue {
  const float* bias;   // it is null where there is none, and padded to whole vectors
  const float* gamma;  // it is null where there is none, and padded likewise
  Activation activation;
  Combine combine;
  const float* other;
  long otherStride;
};

// Rows of integers have a scale, which is known only when the whole row is.
constexpr bool isInteger(Format format) { return format == Format::int8 || format == Format::int16; }

// Strides and offsets of rows count floats, whatever the format.
struct Rows {
  float* data;
  long stride;
  Format format;
  long low;  // split rows have their second parts here
};

// Asks for out[r, n] = epilogue(sum over k of a[r, k] * weight[n, k]), k in [fromDepth, toDepth).
struct GemmArgs {
  Rows a;
  const float* weight;  // the product's `pack` has made it
  Rows out;             // it holds no integers, whose scale needs the whole row
  long rows, columns, depth;
  long fromDepth, toDepth;
  long chunkRows;  // so many rows of `a` stay in the second-level cache while all panels pass
  Epilogue epilogue;
};

// Computes the matrix product of one precision.
struct Product {
  Format rows;  // `a` must have this format
  long tileRows, tileColumns;
  // A chunk of rows and a panel of weights of this depth fit the caches best; longer sums that are added to a slot are made in slices of
  // it. Where it is 0, any depth is as good.
  long sliceDepth;
  // Counts the room for a packed weight [columns, depth].
  long (*packedFloats)(long columns, long depth);
  // Packs panels [from, to) of `tileColumns` columns. Gives false where one of them is not held: beside its largest value, most others are lost.
  bool (*pack)(const float* weight, long columns, long depth, float* packed, long from, long to);
  // Packs likewise what is in bytes already, with a scale for each column, to the same packed form; null where the product keeps no bytes.
  void (*packBytes)(const signed char* weight, const float* scales, long columns, long depth, float* packed, long from, long to);
  // A task has one panel of columns for one chunk of rows; tasks are numbered chunk by chunk. Scratch is (chunkRows + 2 * tileRows) * tileColumns
  // floats.
  void (*gemm)(const GemmArgs&, long task, float* scratch);
  // Runs products in registers alone; returns how many operations of a matrix product that is worth.
  double (*peak)(long repetitions);
};

struct NormWeights {
  NormKind kind;
  const float* weight;
  const float* bias;  // it may be null
  float epsilon;
};

struct NormArgs {
  const float* in;
  long inStride;
  Rows out;
  long width;    // a group has so many columns
  long groups;   // so many lie side by side in a row, each normalised on its own (heads)
  NormWeights weights;
};

// Asks for the queries and keys of each head, [queries, keys, values] side by side in a row, to be normed and then turned; values stay.
struct TurnArgs {
  const float* in;
  long inStride;
  Rows out;  // where it is `in`, nothing is copied
  long rows;  // an image has so many, with which the tables begin anew
  long heads, headWidth;
  NormWeights norms[2];  // of queries and of keys; the kind is none where nothing normalises them
  const float* table;    // [rows, tables, 2 * headWidth] cosines, then sines; null where nothing is turned
  long tables;           // one for all heads, or one for each
  bool pairsNeighbours;
};

// Asks for the same values in another format; they come as float32 or bfloat16.
struct ConvertArgs {
  Rows in, out;
  long width;
};

struct ElementwiseArgs {
  const float* in;
  long inStride;
  float* out;
  long outStride;
  long width;
  Epilogue epilogue;
};

// Says where rows of one operand of attention lie; a row of image b starts at data + b * imageStride + row * rowStride.
struct AttentionOperand {
  const float* data;
  long rowStride, imageStride;
};

constexpr long MOST_BLOCKS_OF_TASK = 16;

struct AttentionArgs {
  AttentionOperand query, key, value;
  Rows out;
  long outImageStride;
  long images, heads, headWidth, valueWidth;  // valueWidth counts the columns of a head's values: headWidth in plain attention
  long queries, keys;
  // A task takes so many blocks of `tileColumns` queries through the keys together: values are packed once for all of them.
  long blocksOfTask;
  float scale;
  long low;  // query, key and value have their second parts here, where they are split
  // These are looked at where operands are float32.
  KeyMask mask;
  const float* keyCounts;  // so many keys does each of `groups` images see in turn
  long groups;
  ScoreBias bias;
  const float* table;        // [heads, offsets in rows * offsets in columns + 3] where the bias is relative, else [offsets in rows, headWidth]
  const float* columnTable;  // [offsets in columns, headWidth] where the bias is decomposed
  long gridRows, gridColumns;
};

// Asks for what attention weighs values by, of the rows and heads that are named.
struct AttentionWeightsArgs {
  AttentionArgs of;  // its values are not read, and its `out` gets weights, [heads * rows, keys] for each image, or [rows, keys] where heads are joined
  Format format;     // of queries and keys
  const float* rowIndex;   // null where they are all
  const float* headIndex;  // null where they are all
  long rows, heads;        // so many are named
  HeadFusion fusion;
  long blockRows;  // a task has so many rows
};

// Counts the offsets that two places on a line of so many can have.
constexpr long offsetsOf(long places) { return 2 * places - 1; }
// Counts the floats that a task of attention needs in its scratch for the bias of `blocks` blocks of queries.
constexpr long biasFloats(ScoreBias bias, long gridRows, long gridColumns, long blocks, long queryBlock) {
  if (bias == ScoreBias::none) return 0;
  // Vectors reach beyond a table at both ends.
  return bias == ScoreBias::relative ? offsetsOf(gridRows) * offsetsOf(gridColumns) + 64 : blocks * (gridRows + gridColumns) * queryBlock;
}

struct ProbeArgs {
  const float* latents;  // [latents, width] lie one behind the other
  long latentCount;
  const float* keys;
  const float* values;
  long stride, valueStride, imageStride, valueImageStride;
  float* out;
  long outImageStride;
  long images, heads, width, rows;
  float scale;
};

// Says which inputs make an output along one axis of an image: those from first[i] on, `count[i]` of them, with the weights from
// weights[i * stride] on, in fixed point with `bits` bits after the point.
struct ResampleAxis {
  const int* first;
  const int* count;
  const int* weights;
  long stride, outputs;  // without outputs the side stays as it is
  int bits;
};

// Gives rows of an image that is still being decoded; each call asks for those that follow the last one's.
struct RowSource {
  // So many rows are asked for at a time: those of one row of a JPEG's blocks with colours at half the size, which libjpeg decodes together.
  static constexpr long ROWS = 16;
  // Gives rows [row, row + count), valid until the next call, or null where there are none.
  virtual const unsigned char* rows(long row, long count) = 0;

 protected:
  ~RowSource() = default;
};

// Asks for a resize of 8-bit RGB, [height, width, 3]. Values are rounded to 8 bits after each pass.
struct ResampleArgs {
  const unsigned char* in;  // is null where there is a source
  RowSource* source;        // its rows are resized as they come; both sides change, the width first
  long height, width;
  ResampleAxis horizontal, vertical;
  bool verticalFirst;
  unsigned char* out;
};
// Three signed bytes make no larger weight than this.
constexpr int LARGEST_WEIGHT = 127 << 16;

// Weights are stored in one of these types; the numbers are known to src/engine/native/addon.ts.
enum class StoredType : int { float32, float16, bfloat16, int8 };

// A block of weights is digested in this many lanes, each of which has two words of state.
constexpr long DIGEST_LANES = 32;
constexpr long DIGEST_BLOCK = 1L << 18;

// Squares of so many pixels a side are averaged at most: the sums of their columns fit 16 bits.
constexpr long MOST_AVERAGED = 256;

// Holds what has been measured of an image of 8-bit RGB by its first rows: the digest of its levels as words, and the averages of squares of pixels.
struct PixelMeasures {
  long height, width;
  long factor;              // pixels a side of a square
  int* states;              // as many as the digest of all whole words has
  unsigned char* averages;  // [height / factor, width / factor, 3]
  unsigned short* sums;     // scratch, [width * 3]
  long row, stripes;        // so many have been measured
  // What follows is less than a stripe of the digest; after the last row, and behind its whole words, these are the bytes that make no word.
  unsigned char carried[DIGEST_LANES * 4];
  long carriedBytes;
};

// Rows of features have so many numbers at most.
constexpr long MOST_FEATURES = 1L << 16;
// Rows of features are centred in blocks of so many, whose panels of a Gram matrix stay in the first-level cache.
constexpr long GRAM_ROWS = 128;

struct Kernels {
  const char* name;
  const Product* products[PRECISIONS];  // one is null where this processor gains nothing by it
  // So many queries go together, and so many keys.
  long queryBlock, keyBlock;
  // Attention takes these formats for each precision; where one is not float32, `narrowAttention` computes it.
  Format attentionRows[PRECISIONS];
  // Tells whether rows in bfloat16 can be written.
  bool bfloat16Rows;

  // Norm, convert and turn need scratch for a row in float32, filled up to 32.
  void (*norm)(const NormArgs&, long fromRow, long toRow, float* scratch);
  void (*convert)(const ConvertArgs&, long fromRow, long toRow, float* scratch);
  void (*turn)(const TurnArgs&, long fromRow, long toRow, float* scratch);
  void (*elementwise)(const ElementwiseArgs&, long fromRow, long toRow);
  // A task has `blocksOfTask` blocks of queries of one head of one image; tasks are numbered image by image, head by head.
  void (*attention)(const AttentionArgs&, long task, float* scratch);
  // This does the same from bfloat16 or split operands; a task has `blocksOfTask` blocks of `narrowQueryBlock` queries. It is null where there
  // is none.
  long narrowQueryBlock;
  void (*narrowAttention)(const AttentionArgs&, Format rows, long task, float* scratch);
  long (*narrowAttentionFloats)(const AttentionArgs&, Format rows);
  // A task has `blockRows` rows of one head of one image, or of all its heads where they are joined.
  void (*attentionWeights)(const AttentionWeightsArgs&, long task, float* scratch);
  long (*attentionWeightsFloats)(const AttentionWeightsArgs&);
  // A task has one latent of one image. Scratch is 2 * rows, rounded up to 16 each.
  void (*probe)(const ProbeArgs&, long task, float* scratch);
  // Takes the means over rows of columns [from, to).
  void (*meanRows)(const float* in, long stride, long rows, float* out, long from, long to);
  // Takes the largest values over rows of columns [from, to).
  void (*maxRows)(const float* in, long stride, long rows, float* out, long from, long to);
  // At least one axis has outputs. Scratch is as many bytes as are asked for, aligned to 64. Gives false where the source has no more rows.
  bool (*resample)(const ResampleArgs&, char* scratch);
  long (*resampleScratchBytes)(const ResampleArgs&);
  // At most a block of values; `states` has two words for each lane, those of all lanes' first states in front.
  void (*digest)(const float* values, long count, int* states);
  // Measures the next rows of an image; finish it behind the last one.
  void (*measureRows)(PixelMeasures&, const unsigned char* rows, long count);
  void (*finishMeasures)(PixelMeasures&);
  // Makes float32 of halves or bfloat16.
  void (*widen)(StoredType type, const unsigned short* in, float* out, long count);
  // Makes float32 of bytes, each times the scale.
  void (*scaleBytes)(const signed char* in, float scale, float* out, long count);
  // Computes the elementary functions, so that their errors can be measured.
  void (*evaluate)(Activation function, const float* in, float* out, long count);
  // What follows works on rows of features, each of which may lie anywhere. A panel of their Gram matrix has so many columns.
  long gramColumns;
  // Adds up the columns of rows.
  void (*addRows)(const float* const* rows, long count, long width, double* sums);
  // Writes at most GRAM_ROWS rows without their mean as panels [panels, GRAM_ROWS, gramColumns], filled up with zeros.
  void (*centreRows)(const float* const* rows, long count, long width, const double* mean, float* panels);
  // Adds to sums [gramColumns, gramColumns] the products of two panels.
  void (*gramPanel)(const float* a, const float* b, long count, double* sums);
  // Adds to sums [vectors, width] the product of the centred rows' Gram matrix with each vector. Scratch holds a row.
  void (*gramTimes)(const float* const* rows, long count, long width, const double* mean, const float* basis, long vectors, float* scratch,
                    double* sums);
  // Multiplies a query with rows of halves, and gives the squares of the rows' lengths beside.
  void (*scoreHalves)(const unsigned char* rows, long count, long width, const float* query, float* scores, float* squares);
  // Multiplies a query with a row of halves in float64, in an order that src/numerics/dot-halves.ts has too: the number is the same to the last bit.
  double (*dotHalves)(const float* query, const unsigned char* row, long width);
  // Makes float32 of rows of halves, wherever they lie, and gives the squares of their lengths, and of the lengths of what rounding to bfloat16 takes.
  void (*widenRows)(const unsigned char* const* rows, long count, long width, float* out, float* squares, float* lost);
  // Lists the places r * 65536 + c of scores [rows, columns] that are not below the bound of their row, or below that of their column, where columns
  // have bounds; gives how many. There is room for all.
  long (*findLarge)(const float* scores, long stride, long rows, long columns, const float* rowBounds, const float* columnBounds, unsigned* places);
  // Multiplies a query in 15 bits with rows of bytes that have scales.
  void (*scoreBytes)(const signed char* rows, const float* scales, long count, long width, const short* query, float queryScale, float* scores);
  // Adds up bytes as words: the speed of memory is measured by it.
  unsigned long long (*sumBytes)(const unsigned char* bytes, long count);
};

extern const Kernels genericKernels;
#if defined(PLUMAGE_X86)
extern const Kernels avx2Kernels;
extern const Kernels avx2VnniKernels;
extern const Kernels avx512Kernels;
extern const Kernels avx512VnniKernels;
extern const Kernels avx512Bf16Kernels;
extern const Kernels amxKernels;
#endif

}  // namespace plumage
