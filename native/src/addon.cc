// The Node-API surface: handles of engines, weights and programs, and jobs that report back by callback.
//
// Only src/platform/node/native calls this, with arguments it has checked; what is checked here is what would otherwise
// corrupt memory silently. All state hangs on an engine's handle, so any number of worker threads may load the addon.
#include <node_api.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <new>
#include <string>

#include "cpu.h"
#include "engine.h"
#include "program.h"

namespace plumage {
namespace {

// ---- Values ----

struct Failure {};  // a JavaScript exception is pending

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_type_error(env, nullptr, "The native addon was called with an unexpected argument.");
  throw Failure();
}

double number(napi_env env, napi_value value) {
  double result;
  check(env, napi_get_value_double(env, value, &result));
  return result;
}

napi_value fromNumber(napi_env env, double value) {
  napi_value result;
  check(env, napi_create_double(env, value, &result));
  return result;
}

napi_value fromString(napi_env env, const char* text) {
  napi_value result;
  check(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result));
  return result;
}

std::string string(napi_env env, napi_value value) {
  char text[32];
  size_t length;
  check(env, napi_get_value_string_utf8(env, value, text, sizeof text, &length));
  return std::string(text, length);
}

template <typename T>
struct Span {
  T* data;
  size_t length;
};

template <typename T>
Span<T> typedArray(napi_env env, napi_value value, napi_typedarray_type expected) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  check(env, napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr));
  if (type != expected) check(env, napi_invalid_arg);
  return {static_cast<T*>(data), length};
}

Span<float> floats(napi_env env, napi_value value) { return typedArray<float>(env, value, napi_float32_array); }

// A handle owns a shared pointer; `release` empties it early, collection of the handle at the latest.
template <typename T>
napi_value makeHandle(napi_env env, std::shared_ptr<T> object) {
  auto* held = new std::shared_ptr<T>(std::move(object));
  napi_value result;
  const napi_status status = napi_create_external(
      env, held, [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<T>*>(data); }, nullptr, &result);
  if (status != napi_ok) delete held;
  check(env, status);
  return result;
}

template <typename T>
std::shared_ptr<T>& fromHandle(napi_env env, napi_value value) {
  void* data;
  check(env, napi_get_value_external(env, value, &data));
  return *static_cast<std::shared_ptr<T>*>(data);
}

// ---- Engines and their jobs ----

const Kernels& kernelsNamed(napi_env env, napi_value name) {
  const std::string wanted = string(env, name);
  for (const Kernels* kernels : availableKernels()) {
    if (wanted == kernels->name) return *kernels;
  }
  check(env, napi_invalid_arg);
  throw Failure();
}

// An engine with its way back to JavaScript. Ends with the handle or with the environment, whichever is first.
struct Host {
  napi_env env;
  napi_threadsafe_function report = nullptr;
  std::unique_ptr<Engine> engine;
  int jobsUnderWay = 0;

  static void atEnvironmentEnd(void* host) { static_cast<Host*>(host)->shutDown(); }
  void shutDown() {
    if (engine == nullptr) return;
    engine->stop();
    engine.reset();
    napi_release_threadsafe_function(report, napi_tsfn_abort);
  }
  ~Host() {
    if (engine == nullptr) return;
    napi_remove_env_cleanup_hook(env, atEnvironmentEnd, this);
    shutDown();
  }
};

// On the JavaScript thread: calls back with (status, value).
void deliver(napi_env env, napi_value, void* context, void* data) {
  std::unique_ptr<std::shared_ptr<Job>> job(static_cast<std::shared_ptr<Job>*>(data));
  if (env == nullptr) return;  // the environment is going; nobody listens any more
  Host* host = static_cast<Host*>(context);
  if (--host->jobsUnderWay == 0) napi_unref_threadsafe_function(env, host->report);
  napi_ref reference = static_cast<napi_ref>((*job)->reference);
  napi_value kept, callback, receiver, arguments[2];
  if (napi_get_reference_value(env, reference, &kept) != napi_ok || napi_get_element(env, kept, 0, &callback) != napi_ok ||
      napi_get_undefined(env, &receiver) != napi_ok || napi_create_int32(env, (*job)->status, &arguments[0]) != napi_ok ||
      napi_create_double(env, (*job)->value, &arguments[1]) != napi_ok) {
    return;
  }
  napi_delete_reference(env, reference);
  napi_call_function(env, receiver, callback, 2, arguments, nullptr);
}

