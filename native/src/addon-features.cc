// Holds the addon's functions on rows of features: their Gram matrix, and products with other rows.
//
// What is summed is cut into pieces that depend on the rows alone, and pieces are added up in order, so that the number of threads changes no number.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "functions.h"
#include "host.h"

namespace plumage {
namespace {

// Rows lie in blocks, wherever each of them is.
struct FeatureRows {
  long width;
  std::vector<const float*> rows;

  // Elements [from, end) of `kept` are the blocks.
  FeatureRows(napi_env env, napi_value kept, uint32_t from, long width) : width(width) {
    const uint32_t end = lengthOf(env, kept);
    for (uint32_t i = from; i < end; i++) {
      const Span<float> block = floats(env, element(env, kept, i), "A block of rows");
      if (block.length % static_cast<size_t>(width) != 0) throw Refusal(WRONG_ARGUMENT, "%zu numbers are no rows of %ld.", block.length, width);
      for (size_t at = 0; at < block.length; at += static_cast<size_t>(width)) rows.push_back(block.data + at);
    }
    if (rows.empty()) throw Refusal(WRONG_ARGUMENT, "There are no rows.");
  }
  long count() const { return static_cast<long>(rows.size()); }
};

// Sums over rows are made in at most so many pieces.
constexpr long MOST_PIECES = 64;

// Calls body(thread, firstRow, endRow, sums) for each piece, whose sums begin as zeros, and adds these up into `out`.
template <typename Body>
void sumOverRows(ThreadPool& pool, const std::atomic<bool>& cancelled, long count, Span<double> out, const Body& body) {
  const long each = std::max(GRAM_ROWS, (count + MOST_PIECES - 1) / MOST_PIECES);
  const long pieces = (count + each - 1) / each;
  std::vector<double> sums(out.length * static_cast<size_t>(pieces), 0.0);
  pool.run(pieces, cancelled, [&](int thread, long piece) {
    body(thread, piece * each, std::min(count, (piece + 1) * each), sums.data() + static_cast<size_t>(piece) * out.length);
  });
  std::fill(out.data, out.data + out.length, 0.0);
  for (long piece = 0; piece < pieces; piece++) {
    const double* from = sums.data() + static_cast<size_t>(piece) * out.length;
    for (size_t i = 0; i < out.length; i++) out.data[i] += from[i];
  }
}

void meanOf(ThreadPool& pool, const std::atomic<bool>& cancelled, const Kernels& kernels, const FeatureRows& features, Span<double> mean) {
  sumOverRows(pool, cancelled, features.count(), mean, [&](int, long from, long end, double* sums) {
    kernels.addRows(features.rows.data() + from, end - from, features.width, sums);
  });
  for (size_t i = 0; i < mean.length; i++) mean.data[i] /= static_cast<double>(features.count());
}

Span<double> doublesOf(napi_env env, napi_value value, const char* what, size_t length) {
  const Span<double> given = doubles(env, value, what);
  if (given.length != length) throw Refusal(WRONG_ARGUMENT, "%s has %zu numbers, not %zu.", what, given.length, length);
  return given;
}

// So many blocks of rows are centred before their products are made: they stay in the second-level cache.
constexpr long BLOCKS_AT_A_TIME = 8;

// gram(engine, width, [callback, mean, sums, ...blocks]) -> job. The mean is [width], and sums [width, width] are those of the rows without it.
napi_value gram(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const long width = whole(env, arguments[1], "The width of rows", 1, MOST_FEATURES);
  const auto features = std::make_shared<FeatureRows>(env, arguments[2], 3, width);
  const Span<double> mean = doublesOf(env, element(env, arguments[2], 1), "The mean", static_cast<size_t>(width));
  const Span<double> out = doublesOf(env, element(env, arguments[2], 2), "The Gram matrix", static_cast<size_t>(width * width));
  Engine& engine = host.engine();
  return host.submit(env, arguments[0], arguments[2], [&engine, features, mean, out](Job& job) {
    const Kernels& kernels = engine.kernels();
    ThreadPool& pool = engine.pool();
    const long width = features->width, count = features->count(), columns = kernels.gramColumns;
    meanOf(pool, job.cancelled, kernels, *features, mean);
    const long panels = (width + columns - 1) / columns, panelFloats = GRAM_ROWS * columns, tileNumbers = columns * columns;
    const long blockFloats = panels * panelFloats;
    // Each pair of panels is summed by itself; the lower one of a pair comes first.
    std::vector<std::pair<long, long>> pairs;
    for (long b = 0; b < panels; b++) {
      for (long a = 0; a <= b; a++) pairs.emplace_back(a, b);
    }
    std::vector<float> centred(static_cast<size_t>(BLOCKS_AT_A_TIME * blockFloats));
    std::vector<double> sums(pairs.size() * static_cast<size_t>(tileNumbers), 0.0);
    const auto rowsOf = [&](long block) { return std::min(GRAM_ROWS, count - block * GRAM_ROWS); };
    const long blocks = (count + GRAM_ROWS - 1) / GRAM_ROWS;
    for (long first = 0; first < blocks && !job.cancelled.load(); first += BLOCKS_AT_A_TIME) {
      const long some = std::min(BLOCKS_AT_A_TIME, blocks - first);
      pool.run(some, job.cancelled, [&](int, long block) {
        const float* const* rows = features->rows.data() + (first + block) * GRAM_ROWS;
        kernels.centreRows(rows, rowsOf(first + block), width, mean.data, centred.data() + block * blockFloats);
      });
      pool.run(static_cast<long>(pairs.size()), job.cancelled, [&](int, long pair) {
        const auto [a, b] = pairs[static_cast<size_t>(pair)];
        for (long block = 0; block < some; block++) {
          const float* from = centred.data() + block * blockFloats;
          kernels.gramPanel(from + a * panelFloats, from + b * panelFloats, rowsOf(first + block), sums.data() + pair * tileNumbers);
        }
      });
    }
    for (size_t pair = 0; pair < pairs.size(); pair++) {
      const auto [a, b] = pairs[pair];
      for (long i = a * columns; i < std::min(width, (a + 1) * columns); i++) {
        for (long j = std::max(i, b * columns); j < std::min(width, (b + 1) * columns); j++) {
          const double value = sums[pair * static_cast<size_t>(tileNumbers) + static_cast<size_t>((i - a * columns) * columns + j - b * columns)];
          out.data[i * width + j] = out.data[j * width + i] = value;
        }
      }
    }
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

// meanOfRows(engine, width, [callback, mean, ...blocks]) -> job
napi_value meanOfRows(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const long width = whole(env, arguments[1], "The width of rows", 1, MOST_FEATURES);
  const auto features = std::make_shared<FeatureRows>(env, arguments[2], 2, width);
  const Span<double> mean = doublesOf(env, element(env, arguments[2], 1), "The mean", static_cast<size_t>(width));
  Engine& engine = host.engine();
  return host.submit(env, arguments[0], arguments[2], [&engine, features, mean](Job& job) {
    meanOf(engine.pool(), job.cancelled, engine.kernels(), *features, mean);
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

// gramTimes(engine, width, [callback, mean, basis, out, ...blocks]) -> job. Basis and out are [vectors, width].
napi_value gramTimes(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const long width = whole(env, arguments[1], "The width of rows", 1, MOST_FEATURES);
  const auto features = std::make_shared<FeatureRows>(env, arguments[2], 4, width);
  const Span<double> mean = doublesOf(env, element(env, arguments[2], 1), "The mean", static_cast<size_t>(width));
  const Span<float> basis = floats(env, element(env, arguments[2], 2), "The basis");
  const Span<double> out = doublesOf(env, element(env, arguments[2], 3), "The product", basis.length);
  const long vectors = static_cast<long>(basis.length) / width;
  if (vectors == 0 || vectors * width != static_cast<long>(basis.length)) {
    throw Refusal(WRONG_ARGUMENT, "%zu numbers are no vectors of %ld.", basis.length, width);
  }
  Engine& engine = host.engine();
  return host.submit(env, arguments[0], arguments[2], [&engine, features, mean, basis, vectors, out](Job& job) {
    const size_t rowFloats = static_cast<size_t>(features->width + 16);
    std::vector<float> scratch(rowFloats * static_cast<size_t>(engine.pool().size()));
    sumOverRows(engine.pool(), job.cancelled, features->count(), out, [&](int thread, long from, long end, double* sums) {
      engine.kernels().gramTimes(features->rows.data() + from, end - from, features->width, mean.data, basis.data, vectors,
                                 scratch.data() + rowFloats * static_cast<size_t>(thread), sums);
    });
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

// So many queries go together through the rows of a task.
constexpr long QUERIES_AT_A_TIME = 256;

// similarity(engine, width, [callback, queries, rows, out]) -> job. Out is [queries, rows], the products of each with each.
napi_value similarity(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const long width = whole(env, arguments[1], "The width of rows", 1, MOST_FEATURES);
  const Span<float> queries = floats(env, element(env, arguments[2], 1), "The queries");
  const Span<float> rows = floats(env, element(env, arguments[2], 2), "The rows");
  const Span<float> out = floats(env, element(env, arguments[2], 3), "The products");
  const long queryCount = static_cast<long>(queries.length) / width, rowCount = static_cast<long>(rows.length) / width;
  if (queryCount * width != static_cast<long>(queries.length) || rowCount * width != static_cast<long>(rows.length) ||
      out.length != static_cast<size_t>(queryCount) * static_cast<size_t>(rowCount)) {
    throw Refusal(WRONG_ARGUMENT, "%zu and %zu numbers, in rows of %ld, do not make %zu products.", queries.length, rows.length, width, out.length);
  }
  Engine& engine = host.engine();
  return host.submit(env, arguments[0], arguments[2], [&engine, width, queries, rows, out, queryCount, rowCount](Job& job) {
    const Product& product = *engine.kernels().products[static_cast<int>(Precision::float32)];
    const long columns = product.tileColumns, together = std::min(QUERIES_AT_A_TIME, queryCount);
    const auto rounded = [](long floats) { return (floats + 15) / 16 * 16; };
    const long packed = rounded(product.packedFloats(columns, width));
    const long products = rounded(together * columns), sums = rounded((together + 2 * product.tileRows) * columns);
    const std::shared_ptr<Region> scratch =
        Region::allocate(static_cast<size_t>((packed + products + sums) * engine.pool().size()) * sizeof(float));
    if (scratch == nullptr) {
      job.outcome.status = Status::outOfMemory;
      job.outcome.value = static_cast<double>((packed + products + sums) * engine.pool().size()) * sizeof(float);
      return;
    }
    engine.pool().run((rowCount + columns - 1) / columns, job.cancelled, [&](int thread, long panel) {
      float* weight = scratch->floats() + (packed + products + sums) * thread;
      const long first = panel * columns, own = std::min(columns, rowCount - first);
      product.pack(rows.data + first * width, own, width, weight, 0, 1);
      for (long from = 0; from < queryCount && !job.cancelled.load(); from += together) {
        GemmArgs args{};
        args.rows = std::min(together, queryCount - from);
        args.a = {queries.data + from * width, width, Format::float32, 0};
        args.weight = weight;
        args.out = {weight + packed, columns, Format::float32, 0};
        args.columns = own;
        args.depth = args.toDepth = width;
        args.chunkRows = args.rows;
        args.epilogue = {nullptr, nullptr, Activation::identity, Combine::none, nullptr, 0};
        product.gemm(args, 0, weight + packed + products);
        for (long q = 0; q < args.rows; q++) {
          std::copy_n(args.out.data + q * columns, own, out.data + (from + q) * rowCount + first);
        }
      }
    });
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

}  // namespace

void defineFeatures(napi_env env, napi_value exports) {
  define<gram, 3>(env, exports, "gram");
  define<meanOfRows, 3>(env, exports, "meanOfRows");
  define<gramTimes, 3>(env, exports, "gramTimes");
  define<similarity, 3>(env, exports, "similarity");
}

}  // namespace plumage
