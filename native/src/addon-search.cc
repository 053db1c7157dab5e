// Holds the addon's functions that look for the nearest among many rows, which are stored narrowly.
//
// What decides between halves are their products in float64. Products in float32, or in bfloat16 where that is what the processor multiplies fastest, only
// say for which rows these are made: the lengths of query and row bound how far a narrow product may be from the exact one, so that no row is missed.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "functions.h"
#include "host.h"
#include "regions.h"

namespace plumage {
namespace {

constexpr long MOST_ROWS = 1L << 40;
constexpr double NOTHING = -std::numeric_limits<double>::infinity();

// Is a row that may be among the nearest; of equal scores the earlier row is nearer. JavaScript sees it as two numbers.
struct Found {
  double score, row;
  bool operator<(const Found& other) const { return score != other.score ? score > other.score : row < other.row; }
};
constexpr Found NOBODY = {NOTHING, std::numeric_limits<double>::infinity()};

// Keeps the nearest of the rows that it is shown in somebody's room, which begins full of NOBODY: a heap whose first is the farthest.
class NearestRows {
 public:
  NearestRows(Found* room, size_t most) : room_(room), most_(most) {}
  double least() const { return room_[0].score; }
  void show(const Found& found) {
    if (!(found < room_[0])) return;
    std::pop_heap(room_, room_ + most_);
    room_[most_ - 1] = found;
    std::push_heap(room_, room_ + most_);
  }

 private:
  Found* room_;
  size_t most_;
};

struct StoredBlock {
  const unsigned char* rows;
  const float* scales;  // is null where rows are halves
  long first, count;
};

// Holds bytes that lie in memory or in regions of files.
class Files {
 public:
  // The value is bytes, or [region, where in it bytes begin, how many there are].
  Span<unsigned char> bytesOf(napi_env env, napi_value value) {
    bool isArray;
    check(env, napi_is_array(env, value, &isArray));
    if (!isArray) return bytes(env, value, "A block of rows");
    const std::shared_ptr<Region>& region = fromHandle<Region>(env, element(env, value, 0));
    const long size = static_cast<long>(region->bytes()), from = whole(env, element(env, value, 1), "The offset in a region", 0, size);
    const long length = whole(env, element(env, value, 2), "The bytes of a region", 0, size - from);
    regions_.push_back(region);
    return {reinterpret_cast<unsigned char*>(region->floats()) + from, static_cast<size_t>(length)};
  }

  // Throws Refusal `rows-lost` where a file has been changed while its bytes were read.
  void checkUnchanged() const;

 private:
  std::vector<std::shared_ptr<Region>> regions_;
};

void Files::checkUnchanged() const {
  for (const std::shared_ptr<Region>& region : regions_) {
    if (region->isAsItWas()) continue;
    throw Refusal("rows-lost", "The file of vectors has been cut off or written into while it was looked through: no result is given. Open it again.");
  }
}

struct StoredBlocks {
  long width;
  std::vector<StoredBlock> blocks;
  long count = 0;
  Files files;

  // Elements [from, end) of `kept` are [rows, scales] by turns where rows are bytes, else rows alone.
  StoredBlocks(napi_env env, napi_value kept, uint32_t from, long width, bool areBytes) : width(width) {
    const uint32_t end = lengthOf(env, kept), step = areBytes ? 2 : 1;
    const size_t rowBytes = static_cast<size_t>(width) * (areBytes ? 1 : 2);
    for (uint32_t i = from; i < end; i += step) {
      const Span<unsigned char> rows = files.bytesOf(env, element(env, kept, i));
      const size_t own = rows.length / rowBytes;
      if (own * rowBytes != rows.length) throw Refusal(WRONG_ARGUMENT, "%zu bytes are no rows of %ld numbers.", rows.length, width);
      const float* scales = nullptr;
      if (areBytes) {
        const Span<float> given = floats(env, element(env, kept, i + 1), "The scales of rows");
        if (given.length != own) throw Refusal(WRONG_ARGUMENT, "There are %zu scales of %zu rows.", given.length, own);
        scales = given.data;
      }
      if (own == 0) continue;
      blocks.push_back({rows.data, scales, count, static_cast<long>(own)});
      count += static_cast<long>(own);
    }
  }