// `kept`: an array whose first element is the callback; the others are what the job reads and writes. The engine's handle is
// added to it: neither may be collected before the callback.
napi_value submit(napi_env env, napi_value engine, napi_value kept, std::function<void(Job&)> work) {
  Host& host = *fromHandle<Host>(env, engine);
  uint32_t length;
  check(env, napi_get_array_length(env, kept, &length));
  check(env, napi_set_element(env, kept, length, engine));
  auto job = std::make_shared<Job>();
  job->work = std::move(work);
  napi_ref reference;
  check(env, napi_create_reference(env, kept, 1, &reference));
  job->reference = reference;
  napi_value handle = makeHandle(env, job);
  if (host.jobsUnderWay++ == 0) napi_ref_threadsafe_function(env, host.report);
  host.engine->submit(std::move(job));
  return handle;
}

napi_value createEngine(napi_env env, napi_value* arguments) {
  const Kernels& chosen = kernelsNamed(env, arguments[0]);
  const int threads = static_cast<int>(number(env, arguments[1]));
  if (threads < 1 || threads > 1024) check(env, napi_invalid_arg);
  auto host = std::make_shared<Host>();
  host->env = env;
  napi_value label = fromString(env, "plumage");
  check(env, napi_create_threadsafe_function(env, nullptr, nullptr, label, 0, 1, nullptr, nullptr, host.get(), deliver,
                                             &host->report));
  check(env, napi_unref_threadsafe_function(env, host->report));
  napi_threadsafe_function report = host->report;
  host->engine = std::make_unique<Engine>(chosen, threads, [report](std::shared_ptr<Job> job) {
    auto* held = new std::shared_ptr<Job>(std::move(job));
    if (napi_call_threadsafe_function(report, held, napi_tsfn_nonblocking) != napi_ok) delete held;
  });
  check(env, napi_add_env_cleanup_hook(env, Host::atEnvironmentEnd, host.get()));
  return makeHandle(env, host);
}

Host& hostOf(napi_env env, napi_value value) {
  Host& host = *fromHandle<Host>(env, value);
  if (host.engine == nullptr) check(env, napi_invalid_arg);
  return host;
}

// The formats of rows that products and attention take, as numbers; null where there is no product.
napi_value precisionInfo(napi_env env, const Kernels& kernels, int precision) {
  const Product* product = kernels.products[precision];
  napi_value result;
  if (product == nullptr) {
    check(env, napi_get_null(env, &result));
    return result;
  }
  const auto format = [&](Format f) { return fromNumber(env, static_cast<double>(static_cast<int>(f))); };
  check(env, napi_create_object(env, &result));
  check(env, napi_set_named_property(env, result, "rows", format(product->rows)));
  check(env, napi_set_named_property(env, result, "attention", format(kernels.attentionRows[precision])));
  check(env, napi_set_named_property(env, result, "between", format(kernels.bfloat16Rows ? Format::bfloat16 : Format::float32)));
  return result;
}

napi_value info(napi_env env, napi_value*) {
  napi_value result, sets;
  check(env, napi_create_object(env, &result));
  check(env, napi_create_array(env, &sets));
  uint32_t index = 0;
  for (const Kernels* kernels : availableKernels()) {
    napi_value set;
    check(env, napi_create_object(env, &set));
    check(env, napi_set_named_property(env, set, "name", fromString(env, kernels->name)));
    napi_value precisions;
    check(env, napi_create_array(env, &precisions));
    for (int p = 0; p < PRECISIONS; p++) {
      napi_value precision = precisionInfo(env, *kernels, p);
      check(env, napi_set_element(env, precisions, static_cast<uint32_t>(p), precision));
    }
    check(env, napi_set_named_property(env, set, "precisions", precisions));
    check(env, napi_set_element(env, sets, index++, set));
  }
  check(env, napi_set_named_property(env, result, "instructionSets", sets));
  check(env, napi_set_named_property(env, result, "cores", fromNumber(env, availableCores())));
  check(env, napi_set_named_property(env, result, "opFields", fromNumber(env, OP_FIELDS)));
  return result;
}

// ---- Weights ----

// allocate(floats) -> handle, or null where the system refuses
napi_value allocate(napi_env env, napi_value* arguments) {
  std::shared_ptr<Region> region = Region::allocate(static_cast<size_t>(number(env, arguments[0])) * sizeof(float));
  if (region == nullptr) {
    napi_value none;
    check(env, napi_get_null(env, &none));
    return none;
  }
  return makeHandle(env, std::move(region));
}

// release(handle): gives the memory of a region or program back as soon as no job works on it
template <typename T>
napi_value release(napi_env env, napi_value* arguments) {
  fromHandle<T>(env, arguments[0]).reset();
  return nullptr;
}

