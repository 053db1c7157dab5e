// Kernels for the compiler's baseline: SSE2 on x86-64, NEON on arm64.
#define VECTOR_WIDTH 4
#define TILE_ROWS 6
#define DEPTH_BLOCK 256
#define KEY_BLOCK 252
#define KERNELS genericKernels
#define KERNELS_NAME "generic"
#include "table-impl.h"
