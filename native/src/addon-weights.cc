// Holds the addon's functions on weights: they take memory for them, pack them into it, and digest them.
#include <cstring>

#include "background.h"
#include "functions.h"
#include "regions.h"
#include "host.h"

namespace plumage {
namespace {

// allocate(floats) -> region, or null where the system refuses
napi_value allocate(napi_env env, napi_value* arguments) {
  const long floats = whole(env, arguments[0], "The number of floats", 0, MOST_NUMBER);
  std::shared_ptr<Region> region = Region::allocate(static_cast<size_t>(floats) * sizeof(float));
  return region == nullptr ? null(env) : makeHandle(env, std::move(region));
}

// Reads the sides of a weight. Throws `out-of-memory` for one that no memory holds.
struct Sides {
  long columns, depth;
  Sides(napi_env env, napi_value columnsValue, napi_value depthValue)
      : columns(whole(env, columnsValue, "The columns of a weight", 0, MOST_NUMBER)),
        depth(whole(env, depthValue, "The depth of a weight", 0, MOST_NUMBER)) {
    // One side alone is filled up to whole tiles, so each has to leave some room.
    if (static_cast<double>(columns + 64) * static_cast<double>(depth + 64) > static_cast<double>(MOST_NUMBER)) {
      throw Refusal("out-of-memory", "No memory holds a weight of %ld x %ld.", columns, depth);
    }
  }
};

// packedFloats(engine, precision, columns, depth)
napi_value packedFloats(napi_env env, napi_value* arguments) {
  const Product& product = productOf(env, *fromHandle<Host>(env, arguments[0]), arguments[1]);
  const Sides sides(env, arguments[2], arguments[3]);
  return fromNumber(env, static_cast<double>(product.packedFloats(sides.columns, sides.depth)));
}

// pack(engine, region, offset, precision, columns, depth, [callback, values]) -> job. With a depth of 0, `columns` floats are copied as they are.
napi_value pack(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const std::shared_ptr<Region> region = fromHandle<Region>(env, arguments[1]);
  const long offset = whole(env, arguments[2], "The offset of a weight", 0, MOST_NUMBER);
  const Product& product = productOf(env, host, arguments[3]);
  const auto [columns, depth] = Sides(env, arguments[4], arguments[5]);
  const Span<float> values = floats(env, element(env, arguments[6], 1), "The weight");
  const long wanted = depth == 0 ? columns : columns * depth;
  if (values.length != static_cast<size_t>(wanted)) {
    throw Refusal(WRONG_ARGUMENT, "A weight of %ld x %ld has %ld values, not %zu.", columns, depth, wanted, values.length);
  }
  const long needed = depth == 0 ? columns : product.packedFloats(columns, depth);
  const long there = static_cast<long>(region->bytes() / sizeof(float));
  if (offset > there || needed > there - offset) {
    throw Refusal(WRONG_ARGUMENT, "%ld floats from %ld on do not lie within the %ld floats of the region.", needed, offset, there);
  }
  Engine& engine = host.engine();
  // Structured bindings can't be captured in C++17.
  const long count = columns, length = depth;
  return host.submit(env, arguments[0], arguments[6], [&engine, &product, region, offset, count, length, values](Job& job) {
    float* to = region->floats() + offset;
    if (length == 0) {
      if (count > 0) std::memcpy(to, values.data, sizeof(float) * static_cast<size_t>(count));
    } else {
      const long panels = (count + product.tileColumns - 1) / product.tileColumns;
      engine.pool().run(panels, job.cancelled, [&](int, long panel) { product.pack(values.data, count, length, to, panel, panel + 1); });
    }
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

// digest(instructionSet, [callback, values, states]), on one of Node's threads, since a model may be described without an engine's.
napi_value digest(napi_env env, napi_value* arguments) {
  const Kernels& kernels = kernelsNamed(env, arguments[0]);
  const Span<float> values = floats(env, element(env, arguments[1], 1), "The weight");
  const Span<int> states = integers(env, element(env, arguments[1], 2), "The digest of a weight");
  const size_t block = static_cast<size_t>(DIGEST_BLOCK), each = 2 * static_cast<size_t>(DIGEST_LANES);
  const size_t wanted = (values.length + block - 1) / block * each;
  if (states.length != wanted) {
    throw Refusal(WRONG_ARGUMENT, "The digest of %zu values has %zu words, not %zu.", values.length, wanted, states.length);
  }
  queueWork(env, "plumage digest", arguments[1], [&kernels, values, states, block, each](Outcome&) {
    int* to = states.data;
    for (size_t done = 0; done < values.length; done += block, to += each) {
      const size_t rest = values.length - done;
      kernels.digest(values.data + done, static_cast<long>(rest < block ? rest : block), to);
    }
  });
  return nullptr;
}

}  // namespace

void defineWeights(napi_env env, napi_value exports) {
  define<allocate, 1>(env, exports, "allocate");
  define<release<Region>, 1>(env, exports, "releaseRegion");
  define<packedFloats, 4>(env, exports, "packedFloats");
  define<pack, 7>(env, exports, "pack");
  define<digest, 2>(env, exports, "digest");
}

}  // namespace plumage
