// These kernels are for AVX-512 with VNNI, which multiplies bytes.
#define VECTOR_WIDTH 16
#define TILE_ROWS 8
#define TILE_VECTORS 3
#define DOT_TILE_ROWS 8
#define DOT_TILE_VECTORS 3
#define DEPTH_BLOCK 160
#define KEY_BLOCK 96
#define KERNELS avx512VnniKernels
#define KERNELS_NAME "avx512-vnni"
#include "table-impl.h"