const Product& productOf(napi_env env, const Host& host, napi_value precision) {
  const int p = static_cast<int>(number(env, precision));
  if (p < 0 || p >= PRECISIONS || host.engine->kernels().products[p] == nullptr) check(env, napi_invalid_arg);
  return *host.engine->kernels().products[p];
}

// packedFloats(engine, precision, columns, depth)
napi_value packedFloats(napi_env env, napi_value* arguments) {
  const Product& product = productOf(env, hostOf(env, arguments[0]), arguments[1]);
  const long floats = product.packedFloats(static_cast<long>(number(env, arguments[2])), static_cast<long>(number(env, arguments[3])));
  return fromNumber(env, static_cast<double>(floats));
}

// pack(engine, region, offset, precision, columns, depth, [callback, values]): depth 0 copies `columns` floats as they are
napi_value pack(napi_env env, napi_value* arguments) {
  Host& host = hostOf(env, arguments[0]);
  std::shared_ptr<Region> region = fromHandle<Region>(env, arguments[1]);
  const long offset = static_cast<long>(number(env, arguments[2]));
  const Product& product = productOf(env, host, arguments[3]);
  const long columns = static_cast<long>(number(env, arguments[4])), depth = static_cast<long>(number(env, arguments[5]));
  napi_value array;
  check(env, napi_get_element(env, arguments[6], 1, &array));
  const Span<float> values = floats(env, array);
  Engine& engine = *host.engine;
  const size_t needed = depth == 0 ? columns : product.packedFloats(columns, depth);
  if (region == nullptr || values.length != static_cast<size_t>(depth == 0 ? columns : columns * depth) ||
      (offset + needed) * sizeof(float) > region->bytes()) {
    check(env, napi_invalid_arg);
  }
  return submit(env, arguments[0], arguments[6], [&engine, &product, region, offset, columns, depth, values](Job& job) {
    float* to = region->floats() + offset;
    if (depth == 0) {
      std::memcpy(to, values.data, sizeof(float) * columns);
    } else {
      const long panels = (columns + product.tileColumns - 1) / product.tileColumns;
      engine.pool().run(panels, job.cancelled,
                        [&](int, long panel) { product.pack(values.data, columns, depth, to, panel, panel + 1); });
    }
    if (job.cancelled.load()) job.status = 1;
  });
}

// ---- Programs ----

// createProgram(engine, ops, constants, arenaFloats) -> handle, or null where the system refuses memory
napi_value createProgram(napi_env env, napi_value* arguments) {
  Host& host = hostOf(env, arguments[0]);
  const Span<double> fields = typedArray<double>(env, arguments[1], napi_float64_array);
  const Span<float> values = floats(env, arguments[2]);
  if (fields.length % OP_FIELDS != 0) check(env, napi_invalid_arg);
  std::vector<Op> ops;
  for (size_t at = 0; at < fields.length; at += OP_FIELDS) ops.push_back(readOp(fields.data + at));
  std::shared_ptr<Region> constants = Region::allocate(values.length * sizeof(float));
  if (constants == nullptr) {
    napi_value none;
    check(env, napi_get_null(env, &none));
    return none;
  }
  if (values.length > 0) std::memcpy(constants->floats(), values.data, values.length * sizeof(float));
  return makeHandle(env, std::make_shared<Program>(host.engine->kernels(), std::move(ops), std::move(constants),
                                                   static_cast<long>(number(env, arguments[3]))));
}

// programBytes(engine, program, batch)
napi_value programBytes(napi_env env, napi_value* arguments) {
  Host& host = hostOf(env, arguments[0]);
  const std::shared_ptr<Program>& program = fromHandle<Program>(env, arguments[1]);
  if (program == nullptr) check(env, napi_invalid_arg);
  const long batch = static_cast<long>(number(env, arguments[2]));
  return fromNumber(env, static_cast<double>(program->arenaBytes(batch, host.engine->pool().size())));
}

// run(engine, program, region, batch, [callback, pixels, ...outputs]) -> job. The arrays are the caller's to size.
napi_value run(napi_env env, napi_value* arguments) {
  Host& host = hostOf(env, arguments[0]);
  std::shared_ptr<Program> program = fromHandle<Program>(env, arguments[1]);
  std::shared_ptr<Region> region = fromHandle<Region>(env, arguments[2]);
  if (program == nullptr || region == nullptr) check(env, napi_invalid_arg);
  RunInput input;
  input.batch = static_cast<long>(number(env, arguments[3]));
  input.weights = region->floats();
  uint32_t length;
  check(env, napi_get_array_length(env, arguments[4], &length));
  for (uint32_t i = 1; i < length; i++) {
    napi_value array;
    check(env, napi_get_element(env, arguments[4], i, &array));
    float* data = floats(env, array).data;
    if (i == 1) {
      input.pixels = data;
    } else {
      input.outputs.push_back(data);
    }
  }
  ThreadPool& pool = host.engine->pool();
  return submit(env, arguments[0], arguments[4], [program, region, input, &pool](Job& job) {
    job.status = static_cast<int>(program->run(input, pool, job.cancelled));
    if (job.status == 2) job.value = static_cast<double>(program->arenaBytes(input.batch, pool.size()));
  });
}