  // Gives the block in which a row lies.
  const StoredBlock& blockOf(long row) const {
    if (blocks.size() == 1) return blocks.front();
    return *std::prev(std::upper_bound(blocks.begin(), blocks.end(), row, [](long r, const StoredBlock& b) { return r < b.first; }));
  }
  // Gives a row of halves.
  const unsigned char* at(long row) const {
    const StoredBlock& block = blockOf(row);
    return block.rows + (row - block.first) * width * 2;
  }
};

// Holds the number of the first row whose score is not finite.
class FirstBad {
 public:
  void tell(long row) {
    long known = first_.load();
    while (row < known && !first_.compare_exchange_weak(known, row)) {
    }
  }
  double value() const { return first_.load() == MOST_ROWS ? -1.0 : static_cast<double>(first_.load()); }

 private:
  std::atomic<long> first_{MOST_ROWS};
};

// Names rows: those in a list or, without one, all from 0 on, but for those whose bit in `allowed` is 0.
struct RowChoice {
  const unsigned* numbers;
  long count;
  const unsigned char* allowed;

  long number(long place) const { return numbers == nullptr ? place : numbers[place]; }
  bool isAllowed(long place) const { return allowed == nullptr || (allowed[place >> 3] >> (place & 7) & 1) != 0; }
};

// A task looks through so many rows, and multiplies so many of them at a time with so many queries: both then stay in the second-level cache.
constexpr long ROWS_OF_TASK = 2048, ROWS_AT_A_TIME = 512, QUERIES_OF_CHUNK = 512;

// So many numbers lie in a row of `values` that are multiplied as bfloat16: an odd number of cache lines, so that rows of a tile are spread over the cache.
long narrowStride(long width) { return ((width + 31) / 32 | 1) * 16; }
long rounded(long floats) { return (floats + 15) / 16 * 16; }

struct SearchTask {
  const StoredBlocks& stored;
  RowChoice rows;
  const float* queries;  // [queryCount, width]
  long queryCount;
  const unsigned* queryRows;  // says which rows the queries are, which they do not find; null where they are none
  long mutualFrom;            // rows from this place on keep queries as well
  size_t most;
  Found* kept;  // heaps of `most`: of each row by its number where queries are rows, else of each query
};

// Looks for the nearest rows of many queries at once.
class Search {
 public:
  Search(Engine& engine, Job& job, const SearchTask& task)
      : kernels_(engine.kernels()), pool_(engine.pool()), job_(job), task_(task), width_(task.stored.width), product_(chooseProduct(kernels_)) {}

  // The value of the job's outcome becomes the number of the first row whose score is not finite, or -1.
  void run() {
    measureQueries();
    const long tasks = (task_.rows.count + ROWS_OF_TASK - 1) / ROWS_OF_TASK;
    found_.assign(static_cast<size_t>(pool_.size()), {});
    if (!reserveScratch()) return;
    pool_.run(tasks, job_.cancelled, [&](int thread, long index) {
      std::vector<Found>& own = found_[static_cast<size_t>(thread)];
      if (own.empty()) own.assign(static_cast<size_t>(task_.queryCount) * task_.most, NOBODY);
      const long first = index * ROWS_OF_TASK, end = std::min(task_.rows.count, first + ROWS_OF_TASK);
      const bool isOne = task_.queryCount == 1 && task_.queryRows == nullptr;
      if (isOne && task_.rows.numbers == nullptr && task_.rows.allowed == nullptr) return lookThroughAll(thread, first, end);
      gather(thread, first, end);
      Gathered& rows = gathered_[static_cast<size_t>(thread)];
      if (isOne) {
        lookThroughRuns(thread, rows);
      } else {
        for (size_t from = 0; from < rows.at.size() && !job_.cancelled.load(); from += ROWS_AT_A_TIME) {
          lookThrough(thread, rows, from, std::min(rows.at.size(), from + ROWS_AT_A_TIME));
        }
      }
    });
    for (const std::vector<Found>& own : found_) {
      for (size_t i = 0; i < own.size(); i++) keptOf(static_cast<long>(i / task_.most)).show(own[i]);
    }
    task_.stored.files.checkUnchanged();
    job_.outcome.value = bad_.value();
    if (job_.cancelled.load()) job_.outcome.status = Status::cancelled;
  }

