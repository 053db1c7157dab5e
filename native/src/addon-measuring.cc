// Holds the addon's functions that measure: the error of elementary functions, and the peak of products.
#include <chrono>

#include "cpu.h"
#include "functions.h"
#include "host.h"

namespace plumage {
namespace {

// evaluate(engine, activation, in, out)
napi_value evaluate(napi_env env, napi_value* arguments) {
  const Host& host = *fromHandle<Host>(env, arguments[0]);
  const auto function =
      static_cast<Activation>(whole(env, arguments[1], "The activation", 0, static_cast<long>(Activation::geluShort)));
  const Span<float> in = floats(env, arguments[2], "The input"), out = floats(env, arguments[3], "The output");
  if (in.length != out.length) throw Refusal(WRONG_ARGUMENT, "There are %zu inputs and %zu outputs.", in.length, out.length);
  host.kernels().evaluate(function, in.data, out.data, static_cast<long>(in.length));
  return nullptr;
}

// measurePeak(engine, precision, [callback]) -> job. All threads multiply for about 0.1 s; the value is GFLOP/s, as if each had a processor to itself.
napi_value measurePeak(napi_env env, napi_value* arguments) {
  Host& host = *fromHandle<Host>(env, arguments[0]);
  const Product& product = productOf(env, host, arguments[1]);
  Engine& engine = host.engine();
  return host.submit(env, arguments[0], arguments[2], [&engine, &product](Job& job) {
    typedef std::chrono::steady_clock Clock;
    ThreadPool& pool = engine.pool();
    constexpr long REPETITIONS = 20000;
    const Clock::time_point start = Clock::now();
    std::vector<double> rates(static_cast<size_t>(pool.size()) * 16, 0.0);
    pool.run(pool.size(), job.cancelled, [&](int, long index) {
      double operations = 0;
      const double begun = processorSeconds();
      while (Clock::now() - start < std::chrono::milliseconds(100) && !job.cancelled.load()) operations += product.peak(REPETITIONS);
      if (operations > 0) rates[static_cast<size_t>(index) * 16] = operations / (processorSeconds() - begun);
    });
    double total = 0;
    for (double rate : rates) total += rate;
    job.outcome.value = total * 1e-9;
    if (job.cancelled.load()) job.outcome.status = Status::cancelled;
  });
}

}  // namespace

void defineMeasuring(napi_env env, napi_value exports) {
  define<evaluate, 4>(env, exports, "evaluate");
  define<measurePeak, 3>(env, exports, "measurePeak");
}

}  // namespace plumage