// cancel(job)
napi_value cancel(napi_env env, napi_value* arguments) {
  fromHandle<Job>(env, arguments[0])->cancelled.store(true);
  return nullptr;
}

// ---- Images ----

// Elements [at, at + 3) of `kept`: first, count and weights of an axis of `inputs`. Throws for taps outside it.
ResampleAxis axisOf(napi_env env, napi_value kept, uint32_t at, long inputs, int bits) {
  Span<int> spans[3];
  for (uint32_t i = 0; i < 3; i++) {
    napi_value array;
    check(env, napi_get_element(env, kept, at + i, &array));
    spans[i] = typedArray<int>(env, array, napi_int32_array);
  }
  const auto [first, count, weights] = spans;
  const long outputs = static_cast<long>(first.length);
  const long stride = outputs == 0 ? 0 : static_cast<long>(weights.length) / outputs;
  bool fits = count.length == first.length && weights.length == first.length * static_cast<size_t>(stride) && bits >= 1 && bits <= 30;
  for (long i = 0; fits && i < outputs; i++) {
    fits = first.data[i] >= 0 && count.data[i] >= 1 && count.data[i] <= stride && count.data[i] <= inputs - first.data[i];
  }
  for (size_t i = 0; fits && i < weights.length; i++) fits = weights.data[i] <= LARGEST_WEIGHT && weights.data[i] >= -LARGEST_WEIGHT;
  if (!fits) check(env, napi_invalid_arg);
  return {first.data, count.data, weights.data, stride, outputs, bits};
}

// A job for the threads that read files and decode images, beside an engine's own.
struct Resampling {
  const Kernels& kernels;
  ResampleArgs args;
  napi_ref kept = nullptr;
  napi_async_work work = nullptr;
  double missingBytes = 0;

  void execute() {
    const long bytes = kernels.resampleScratchBytes(args);
    std::shared_ptr<Region> scratch = Region::allocate(static_cast<size_t>(bytes));
    if (scratch == nullptr) {
      missingBytes = static_cast<double>(bytes);
    } else {
      kernels.resample(args, reinterpret_cast<char*>(scratch->floats()));
    }
  }

  void complete(napi_env env) {
    napi_value array, callback, receiver, arguments[2];
    const bool found = napi_get_reference_value(env, kept, &array) == napi_ok && napi_get_element(env, array, 0, &callback) == napi_ok &&
                       napi_get_undefined(env, &receiver) == napi_ok &&
                       napi_create_int32(env, missingBytes > 0 ? 2 : 0, &arguments[0]) == napi_ok &&
                       napi_create_double(env, missingBytes, &arguments[1]) == napi_ok;
    napi_delete_reference(env, kept);
    napi_delete_async_work(env, work);
    if (found) napi_call_function(env, receiver, callback, 2, arguments, nullptr);
  }
};

// resample(instructionSet, height, width, horizontalBits, verticalBits, verticalFirst,
//          [callback, image, out, first, count, weights of the horizontal axis, then of the vertical one])
napi_value resample(napi_env env, napi_value* arguments) {
  const Kernels& kernels = kernelsNamed(env, arguments[0]);
  const long height = static_cast<long>(number(env, arguments[1])), width = static_cast<long>(number(env, arguments[2]));
  bool verticalFirst;
  check(env, napi_get_value_bool(env, arguments[5], &verticalFirst));
  napi_value image, out;
  check(env, napi_get_element(env, arguments[6], 1, &image));
  check(env, napi_get_element(env, arguments[6], 2, &out));
  const Span<unsigned char> from = typedArray<unsigned char>(env, image, napi_uint8_array);
  const Span<unsigned char> to = typedArray<unsigned char>(env, out, napi_uint8_array);
  const ResampleAxis horizontal = axisOf(env, arguments[6], 3, width, static_cast<int>(number(env, arguments[3])));
  const ResampleAxis vertical = axisOf(env, arguments[6], 6, height, static_cast<int>(number(env, arguments[4])));
  const long newWidth = horizontal.outputs > 0 ? horizontal.outputs : width;
  const long newHeight = vertical.outputs > 0 ? vertical.outputs : height;
  // No side of an image comes near: products of two of them cannot run over.
  constexpr long MOST = 1L << 30;
  if (height < 1 || width < 1 || height > MOST || width > MOST || newWidth > MOST || newHeight > MOST ||
      horizontal.outputs + vertical.outputs == 0 || from.length != static_cast<size_t>(height) * width * 3 ||
      to.length != static_cast<size_t>(newHeight) * newWidth * 3) {
    check(env, napi_invalid_arg);
  }
  auto job = std::make_unique<Resampling>(Resampling{kernels, {from.data, height, width, horizontal, vertical, verticalFirst, to.data}});
  check(env, napi_create_async_work(
                 env, nullptr, fromString(env, "plumage resample"),
                 [](napi_env, void* data) { static_cast<Resampling*>(data)->execute(); },
                 [](napi_env env, napi_status, void* data) {
                   std::unique_ptr<Resampling> job(static_cast<Resampling*>(data));
                   job->complete(env);
                 },
                 job.get(), &job->work));
  check(env, napi_create_reference(env, arguments[6], 1, &job->kept));
  check(env, napi_queue_async_work(env, job->work));
  job.release();
  return nullptr;
}