 private:
  // Holds the rows that a task looks through: where they lie, their numbers and their places in the choice.
  struct Gathered {
    std::vector<const unsigned char*> at;
    std::vector<long> numbers, places;
  };

  static const Product& chooseProduct(const Kernels& kernels) {
    const Product& narrow = *kernels.products[static_cast<int>(Precision::bfloat16)];
    return narrow.rows == Format::bfloat16 ? narrow : *kernels.products[static_cast<int>(Precision::float32)];
  }
  bool isNarrow() const { return product_.rows == Format::bfloat16; }

  NearestRows keptOf(long query) const {
    const size_t heap = static_cast<size_t>(task_.queryRows == nullptr ? query : static_cast<long>(task_.queryRows[query]));
    return NearestRows(task_.kept + heap * task_.most, task_.most);
  }

  // A narrow product of a query and a row is wrong by no more than what rounding takes from either, times the length of the other, and what rounding each step of
  // a sum in float32 does, 2^-24 of the lengths' product; twice that is asked for.
  void measureQueries() {
    const size_t count = static_cast<size_t>(task_.queryCount);
    summing_ = static_cast<double>(width_ + 16) * 0x1p-23;
    lengths_.resize(count);
    perLength_.resize(count);
    reached_ = std::vector<std::atomic<double>>(count);
    for (size_t q = 0; q < count; q++) {
      double square = 0, lost = 0;
      const float* query = task_.queries + q * static_cast<size_t>(width_);
      for (long i = 0; i < width_; i++) {
        const double value = query[i], loss = isNarrow() ? value - roundedToBfloat16(query[i]) : 0;
        square += value * value;
        lost += loss * loss;
      }
      const double length = std::sqrt(square);
      lengths_[q] = upwards(length);
      perLength_[q] = upwards(std::sqrt(lost) * (1 + 0x1p-7) + summing_ * length);
      reached_[q].store(keptOf(static_cast<long>(q)).least());
    }
  }

