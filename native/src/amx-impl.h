// Multiplies in matrix tiles (AMX): in blocks of 32 x 32, with four tiles of sums, two of rows and two of weights.
//
// A step is one tile deep: 64 bytes of a row. Rows come from the second-level cache by loads that leave the first one alone
// (TILELOADDT1): it then holds a block of weights of 32 KB for as long as the chunk passes. Sums are written out and read again once a
// block, which costs as much as eight products, so blocks are as deep as that cache allows.
#pragma once

#include "transpose-impl.h"

namespace plumage {
namespace {

constexpr long TILE_BYTES = 1024;

struct alignas(64) TileConfiguration {
  unsigned char palette, start, reserved[14];
  unsigned short columnBytes[16];
  unsigned char rows[16];
};
// It is no variable of a function: GCC takes no more than the first 8 bytes of what is loaded to be read, and would leave out the others.
constexpr TileConfiguration EIGHT_TILES = {1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
// A thread's tiles are eight of 16 rows x 64 bytes. They are released after each task, so that switching threads stays cheap.
INLINE void configureTiles() { _tile_loadconfig(&EIGHT_TILES); }

INLINE void loadSums(const float* c) {
  _tile_stream_loadd(0, c, 64);
  _tile_stream_loadd(1, c + 256, 64);
  _tile_stream_loadd(2, c + 512, 64);
  _tile_stream_loadd(3, c + 768, 64);
}
INLINE void storeSums(float* c) {
  _tile_stored(0, c, 64);
  _tile_stored(1, c + 256, 64);
  _tile_stored(2, c + 512, 64);
  _tile_stored(3, c + 768, 64);
}
INLINE void clearSums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}
// What the vector units have written must be in memory before a tile is loaded: the compiler does not know that tiles read it.
INLINE void settle() { __asm__ volatile("" ::: "memory"); }
// Fetches four lines towards the second-level cache.
INLINE void fetchLines(const char* ahead) {
  _mm_prefetch(ahead, _MM_HINT_T1);
  _mm_prefetch(ahead + 64, _MM_HINT_T1);
  _mm_prefetch(ahead + 128, _MM_HINT_T1);
  _mm_prefetch(ahead + 192, _MM_HINT_T1);
}

// Computes sums (0, 1; 2, 3) += rows (4, 5) * weights (6, 7), one product after each load that it waits for.
#define PLUMAGE_TILE_STEPS(PRODUCT)                     \
  for (long k = 0; k < steps; k++) {                    \
    _tile_stream_loadd(4, a, stride);                   \
    _tile_loadd(6, b, 64);                              \
    PRODUCT(0, 4, 6);                                   \
    _tile_loadd(7, b + TILE_BYTES, 64);                 \
    PRODUCT(1, 4, 7);                                   \
    if (two) {                                          \
      _tile_stream_loadd(5, a + 16 * stride, stride);   \
      PRODUCT(2, 5, 6);                                 \
      PRODUCT(3, 5, 7);                                 \
    }                                                   \
    fetchLines(ahead);                                  \
    beside(k);                                          \
    ahead += 256;                                       \
    a += 64;                                            \
    b += 2 * TILE_BYTES;                                \
  }

struct TilesBfloat16 {
  // A product of values takes so many products of tiles.
  static constexpr long PRODUCTS = 1;
  static INLINE void fourProducts() {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  typedef V Accumulator;
  static constexpr Format ROWS = Format::bfloat16;
  static constexpr long STEP_VALUES = 32, STEP_BYTES = 2 * TILE_BYTES, BLOCK_STEPS = 16, SLICE_DEPTH = 2048;
  static constexpr bool SCALED = false, OFFSET = false;
  template <bool two, typename Beside>
  static INLINE void steps(const char* a, long stride, long, const char* b, long steps, const char* ahead, const Beside& beside) {
    PLUMAGE_TILE_STEPS(_tile_dpbf16ps)
  }
};

struct TilesInt8 {
  static constexpr long PRODUCTS = 1;
  static INLINE void fourProducts() {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  typedef I Accumulator;
  static constexpr Format ROWS = Format::int8;
  static constexpr long STEP_VALUES = 64, STEP_BYTES = 2 * TILE_BYTES, BLOCK_STEPS = 16, SLICE_DEPTH = 0;
  static constexpr bool SCALED = true, OFFSET = true;
  template <bool two, typename Beside>
  static INLINE void steps(const char* a, long stride, long, const char* b, long steps, const char* ahead, const Beside& beside) {
    PLUMAGE_TILE_STEPS(_tile_dpbusd)
  }
};
#undef PLUMAGE_TILE_STEPS

// Computes (high + low) * (high + low) without low * low, which is below the rounding of a float32 sum.
struct TilesSplit {
  static constexpr long PRODUCTS = 3;
  static INLINE void fourProducts() { TilesBfloat16::fourProducts(); }
  typedef V Accumulator;
  static constexpr Format ROWS = Format::split;
  static constexpr long STEP_VALUES = 32, STEP_BYTES = 4 * TILE_BYTES, BLOCK_STEPS = 8, SLICE_DEPTH = 1024;
  static constexpr bool SCALED = false, OFFSET = false;
  template <bool two, typename Beside>
  static INLINE void steps(const char* a, long stride, long low, const char* b, long steps, const char* ahead, const Beside& beside) {
    for (long k = 0; k < steps; k++) {
      _tile_stream_loadd(4, a, stride);
      _tile_loadd(6, b + 2 * TILE_BYTES, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, b + 3 * TILE_BYTES, 64);
      _tile_dpbf16ps(1, 4, 7);
      if (two) {
        _tile_stream_loadd(5, a + 16 * stride, stride);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
      fetchLines(ahead);
      _tile_loadd(6, b, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, b + TILE_BYTES, 64);
      _tile_dpbf16ps(1, 4, 7);
      if (two) {
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
      fetchLines(ahead + 256);
      beside(k);
      _tile_stream_loadd(4, a + low, stride);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      if (two) {
        _tile_stream_loadd(5, a + low + 16 * stride, stride);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
      ahead += 512;
      a += 64;
      b += STEP_BYTES;
    }
  }
};

// Has what the driver in gemm-impl.h needs of a product that works on tiles.
template <typename Kind>
struct TileProduct : Kind {
  static constexpr long ROWS_OF_TILE = 32, COLUMNS = 32, STORED_BYTES = Kind::STEP_BYTES;
  static constexpr bool WIDENS = false;
  static long aheadBytes(long steps) { return steps * Kind::STEP_BYTES / 8; }
  static void begin() { configureTiles(); }
  static void end() { _tile_release(); }
  static constexpr bool ADDS_LAST_APART = true, FINISHES_BESIDE = true;
  // The vector units finish the previous tile while this one is multiplied, some rows beside each step, and fetch what finishing this one will touch.
  template <typename Finish>
  static INLINE void multiply(const Rows& rows, long row, long step, const char* b, float* c, long steps, long count, long, bool accumulate,
                              const char* ahead, const Finish& last, const Finish& next) {
    const char* a = reinterpret_cast<const char*>(rows.data + row * rows.stride + step * 16);
    const Finish previous = last, current = next;
    const auto multiplyBeside = [&](const auto& beside) {
      Kind::template steps<true>(a, rows.stride * 4, rows.low * 4, b, steps, ahead, beside);
    };
    if (accumulate) {
      loadSums(c);
    } else {
      clearSums();
    }
    constexpr long HALF = ROWS_OF_TILE / 2;
    if (count <= HALF) {
      Kind::template steps<false>(a, rows.stride * 4, rows.low * 4, b, steps, ahead, [](long) {});
      previous.all();
    } else if (!current.isWhole() || !previous.isWhole() || steps < HALF) {
      multiplyBeside([](long) {});
      previous.all();
    } else if (steps < ROWS_OF_TILE) {
      multiplyBeside([&](long k) {
        if (k >= HALF) return;
        previous.template someOfWhole<2>(2 * k);
        current.fetchRow(2 * k);
        current.fetchRow(2 * k + 1);
      });
    } else {
      multiplyBeside([&](long k) {
        if (k >= ROWS_OF_TILE) return;
        previous.template someOfWhole<1>(k);
        current.fetchRow(k);
      });
    }
    storeSums(c);
  }
  // A block lies as four tiles of 16 x 16.
  static INLINE const float* vectorAt(const float* c, long row, long vector) {
    return c + ((row >> 4) * 2 + vector) * 256 + (row & 15) * 16;
  }

  // The numbers are such as come in a model: zeros would take less power, and so run at a higher clock than any model does.
  static double peak(long repetitions) {
    alignas(64) unsigned short operands[4 * TILE_BYTES / 2];
    unsigned state = 1;
    for (unsigned short& operand : operands) {
      state = state * 1664525 + 1013904223;
      operand = roundToBfloat16(static_cast<float>(static_cast<int>(state)) * 0x1p-31f);
    }
    const char* at = reinterpret_cast<const char*>(operands);
    configureTiles();
    settle();
    clearSums();
    _tile_loadd(4, at, 64);
    _tile_loadd(5, at + TILE_BYTES, 64);
    _tile_loadd(6, at + 2 * TILE_BYTES, 64);
    _tile_loadd(7, at + 3 * TILE_BYTES, 64);
    for (long k = 0; k < repetitions; k++) Kind::fourProducts();
    _tile_release();
    return 4.0 * 2 * 16 * 16 * Kind::STEP_VALUES / Kind::PRODUCTS * static_cast<double>(repetitions);
  }

  // A tile of weights has 16 rows of 4 bytes for each of 16 columns.
  template <typename Value>
  static void packPanels(const Value* weight, const float* scales, long columns, long depth, float* packed, long from, long to) {
    const long steps = ceilDivide(depth, Kind::STEP_VALUES);
    for (long panel = from; panel < to; panel++) {
      char* out = reinterpret_cast<char*>(packed) + panel * steps * Kind::STEP_BYTES;
      for (long half = 0; half < 2; half++) {
        const long first = panel * COLUMNS + half * 16;
        for (long s = 0; s < steps; s++) {
          packTile(weight + first * depth + s * Kind::STEP_VALUES, smaller(16, columns - first), depth, depth - s * Kind::STEP_VALUES,
                   Kind::SCALED ? scales + first : nullptr, out + s * Kind::STEP_BYTES + half * TILE_BYTES);
        }
      }
    }
  }

 private:
  // There are `valid` columns, of which `remaining` values are left. Rows are loaded as they lie, then transposed in units of 4 bytes.
  static void packTile(const signed char* weight, long valid, long depth, long remaining, const float*, char* out) {
    __m512i rows[16];
    const long length = smaller(64, remaining);
    for (long c = 0; c < 16; c++) {
      if (c < valid && length == 64) {
        rows[c] = _mm512_loadu_si512(weight + c * depth);
        continue;
      }
      alignas(64) signed char bytes[64] = {};
      if (c < valid) __builtin_memcpy(bytes, weight + c * depth, static_cast<size_t>(length));
      rows[c] = _mm512_load_si512(bytes);
    }
    transpose16(rows);
    for (long i = 0; i < 16; i++) _mm512_store_si512(out + i * 64, rows[i]);
  }
  static void packTile(const float* weight, long valid, long depth, long remaining, const float* scales, char* out) {
    __m512i rows[16], low[16];
    for (long c = 0; c < 16; c++) {
      V x[4] = {};
      for (long i = 0; i < Kind::STEP_VALUES / 16; i++) {
        const long left = c < valid ? remaining - i * 16 : 0;
        const __mmask16 mask = left >= 16 ? 0xffff : left <= 0 ? 0 : static_cast<__mmask16>((1 << left) - 1);
        x[i] = (V)_mm512_maskz_loadu_ps(mask, weight + c * depth + i * 16);
      }
      if constexpr (Kind::SCALED) {
        // Beyond the last column there are zeros, which stay zeros.
        const float scale = c < valid ? scales[c] : 0;
        const V factor = splat(scale);
        alignas(64) signed char bytes[64];
        for (long i = 0; i < 4; i++) {
          const __m512i whole = scale > 0 ? _mm512_cvtps_epi32((__m512)(x[i] / factor)) : _mm512_setzero_si512();
          _mm_store_si128(reinterpret_cast<__m128i*>(bytes + i * 16), _mm512_cvtepi32_epi8(whole));
        }
        rows[c] = _mm512_load_si512(bytes);
      } else {
        rows[c] = roundPair(x[0], x[1]);
        low[c] = roundPair(x[0] - widenLow(rows[c]), x[1] - widenHigh(rows[c]));
      }
    }
    transpose16(rows);
    for (long i = 0; i < 16; i++) _mm512_store_si512(out + i * 64, rows[i]);
    if constexpr (Kind::ROWS == Format::split) {
      transpose16(low);
      for (long i = 0; i < 16; i++) _mm512_store_si512(out + 2 * TILE_BYTES + i * 64, low[i]);
    }
  }
};

}  // namespace
}  // namespace plumage
