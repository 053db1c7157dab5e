// Holds the addon's functions on programs, which are plans that have been lowered; they are checked once and then run.
#include <cmath>
#include <cstring>

#include "check-ops.h"
#include "functions.h"
#include "regions.h"
#include "host.h"
#include "program.h"

namespace plumage {

// Joins a program with what it may be run on, and its share in the engine's arena.
struct LoadedProgram {
  std::shared_ptr<Program> program;
  Needs needs;
  long arenaFloats;
  const Kernels* kernels;
  std::shared_ptr<Arena> arena;
  // It is not owned: a program may be let go of on the engine's own thread, which its engine must not end on.
  std::weak_ptr<Host> host;
};

template <>
struct Handled<LoadedProgram> {
  static constexpr const char* NAME = "program";
  static constexpr napi_type_tag TAG = {0xe4a86d10c35b4f92, 0x7b1d90f3a8c264e5};
  static void takeUp(napi_env, const LoadedProgram&) {}
  static void letGo(napi_env env, std::shared_ptr<LoadedProgram> program) {
    const std::shared_ptr<Host> host = program->host.lock();
    program.reset();
    if (host != nullptr) host->reportArena(env);
  }
};

namespace {

// A batch of more images than this has no activations.
constexpr long MOST_IMAGES = 1L << 31;

// createProgram(engine, ops, constants, arenaFloats) -> program, or null where the system refuses memory
napi_value createProgram(napi_env env, napi_value* arguments) {
  const std::shared_ptr<Host>& host = fromHandle<Host>(env, arguments[0]);
  const Span<double> fields = doubles(env, arguments[1], "The operations");
  const Span<float> values = floats(env, arguments[2], "The constants");
  const long arenaFloats = whole(env, arguments[3], "The floats of the arena", 0, MOST_NUMBER);
  std::vector<Op> ops = readOps(fields.data, fields.length);
  std::shared_ptr<Region> constants = Region::allocate(values.length * sizeof(float));
  if (constants == nullptr) return null(env);
  if (values.length > 0) std::memcpy(constants->floats(), values.data, values.length * sizeof(float));
  // Some of the constants say where to read: those that are checked are those that are kept, whatever other threads do to the caller's.
  Needs needs = checkOps(ops, host->kernels(), arenaFloats, constants->floats(), static_cast<long>(values.length));
  auto program = std::make_shared<Program>(host->kernels(), std::move(ops), std::move(constants), arenaFloats);
  return makeHandle(env, std::make_shared<LoadedProgram>(LoadedProgram{std::move(program), std::move(needs), arenaFloats,
                                                                       &host->kernels(), host->arena(), host}));
}

// Counts the bytes of the arena for a batch. Beyond what can be counted they are only estimated: no system has them.
double bytesFor(const LoadedProgram& loaded, long batch, int threads) {
  const double floats = static_cast<double>(batch) * static_cast<double>(loaded.arenaFloats);
  if (floats > static_cast<double>(MOST_NUMBER)) return floats * sizeof(float);
  return static_cast<double>(loaded.program->arenaBytes(batch, threads));
}

// Throws WRONG_ARGUMENT for a program of another engine: it may run other instructions.
const LoadedProgram& programOf(napi_env env, Host& host, napi_value value) {
  const std::shared_ptr<LoadedProgram>& loaded = fromHandle<LoadedProgram>(env, value);
  if (loaded->host.lock().get() != &host) throw Refusal(WRONG_ARGUMENT, "This program belongs to another engine.");
  return *loaded;
}

// programBytes(engine, program, batch)
napi_value programBytes(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const LoadedProgram& loaded = programOf(env, host, arguments[1]);
  const long batch = whole(env, arguments[2], "The batch", 1, MOST_IMAGES);
  return fromNumber(env, bytesFor(loaded, batch, host.engine().pool().size()));
}

// Takes pixels and outputs from `kept`. Throws WRONG_ARGUMENT for lengths that do not fit the batch.
RunInput inputOf(napi_env env, const Needs& needs, const Region& weights, long batch, napi_value kept) {
  const long there = static_cast<long>(weights.bytes() / sizeof(float));
  if (needs.weights > there) {
    throw Refusal(WRONG_ARGUMENT, "The program reads %ld floats of weights; the region has %ld.", needs.weights, there);
  }
  const Span<float> pixels = floats(env, element(env, kept, 1), "The pixels");
  if (needs.pixels > 0 && static_cast<double>(pixels.length) != static_cast<double>(needs.pixels) * static_cast<double>(batch)) {
    throw Refusal(WRONG_ARGUMENT, "A batch of %ld takes %ld pixels an image; there are %zu.", batch, needs.pixels, pixels.length);
  }
  RunInput input{batch, pixels.data, {}, weights.floats()};
  if (lengthOf(env, kept) != needs.outputs.size() + 2) {
    throw Refusal(WRONG_ARGUMENT, "The program has %zu outputs; %u arrays are there.", needs.outputs.size(), lengthOf(env, kept));
  }
  for (size_t i = 0; i < needs.outputs.size(); i++) {
    const Span<float> output = floats(env, element(env, kept, static_cast<uint32_t>(i) + 2), "An output");
    if (static_cast<double>(output.length) != static_cast<double>(needs.outputs[i]) * static_cast<double>(batch)) {
      throw Refusal(WRONG_ARGUMENT, "Output %zu has %ld values an image; for a batch of %ld there is room for %zu.", i, needs.outputs[i],
                    batch, output.length);
    }
    input.outputs.push_back(output.data);
  }
  return input;
}

// Runs a program as a job. `room` is an array for two numbers for each operation, or null where nothing is timed.
napi_value submitRun(napi_env env, napi_value* arguments, napi_value room) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  programOf(env, host, arguments[1]);
  const std::shared_ptr<LoadedProgram> loaded = fromHandle<LoadedProgram>(env, arguments[1]);
  const std::shared_ptr<Region> region = fromHandle<Region>(env, arguments[2]);
  const long batch = whole(env, arguments[3], "The batch", 1, MOST_IMAGES);
  const RunInput input = inputOf(env, loaded->needs, *region, batch, arguments[4]);
  double* times = nullptr;
  if (room != nullptr) {
    const Span<double> given = doubles(env, room, "The times");
    const size_t wanted = 2 * loaded->program->length();
    if (given.length != wanted) throw Refusal(WRONG_ARGUMENT, "The times of this program are %zu numbers, not %zu.", wanted, given.length);
    times = given.data;
    // The job keeps the room from being collected before it ends.
    check(env, napi_set_element(env, arguments[4], lengthOf(env, arguments[4]), room));
  }
  ThreadPool& pool = host.engine().pool();
  return host.submit(env, arguments[0], arguments[4], [loaded, region, input, &pool, times](Job& job) {
    Outcome& outcome = job.outcome;
    const double bytes = bytesFor(*loaded, input.batch, pool.size());
    const RunStatus status = bytes > static_cast<double>(MOST_NUMBER) ? RunStatus::outOfMemory
                                                                       : loaded->program->run(input, *loaded->arena, pool, job.cancelled, times);
    region->checkFile();
    if (status == RunStatus::cancelled) outcome.status = Status::cancelled;
    if (status != RunStatus::outOfMemory) return;
    outcome.status = Status::outOfMemory;
    outcome.value = bytes;
  });
}

// run(engine, program, region, batch, [callback, pixels, ...outputs]) -> job
napi_value run(napi_env env, napi_value* arguments) { return submitRun(env, arguments, nullptr); }

// profile(engine, program, region, batch, [callback, pixels, ...outputs], times) -> job. `times` gets the seconds of each operation, then those that
// all threads together were at work in each.
napi_value profile(napi_env env, napi_value* arguments) { return submitRun(env, arguments, arguments[5]); }

}  // namespace

void definePrograms(napi_env env, napi_value exports) {
  define<createProgram, 4>(env, exports, "createProgram");
  define<release<LoadedProgram>, 1>(env, exports, "releaseProgram");
  define<programBytes, 3>(env, exports, "programBytes");
  define<run, 5>(env, exports, "run");
  define<profile, 6>(env, exports, "profile");
}

}  // namespace plumage