  static double roundedToBfloat16(float value) {
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  // Sums of squares in float32 are a little wrong themselves.
  static float upwards(double length) { return static_cast<float>(length * 1.0001); }

  bool reserveScratch() {
    const long columns = product_.tileColumns, chunk = std::min(QUERIES_OF_CHUNK, task_.queryCount);
    gathered_.resize(static_cast<size_t>(pool_.size()));
    panelFloats_ = rounded(product_.packedFloats(columns, width_));
    const long panels = (ROWS_AT_A_TIME + columns - 1) / columns;
    wide_ = rounded(columns * width_) + 16;
    products_ = rounded(chunk * columns) + 16;
    sums_ = rounded((chunk + 2 * product_.tileRows) * columns);
    const long queryFloats = isNarrow() ? narrowStride(width_) * ((task_.queryCount + 63) / 32 * 32) : 0;
    threadFloats_ = panels * panelFloats_ + wide_ + products_ + sums_ + rounded(width_ + 64);
    const size_t bytes = static_cast<size_t>(queryFloats + threadFloats_ * pool_.size()) * sizeof(float);
    scratch_ = Region::allocate(bytes);
    if (scratch_ == nullptr) {
      job_.outcome.status = Status::outOfMemory;
      job_.outcome.value = static_cast<double>(bytes);
      return false;
    }
    threads_ = scratch_->floats() + queryFloats;
    if (isNarrow()) {
      narrow_ = {scratch_->floats(), narrowStride(width_), Format::bfloat16, 0};
      const ConvertArgs args = {{const_cast<float*>(task_.queries), width_, Format::float32, 0}, narrow_, width_};
      kernels_.convert(args, 0, task_.queryCount, threads_);
    } else {
      narrow_ = {const_cast<float*>(task_.queries), width_, Format::float32, 0};
    }
    return true;
  }

  void gather(int thread, long from, long to) {
    Gathered& rows = gathered_[static_cast<size_t>(thread)];
    rows.at.clear();
    rows.numbers.clear();
    rows.places.clear();
    for (long place = from; place < to; place++) {
      if (!task_.rows.isAllowed(place)) continue;
      const long number = task_.rows.number(place);
      rows.at.push_back(task_.stored.at(number));
      rows.numbers.push_back(number);
      rows.places.push_back(place);
    }
  }

  // Multiplies a row in float64, and shows it to the query; where it is asked for, shows the query to the row as well.
  void decide(int thread, long query, const Gathered& rows, size_t r) { decide(thread, query, rows.at[r], rows.numbers[r], rows.places[r]); }
  void decide(int thread, long query, const unsigned char* at, long number, long place) {
    if (task_.queryRows != nullptr && task_.queryRows[query] == number) return;
    const double score = kernels_.dotHalves(task_.queries + query * width_, at, width_);
    if (!std::isfinite(static_cast<float>(score))) return bad_.tell(number);
    NearestRows own(found_[static_cast<size_t>(thread)].data() + static_cast<size_t>(query) * task_.most, task_.most);
    own.show({score, static_cast<double>(number)});
    // What one thread has reached counts for all.
    double reached = reached_[static_cast<size_t>(query)].load(std::memory_order_relaxed);
    while (own.least() > reached && !reached_[static_cast<size_t>(query)].compare_exchange_weak(reached, own.least())) {
    }
    if (place >= task_.mutualFrom) {
      NearestRows(task_.kept + static_cast<size_t>(number) * task_.most, task_.most).show({score, static_cast<double>(task_.queryRows[query])});
    }
  }

  // Gives what a narrow product must reach that may be wrong by nothing; it is rounded downwards.
  static float lowered(double reached) { return static_cast<float>(reached - 1e-6 * std::fabs(reached) - 1e-30); }

  // Gives what a narrow product must reach.
  static float boundOf(float lowered, float wrong) {
    // Beyond this, sums in float32 may overflow on their way: nothing is known by them.
    return wrong < 1e30f ? lowered - wrong : -std::numeric_limits<float>::infinity();
  }

  // One query is multiplied with rows where they lie, as fast as memory gives them.
  void lookThroughAll(int thread, long first, long end) {
    float scores[ROWS_OF_TASK], squares[ROWS_OF_TASK];
    for (long from = first, to = first; from < end; from = to) {
      const StoredBlock& block = task_.stored.blockOf(from);
      to = std::min(end, block.first + block.count);
      kernels_.scoreHalves(task_.stored.at(from), to - from, width_, task_.queries, scores + (from - first), squares + (from - first));
    }
    chooseOfOne(scores, squares, end - first, [&](long r) { return first + r; },
                [&](long r) { decide(thread, 0, task_.stored.at(first + r), first + r, first + r); });
  }

  void lookThroughRuns(int thread, const Gathered& rows) {
    float scores[ROWS_OF_TASK], squares[ROWS_OF_TASK];
    const size_t count = rows.at.size();
    for (size_t from = 0, to = 0; from < count; from = to) {
      for (to = from + 1; to < count && rows.at[to] == rows.at[to - 1] + width_ * 2;) to++;
      kernels_.scoreHalves(rows.at[from], static_cast<long>(to - from), width_, task_.queries, scores + from, squares + from);
    }
    chooseOfOne(scores, squares, static_cast<long>(count), [&](long r) { return rows.numbers[static_cast<size_t>(r)]; },
                [&](long r) { decide(thread, 0, rows, static_cast<size_t>(r)); });
  }

  // Calls choose(r) for rows that may be among the nearest of the one query. One bound serves all, since what is not below it is multiplied again anyway.
  template <typename Number, typename Choose>
  void chooseOfOne(const float* scores, const float* squares, long count, const Number& number, const Choose& choose) {
    float largest = 0;
    for (long r = 0; r < count; r++) {
      if (!std::isfinite(squares[r])) bad_.tell(number(r));
      largest = squares[r] > largest ? squares[r] : largest;
    }
    const float wrong = static_cast<float>(summing_) * lengths_[0] * upwards(std::sqrt(static_cast<double>(largest)));
    float bound = boundOf(lowered(reached_[0].load()), wrong);
    for (long r = 0; r < count; r++) {
      if (scores[r] < bound) continue;
      choose(r);
      bound = boundOf(lowered(reached_[0].load()), wrong);
    }
  }

  // Rows [from, to) of those gathered are packed, and pass by all queries.
  void lookThrough(int thread, const Gathered& rows, size_t from, size_t to) {
    const long columns = product_.tileColumns, count = static_cast<long>(to - from), panels = (count + columns - 1) / columns;
    float* packed = threads_ + threadFloats_ * thread;
    float* wide = packed + (ROWS_AT_A_TIME + columns - 1) / columns * panelFloats_;
    float* products = wide + wide_;
    float* sums = products + products_;
    float lengths[ROWS_AT_A_TIME], lost[ROWS_AT_A_TIME];
    std::vector<float> longest(static_cast<size_t>(panels), 0), mostLost(static_cast<size_t>(panels), 0);
    for (long panel = 0; panel < panels; panel++) {
      const long first = panel * columns, own = std::min(columns, count - first);
      kernels_.widenRows(rows.at.data() + from + first, own, width_, wide, lengths + first, lost + first);
      product_.pack(wide, own, width_, packed + panel * panelFloats_, 0, 1);
      const size_t p = static_cast<size_t>(panel);
      for (long c = first; c < first + own; c++) {
        if (!std::isfinite(lengths[c])) bad_.tell(rows.numbers[from + static_cast<size_t>(c)]);
        lengths[c] = upwards(std::sqrt(static_cast<double>(lengths[c])));
        lost[c] = isNarrow() ? upwards(std::sqrt(static_cast<double>(lost[c]))) : 0;
        longest[p] = std::max(longest[p], lengths[c]);
        mostLost[p] = std::max(mostLost[p], lost[c]);
      }
    }
    const bool isMutual = rows.places[to - 1] >= task_.mutualFrom;
    float reached[QUERIES_OF_CHUNK], rowBounds[QUERIES_OF_CHUNK], columnBounds[256];
    std::vector<unsigned> places(static_cast<size_t>(QUERIES_OF_CHUNK * columns));
    for (long first = 0; first < task_.queryCount && !job_.cancelled.load(); first += QUERIES_OF_CHUNK) {
      const long some = std::min(QUERIES_OF_CHUNK, task_.queryCount - first);
      const float* queryLengths = lengths_.data() + first;
      const float* perLength = perLength_.data() + first;
      const float longestQuery = *std::max_element(queryLengths, queryLengths + some);
      const float mostPerLength = *std::max_element(perLength, perLength + some);
      for (long q = 0; q < some; q++) reached[q] = lowered(reached_[static_cast<size_t>(first + q)].load(std::memory_order_relaxed));
      for (long panel = 0; panel < panels; panel++) {
        const long own = std::min(columns, count - panel * columns);
        const float length = longest[static_cast<size_t>(panel)], loss = mostLost[static_cast<size_t>(panel)];
        multiply(first, some, packed + panel * panelFloats_, own, products, sums);
        const auto boundRow = [&](long q) { rowBounds[q] = boundOf(reached[q], perLength[q] * length + queryLengths[q] * loss); };
        const auto boundColumn = [&](long c) {
          const long place = panel * columns + c;
          const size_t r = from + static_cast<size_t>(place);
          // Rows that keep no queries have a bound that nothing reaches.
          if (rows.places[r] < task_.mutualFrom) return;
          const NearestRows kept(task_.kept + static_cast<size_t>(rows.numbers[r]) * task_.most, task_.most);
          columnBounds[c] = boundOf(lowered(kept.least()), mostPerLength * lengths[place] + longestQuery * lost[place]);
        };
        if (mostPerLength * length + longestQuery * loss < 1e30f) {
          // This is boundRow without its question, in vectors.
          for (long q = 0; q < some; q++) rowBounds[q] = reached[q] - (perLength[q] * length + queryLengths[q] * loss);
        } else {
          for (long q = 0; q < some; q++) boundRow(q);
        }
        std::fill(columnBounds, columnBounds + columns, std::numeric_limits<float>::infinity());
        if (isMutual) {
          for (long c = 0; c < own; c++) boundColumn(c);
        }
        const long found = kernels_.findLarge(products, columns, some, own, rowBounds, isMutual ? columnBounds : nullptr, places.data());
        for (long i = 0; i < found; i++) {
          const long q = places[static_cast<size_t>(i)] >> 16, c = places[static_cast<size_t>(i)] & 65535;
          // Bounds may have risen since, by those in front of it.
          const float product = products[q * columns + c];
          if (product < rowBounds[q] && (!isMutual || product < columnBounds[c])) continue;
          decide(thread, first + q, rows, from + static_cast<size_t>(panel * columns + c));
          reached[q] = lowered(reached_[static_cast<size_t>(first + q)].load(std::memory_order_relaxed));
          boundRow(q);
          if (isMutual) boundColumn(c);
        }
      }
    }
  }

  void multiply(long first, long some, const float* weight, long own, float* products, float* sums) {
    GemmArgs args{};
    args.rows = args.chunkRows = some;
    args.a = narrow_;
    args.a.data += first * narrow_.stride;
    args.weight = weight;
    args.out = {products, product_.tileColumns, Format::float32, 0};
    args.columns = own;
    args.depth = args.toDepth = width_;
    args.epilogue = {nullptr, nullptr, Activation::identity, Combine::none, nullptr, 0};
    product_.gemm(args, 0, sums);
  }

  const Kernels& kernels_;
  ThreadPool& pool_;
  Job& job_;
  const SearchTask& task_;
  const long width_;
  const Product& product_;
  // A sum in float32 is wrong by at most so much of the lengths' product.
  double summing_ = 0;
  // Each query has its length, and by how much its products with a row may be wrong for each unit of the row's length.
  std::vector<float> lengths_, perLength_;
  // Says of each query which score its most nearest rows have reached at least.
  std::vector<std::atomic<double>> reached_;
  std::vector<std::vector<Found>> found_;
  std::vector<Gathered> gathered_;
  std::shared_ptr<Region> scratch_;
  Rows narrow_{};
  float* threads_ = nullptr;
  long panelFloats_ = 0, wide_ = 0, products_ = 0, sums_ = 0, threadFloats_ = 0;
  FirstBad bad_;
};

// Says of what `kept` is the room, which is full of NOBODY or of what was found before.
size_t mostOf(size_t rooms, long heaps) {
  if (heaps == 0 || rooms == 0 || rooms % static_cast<size_t>(heaps) != 0) {
    throw Refusal(WRONG_ARGUMENT, "There is room for %zu nearest rows of %ld.", rooms, heaps);
  }
  return rooms / static_cast<size_t>(heaps);
}

// nearestToEach(engine, width, [callback, rows, scores, queries, allowed, ...blocks]) -> job. Rows and scores are [queries, most], and are filled: at least so
// many rows are allowed. `allowed` has a bit for each row, the lowest of a byte first, or nothing where all are. Gives the number of the first row whose score
// is not finite, else -1.
napi_value nearestToEach(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const long width = whole(env, arguments[1], "The width of rows", 1, MOST_FEATURES);
  const napi_value given = arguments[2];
  const Span<double> outRows = doubles(env, element(env, given, 1), "The rows");
  const Span<float> outScores = floats(env, element(env, given, 2), "The scores");
  const Span<float> queries = floats(env, element(env, given, 3), "The queries");
  const Span<unsigned char> allowed = bytes(env, element(env, given, 4), "The allowed rows");
  const auto stored = std::make_shared<StoredBlocks>(env, given, 5, width, false);
  const long queryCount = static_cast<long>(queries.length) / width;
  if (queryCount * width != static_cast<long>(queries.length)) throw Refusal(WRONG_ARGUMENT, "%zu numbers are no queries of %ld.", queries.length, width);
  const size_t most = mostOf(outRows.length, queryCount);
  if (outScores.length != outRows.length || most > static_cast<size_t>(stored->count)) {
    throw Refusal(WRONG_ARGUMENT, "There is room for %zu rows and %zu scores, of %ld rows.", outRows.length, outScores.length, stored->count);
  }
  if (allowed.length != 0 && allowed.length != static_cast<size_t>(stored->count + 7) / 8) {
    throw Refusal(WRONG_ARGUMENT, "%zu bytes do not say which of %ld rows are allowed.", allowed.length, stored->count);
  }
  Engine& engine = host.engine();
  return host.submit(env, arguments[0], given, [&engine, stored, queries, queryCount, allowed, most, outRows, outScores](Job& job) {
    std::vector<Found> kept(outRows.length, NOBODY);
    const RowChoice rows = {nullptr, stored->count, allowed.length == 0 ? nullptr : allowed.data};
    Search(engine, job, {*stored, rows, queries.data, queryCount, nullptr, rows.count, most, kept.data()}).run();
    for (size_t from = 0; from < kept.size(); from += most) std::sort_heap(kept.begin() + static_cast<long>(from), kept.begin() + static_cast<long>(from + most));
    for (size_t i = 0; i < kept.size(); i++) {
      outRows.data[i] = kept[i].row;
      outScores.data[i] = static_cast<float>(kept[i].score);
    }
  });
}

// Throws where a number is that of no row.
Span<unsigned> rowNumbers(napi_env env, napi_value value, const char* what, long count) {
  const Span<unsigned> numbers = span<unsigned, napi_uint32_array>(env, value, what);
  for (size_t i = 0; i < numbers.length; i++) {
    if (numbers.data[i] >= static_cast<size_t>(count)) throw Refusal(WRONG_ARGUMENT, "%s name row %u of %ld.", what, numbers.data[i], count);
  }
  return numbers;
}

// keepNearest(engine, width, mutualFrom, [callback, kept, queries, candidates, ...blocks]) -> job. Rows are named by their numbers. What candidates are near to
// a query is kept in its heap, of [rows, most] pairs of score and row; candidates from `mutualFrom` on, none of which is a query, keep the queries as well. No
// candidate comes twice. The value is that of nearestToEach.
napi_value keepNearest(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const long width = whole(env, arguments[1], "The width of rows", 1, MOST_FEATURES);
  const napi_value given = arguments[3];
  const auto stored = std::make_shared<StoredBlocks>(env, given, 4, width, false);
  const Span<double> kept = doubles(env, element(env, given, 1), "What is kept");
  const Span<unsigned> queries = rowNumbers(env, element(env, given, 2), "The queries", stored->count);
  const Span<unsigned> candidates = rowNumbers(env, element(env, given, 3), "The candidates", stored->count);
  const long mutualFrom = whole(env, arguments[2], "The first of those that keep queries", 0, static_cast<long>(candidates.length));
  if (kept.length % 2 != 0) throw Refusal(WRONG_ARGUMENT, "%zu numbers are no pairs.", kept.length);
  const size_t most = mostOf(kept.length / 2, stored->count);
  Engine& engine = host.engine();
  return host.submit(env, arguments[0], given, [&engine, stored, kept, most, queries, candidates, mutualFrom](Job& job) {
    const long width = stored->width, count = static_cast<long>(queries.length);
    std::vector<const unsigned char*> at(queries.length);
    std::vector<float> values(queries.length * static_cast<size_t>(width)), squares(queries.length), lost(queries.length);
    for (size_t q = 0; q < at.size(); q++) at[q] = stored->at(queries.data[q]);
    engine.kernels().widenRows(at.data(), count, width, values.data(), squares.data(), lost.data());
    const RowChoice rows = {candidates.data, static_cast<long>(candidates.length), nullptr};
    Search(engine, job, {*stored, rows, values.data(), count, queries.data, mutualFrom, most, reinterpret_cast<Found*>(kept.data)}).run();
  });
}

// nearestInBytes(engine, [callback, rows, scores, query, queryScale, ...blocks]) -> job. The query is in 15 bits, with a scale, and each block has its scales
// behind it. Gives the number of the first row whose score is not finite, else -1.
napi_value nearestInBytes(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const napi_value given = arguments[1];
  const Span<double> outRows = doubles(env, element(env, given, 1), "The rows");
  const Span<float> outScores = floats(env, element(env, given, 2), "The scores");
  const Span<short> query = span<short, napi_int16_array>(env, element(env, given, 3), "The query in 15 bits");
  const Span<float> scale = floats(env, element(env, given, 4), "The scale of the query");
  const long width = static_cast<long>(query.length);
  if (width < 1 || width > MOST_FEATURES || scale.length != 1) throw Refusal(WRONG_ARGUMENT, "A query of %ld numbers is none.", width);
  const auto stored = std::make_shared<StoredBlocks>(env, given, 5, width, true);
  const size_t most = outRows.length;
  if (most == 0 || outScores.length != most || most > static_cast<size_t>(stored->count)) {
    throw Refusal(WRONG_ARGUMENT, "There is room for %zu rows and %zu scores, of %ld rows.", most, outScores.length, stored->count);
  }
  Engine& engine = host.engine();
  const float queryScale = scale.data[0];
  return host.submit(env, arguments[0], given, [&engine, stored, query, queryScale, width, outRows, outScores, most](Job& job) {
    struct Task {
      const StoredBlock* block;
      long from;
    };
    std::vector<Task> tasks;
    for (const StoredBlock& block : stored->blocks) {
      for (long from = 0; from < block.count; from += ROWS_OF_TASK) tasks.push_back({&block, from});
    }
    const size_t threads = static_cast<size_t>(engine.pool().size());
    std::vector<Found> all(threads * most, NOBODY);
    FirstBad bad;
    engine.pool().run(static_cast<long>(tasks.size()), job.cancelled, [&](int thread, long index) {
      const StoredBlock& block = *tasks[static_cast<size_t>(index)].block;
      const long from = tasks[static_cast<size_t>(index)].from, count = std::min(ROWS_OF_TASK, block.count - from);
      float scores[ROWS_OF_TASK];
      engine.kernels().scoreBytes(reinterpret_cast<const signed char*>(block.rows) + from * width, block.scales + from, count, width, query.data,
                                  queryScale, scores);
      NearestRows own(all.data() + static_cast<size_t>(thread) * most, most);
      for (long row = 0; row < count; row++) {
        const long number = block.first + from + row;
        if (std::isfinite(scores[row])) {
          own.show({scores[row], static_cast<double>(number)});
        } else {
          bad.tell(number);
        }
      }
    });
    std::sort(all.begin(), all.end());
    for (size_t i = 0; i < most; i++) {
      outRows.data[i] = all[i].row;
      outScores.data[i] = static_cast<float>(all[i].score);
    }
    job.outcome.value = bad.value();
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

// sumBytes(engine, [callback, ...bytes]) -> job. The value is the sum of the bytes as words, in 53 bits: what it takes to read them is measured by it.
napi_value sumBytes(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const auto files = std::make_shared<Files>();
  const auto blocks = std::make_shared<std::vector<Span<unsigned char>>>();
  for (uint32_t i = 1; i < lengthOf(env, arguments[1]); i++) blocks->push_back(files->bytesOf(env, element(env, arguments[1], i)));
  Engine& engine = host.engine();
  return host.submit(env, arguments[0], arguments[1], [&engine, files, blocks](Job& job) {
    constexpr long PIECE = 1L << 20;
    std::atomic<unsigned long long> total{0};
    for (const Span<unsigned char>& block : *blocks) {
      const long length = static_cast<long>(block.length);
      engine.pool().run((length + PIECE - 1) / PIECE, job.cancelled, [&](int, long piece) {
        total += engine.kernels().sumBytes(block.data + piece * PIECE, std::min(PIECE, length - piece * PIECE));
      });
    }
    files->checkUnchanged();
    job.outcome.value = static_cast<double>(total.load() & ((1ULL << 53) - 1));
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

}  // namespace

void defineSearch(napi_env env, napi_value exports) {
  define<nearestToEach, 3>(env, exports, "nearestToEach");
  define<keepNearest, 4>(env, exports, "keepNearest");
  define<nearestInBytes, 2>(env, exports, "nearestInBytes");
  define<sumBytes, 2>(env, exports, "sumBytes");
}

}  // namespace plumage
