// These kernels are for the compiler's baseline: SSE2 on x86-64, NEON on arm64. 12 registers hold a tile of 6 x 8.
#define VECTOR_WIDTH 4
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define DEPTH_BLOCK 256
#define KEY_BLOCK 252
#define KERNELS genericKernels
#define KERNELS_NAME "generic"
#include "table-impl.h"
