// These kernels are for AMX (bfloat16 and int8 tiles) beside AVX-512 with BF16.
#define VECTOR_WIDTH 16
#define TILE_ROWS 8
#define TILE_VECTORS 3
#define DEPTH_BLOCK 160
#define KEY_BLOCK 96
#define KERNELS amxKernels
#define KERNELS_NAME "amx"
#include "table-impl.h"