// ---- Measuring ----

// evaluate(engine, activation, in, out)
napi_value evaluate(napi_env env, napi_value* arguments) {
  Host& host = hostOf(env, arguments[0]);
  const Span<float> in = floats(env, arguments[2]), out = floats(env, arguments[3]);
  if (in.length != out.length) check(env, napi_invalid_arg);
  const auto function = static_cast<Activation>(static_cast<int>(number(env, arguments[1])));
  host.engine->kernels().evaluate(function, in.data, out.data, static_cast<long>(in.length));
  return nullptr;
}

// measurePeak(engine, precision, [callback]): products of all threads for about 0.1 s; the value is GFLOP/s
napi_value measurePeak(napi_env env, napi_value* arguments) {
  Host& host = hostOf(env, arguments[0]);
  const Product& product = productOf(env, host, arguments[1]);
  Engine& engine = *host.engine;
  return submit(env, arguments[0], arguments[2], [&engine, &product](Job& job) {
    typedef std::chrono::steady_clock Clock;
    ThreadPool& pool = engine.pool();
    constexpr long REPETITIONS = 20000;
    const Clock::time_point start = Clock::now();
    std::vector<double> operations(static_cast<size_t>(pool.size()) * 16, 0.0);
    pool.run(pool.size(), job.cancelled, [&](int, long index) {
      double sum = 0;
      while (Clock::now() - start < std::chrono::milliseconds(100)) sum += product.peak(REPETITIONS);
      operations[index * 16] = sum;
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    double total = 0;
    for (double count : operations) total += count;
    job.value = total / seconds * 1e-9;
  });
}

template <napi_value (*function)(napi_env, napi_value*), size_t count>
napi_value call(napi_env env, napi_callback_info callInfo) {
  napi_value arguments[count + 1];
  size_t given = count;
  try {
    check(env, napi_get_cb_info(env, callInfo, &given, arguments, nullptr, nullptr));
    if (given < count) check(env, napi_invalid_arg);
    return function(env, arguments);
  } catch (const Failure&) {
    return nullptr;
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

template <napi_value (*function)(napi_env, napi_value*), size_t count>
void define(napi_env env, napi_value exports, const char* name) {
  napi_value value;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, call<function, count>, nullptr, &value));
  check(env, napi_set_named_property(env, exports, name, value));
}

}  // namespace

void defineAll(napi_env env, napi_value exports) {
  define<info, 0>(env, exports, "info");
  define<createEngine, 2>(env, exports, "createEngine");
  define<allocate, 1>(env, exports, "allocate");
  define<release<Region>, 1>(env, exports, "releaseRegion");
  define<release<Program>, 1>(env, exports, "releaseProgram");
  define<packedFloats, 4>(env, exports, "packedFloats");
  define<pack, 7>(env, exports, "pack");
  define<createProgram, 4>(env, exports, "createProgram");
  define<programBytes, 3>(env, exports, "programBytes");
  define<run, 5>(env, exports, "run");
  define<cancel, 1>(env, exports, "cancel");
  define<resample, 7>(env, exports, "resample");
  define<evaluate, 4>(env, exports, "evaluate");
  define<measurePeak, 3>(env, exports, "measurePeak");
}

}  // namespace plumage

NAPI_MODULE_INIT() {
  try {
    plumage::defineAll(env, exports);
  } catch (const plumage::Failure&) {
    // The exception is pending.
  }
  return exports;
}
