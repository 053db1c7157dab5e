// Holds the addon's functions on weights: they take memory for them, pack them into it, and digest them.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "background.h"
#include "file.h"
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

// mapRegion(fileDescriptor, byteOffset, floats) -> region
napi_value mapRegion(napi_env env, napi_value* arguments) {
  const int descriptor = static_cast<int>(whole(env, arguments[0], "The file's number", -1, INT_MAX));
  const long offset = whole(env, arguments[1], "The offset in the file", 0, MOST_NUMBER);
  const long floats = whole(env, arguments[2], "The number of floats", 1, MOST_NUMBER);
  if (offset % sysconf(_SC_PAGESIZE) != 0) throw Refusal(WRONG_ARGUMENT, "The offset %ld in the file is that of no page.", offset);
  return makeHandle(env, Region::map(descriptor, static_cast<size_t>(offset), static_cast<size_t>(floats) * sizeof(float)));
}

// readRegion(region, offset, floats) copies what lies in a region from a float on.
napi_value readRegion(napi_env env, napi_value* arguments) {
  const Region& region = *fromHandle<Region>(env, arguments[0]);
  const long offset = whole(env, arguments[1], "The offset in the region", 0, MOST_NUMBER);
  const Span<float> to = floats(env, arguments[2], "The room for what is read");
  const size_t there = region.bytes() / sizeof(float);
  if (static_cast<size_t>(offset) > there || to.length > there - static_cast<size_t>(offset)) {
    throw Refusal(WRONG_ARGUMENT, "%zu floats from %ld on do not lie within the %zu floats of the region.", to.length, offset, there);
  }
  if (to.length > 0) std::memcpy(to.data, region.floats() + offset, to.length * sizeof(float));
  return nullptr;
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

// Says where a weight goes: (engine, region, offset, precision, columns, depth) are the first arguments of both ways to pack. With a depth of 0,
// `columns` floats are kept as they are.
struct Place {
  Engine* engine;
  std::shared_ptr<Region> region;
  const Product* product;
  long offset, columns, depth;

  Place(napi_env env, napi_value* arguments) : region(fromHandle<Region>(env, arguments[1])) {
    const Host& host = *fromHandle<Host>(env, arguments[0]);
    offset = whole(env, arguments[2], "The offset of a weight", 0, MOST_NUMBER);
    product = &productOf(env, host, arguments[3]);
    const Sides sides(env, arguments[4], arguments[5]);
    columns = sides.columns;
    depth = sides.depth;
    const long needed = depth == 0 ? columns : product->packedFloats(columns, depth);
    const long there = static_cast<long>(region->bytes() / sizeof(float));
    if (offset > there || needed > there - offset) {
      throw Refusal(WRONG_ARGUMENT, "%ld floats from %ld on do not lie within the %ld floats of the region.", needed, offset, there);
    }
    if (!region->isWritable()) throw Refusal(WRONG_ARGUMENT, "The region belongs to a file, into which nothing is packed.");
    engine = &host.engine();
  }

  float* to() const { return region->floats() + offset; }
  long length() const { return depth == 0 ? columns : columns * depth; }
  long panels() const { return (columns + product->tileColumns - 1) / product->tileColumns; }
};

// Gathers from all threads of a job that packs whether a part does not hold its values; 1 is called back then, else 0.
class Losses {
 public:
  void note(bool isHeld) {
    if (!isHeld) any_.store(true, std::memory_order_relaxed);
  }
  double value() const { return any_.load() ? 1 : 0; }

 private:
  std::atomic<bool> any_{false};
};

// pack(...place, [callback, values]) -> job
napi_value pack(napi_env env, napi_value* arguments) {
  const Place place(env, arguments);
  const Span<float> values = floats(env, element(env, arguments[6], 1), "The weight");
  if (values.length != static_cast<size_t>(place.length())) {
    throw Refusal(WRONG_ARGUMENT, "A weight of %ld x %ld has %ld values, not %zu.", place.columns, place.depth, place.length(), values.length);
  }
  Host& host = *fromHandle<Host>(env, arguments[0]);
  return host.submit(env, arguments[0], arguments[6], [place, values](Job& job) {
    Losses losses;
    if (place.depth == 0) {
      if (place.columns > 0) std::memcpy(place.to(), values.data, sizeof(float) * static_cast<size_t>(place.columns));
    } else {
      place.engine->pool().run(place.panels(), job.cancelled, [&](int, long panel) {
        losses.note(place.product->pack(values.data, place.columns, place.depth, place.to(), panel, panel + 1));
      });
    }
    job.outcome.value = losses.value();
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

// Gives the room for the states of a digest. Throws WRONG_ARGUMENT where it is not that of so many values.
Span<int> statesOf(napi_env env, napi_value room, size_t values) {
  const Span<int> states = integers(env, room, "The digest of a weight");
  const size_t blocks = (values + static_cast<size_t>(DIGEST_BLOCK) - 1) / static_cast<size_t>(DIGEST_BLOCK);
  const size_t wanted = blocks * 2 * static_cast<size_t>(DIGEST_LANES);
  if (states.length != wanted) throw Refusal(WRONG_ARGUMENT, "The digest of %zu values has %zu words, not %zu.", values, wanted, states.length);
  return states;
}

// Says where the values of a weight lie in a file: in equal parts, which lie one below the other in the weight.
struct Stored {
  struct Part {
    size_t values;  // bytes in front of its first value
    size_t scales;  // bytes in front of its first scale, where values are bytes: these have one for each row
  };
  File file;
  StoredType type;
  std::vector<Part> parts;
  size_t partLength;  // values of a part
  size_t depth;       // values of a row

  // Reads `count` things of `size` bytes from the one at `from`, of which each part has `each`, the first where `start` says.
  void read(void* to, size_t from, size_t count, size_t size, size_t each, size_t Part::*start) const {
    for (char* out = static_cast<char*>(to); count > 0;) {
      const size_t within = from % each, length = std::min(count, each - within);
      file.read(out, length * size, parts[from / each].*start + within * size);
      out += length * size;
      from += length;
      count -= length;
    }
  }
};

// Brings values of a weight from a file, for one thread.
class Reader {
 public:
  // Gives `count` values from the one at `from` as float32, in `to` where it is not null, else in room of this reader. It has room for `most` of them.
  const float* read(const Stored& stored, size_t from, size_t count, size_t most, const Kernels& kernels, float* to) {
    if (stored.type == StoredType::int8) {
      readBytes(stored, from, count);
      return scaled(stored, from, count, kernels);
    }
    if (to == nullptr) {
      values_.resize(most);
      to = values_.data();
    }
    if (stored.type == StoredType::float32) {
      stored.read(to, from, count, sizeof(float), stored.partLength, &Stored::Part::values);
      return to;
    }
    halves_.resize(most);
    stored.read(halves_.data(), from, count, sizeof(short), stored.partLength, &Stored::Part::values);
    kernels.widen(stored.type, halves_.data(), to, static_cast<long>(count));
    return to;
  }

  struct Bytes {
    const signed char* values;
    const float* scales;  // of the row of the first of them, and so on
    size_t firstRow;
  };
  // Gives `count` bytes from the one at `from`, and the scale of each row that has one of them.
  Bytes readBytes(const Stored& stored, size_t from, size_t count) {
    const size_t first = from / stored.depth, rows = (from + count - 1) / stored.depth + 1 - first;
    bytes_.resize(count);
    scales_.resize(rows);
    stored.read(bytes_.data(), from, count, 1, stored.partLength, &Stored::Part::values);
    stored.read(scales_.data(), first, rows, sizeof(float), stored.partLength / stored.depth, &Stored::Part::scales);
    for (const float scale : scales_) {
      // Whoever reads it in another way says what is wrong.
      if (!(scale >= 0 && std::isfinite(scale))) throw Refusal(UNREADABLE, "A scale is %g.", static_cast<double>(scale));
    }
    return {bytes_.data(), scales_.data(), first};
  }

  // Gives the float32 of the first `count` of them, from the one at `from`, which have been read.
  const float* scaled(const Stored& stored, size_t from, size_t count, const Kernels& kernels) {
    values_.resize(std::max(values_.size(), count));
    const size_t first = from / stored.depth;
    for (size_t done = 0, row = 0; done < count; row++) {
      const size_t length = std::min((first + row + 1) * stored.depth - from - done, count - done);
      kernels.scaleBytes(bytes_.data() + done, scales_[row], values_.data() + done, static_cast<long>(length));
      done += length;
    }
    return values_.data();
  }

 private:
  std::vector<float> values_, scales_;
  std::vector<unsigned short> halves_;
  std::vector<signed char> bytes_;
};

// Reads where a weight of a place lies: [fileDescriptor, type, [byteOffset, scalesOffset], ...].
std::shared_ptr<Stored> storedOf(napi_env env, napi_value given, const Place& place) {
  // Node gives -1 for a file that it has closed.
  const int descriptor = static_cast<int>(whole(env, element(env, given, 0), "The file's number", -1, INT_MAX));
  const StoredType type = static_cast<StoredType>(whole(env, element(env, given, 1), "The type of stored values", 0, 3));
  if (type == StoredType::int8 && place.depth == 0) throw Refusal(WRONG_ARGUMENT, "Bytes have a scale for each row, and values without a depth have no rows.");
  std::vector<Stored::Part> parts;
  for (uint32_t i = 2; i < lengthOf(env, given); i++) {
    const napi_value part = element(env, given, i);
    parts.push_back({static_cast<size_t>(whole(env, element(env, part, 0), "The offset in the file", 0, MOST_NUMBER)),
                     static_cast<size_t>(whole(env, element(env, part, 1), "The offset of scales in the file", 0, MOST_NUMBER))});
  }
  const long count = static_cast<long>(parts.size());
  if (count == 0 || place.columns % count != 0) throw Refusal(WRONG_ARGUMENT, "A weight of %ld columns has no %ld equal parts.", place.columns, count);
  const size_t length = static_cast<size_t>(place.length() / count);
  return std::shared_ptr<Stored>(new Stored{File(descriptor), type, std::move(parts), length, static_cast<size_t>(place.depth)});
}

// Packing counts panels from the weight's beginning, wherever that would lie: `count` values in front of what is there.
template <typename T>
const T* beginningOf(const T* there, size_t count) {
  return reinterpret_cast<const T*>(reinterpret_cast<uintptr_t>(there) - count * sizeof(T));
}

// packStored(...place, [fileDescriptor, type, [byteOffset, scalesOffset], ...], [callback, states]) -> job. Reads the weight's values from an open file block by block, and
// digests and packs each while it is in the cache: it is nowhere in memory but as it is packed. `states` become those of its digest; where there is
// no room for any, none is made.
napi_value packStored(napi_env env, napi_value* arguments) {
  const Place place(env, arguments);
  const std::shared_ptr<Stored> stored = storedOf(env, arguments[6], place);
  const napi_value room = element(env, arguments[7], 1);
  Span<int> states = integers(env, room, "The digest of a weight");
  if (states.length > 0) states = statesOf(env, room, static_cast<size_t>(place.length()));
  Host& host = *fromHandle<Host>(env, arguments[0]);
  return host.submit(env, arguments[0], arguments[7], [place, stored, states](Job& job) {
    const Kernels& kernels = place.engine->kernels();
    // A panel belongs to the block in which it begins, whose reader brings the rest of it as well.
    const long panel = place.depth == 0 ? 1 : place.product->tileColumns * place.depth;
    const long blocks = (place.length() + DIGEST_BLOCK - 1) / DIGEST_BLOCK;
    const size_t most = static_cast<size_t>(std::min(DIGEST_BLOCK + panel, place.length()));
    Losses losses;
    std::vector<Reader> readers(static_cast<size_t>(place.engine->pool().size()));
    place.engine->pool().run(blocks, job.cancelled, [&](int thread, long block) {
      const long from = block * DIGEST_BLOCK, to = std::min(from + DIGEST_BLOCK, place.length());
      const long firstPanel = (from + panel - 1) / panel, endPanel = (to + panel - 1) / panel;
      const long end = place.depth == 0 ? to : std::max(to, std::min(endPanel * panel, place.length()));
      Reader& reader = readers[static_cast<size_t>(thread)];
      if (stored->type == StoredType::int8 && place.product->packBytes != nullptr) {
        const Reader::Bytes bytes = reader.readBytes(*stored, static_cast<size_t>(from), static_cast<size_t>(end - from));
        if (states.length > 0) {
          const float* values = reader.scaled(*stored, static_cast<size_t>(from), static_cast<size_t>(to - from), kernels);
          kernels.digest(values, to - from, states.data + block * 2 * DIGEST_LANES);
        }
        place.product->packBytes(beginningOf(bytes.values, static_cast<size_t>(from)), beginningOf(bytes.scales, bytes.firstRow), place.columns,
                                 place.depth, place.to(), firstPanel, endPanel);
        return;
      }
      const float* values = reader.read(*stored, static_cast<size_t>(from), static_cast<size_t>(end - from), most, kernels,
                                                                      place.depth == 0 ? place.to() + from : nullptr);
      if (states.length > 0) kernels.digest(values, to - from, states.data + block * 2 * DIGEST_LANES);
      if (place.depth == 0) return;
      losses.note(place.product->pack(beginningOf(values, static_cast<size_t>(from)), place.columns, place.depth, place.to(), firstPanel, endPanel));
    });
    job.outcome.value = losses.value();
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

// digestRegion(engine, region, [callback, states]) -> job. Fails with `weights-lost` where a file has not given what it should.
napi_value digestRegion(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const std::shared_ptr<Region> region = fromHandle<Region>(env, arguments[1]);
  const long length = static_cast<long>(region->bytes() / sizeof(float));
  const Span<int> states = statesOf(env, element(env, arguments[2], 1), static_cast<size_t>(length));
  Engine& engine = host.engine();
  return host.submit(env, arguments[0], arguments[2], [&engine, region, length, states](Job& job) {
    const Kernels& kernels = engine.kernels();
    engine.pool().run((length + DIGEST_BLOCK - 1) / DIGEST_BLOCK, job.cancelled, [&](int, long block) {
      const long from = block * DIGEST_BLOCK;
      kernels.digest(region->floats() + from, std::min(DIGEST_BLOCK, length - from), states.data + block * 2 * DIGEST_LANES);
    });
    region->checkFile();
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

// digest(instructionSet, [callback, values, states]), on one of Node's threads, since a model may be described without an engine's.
napi_value digest(napi_env env, napi_value* arguments) {
  const Kernels& kernels = kernelsNamed(env, arguments[0]);
  const Span<float> values = floats(env, element(env, arguments[1], 1), "The weight");
  const Span<int> states = statesOf(env, element(env, arguments[1], 2), values.length);
  const size_t block = static_cast<size_t>(DIGEST_BLOCK), each = 2 * static_cast<size_t>(DIGEST_LANES);
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
  define<mapRegion, 3>(env, exports, "mapRegion");
  define<readRegion, 3>(env, exports, "readRegion");
  define<digestRegion, 3>(env, exports, "digestRegion");
  define<release<Region>, 1>(env, exports, "releaseRegion");
  define<packedFloats, 4>(env, exports, "packedFloats");
  define<pack, 7>(env, exports, "pack");
  define<packStored, 8>(env, exports, "packStored");
  define<digest, 2>(env, exports, "digest");
}

}  // namespace plumage
