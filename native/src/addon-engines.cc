// Holds the addon's functions on engines and jobs, and on what this processor can do.
#include "cpu.h"
#include "functions.h"
#include "host.h"
#include "program.h"

namespace plumage {
namespace {

// No machine has cores for more threads than this.
constexpr long MOST_THREADS = 1024;

// createEngine(instructionSet, threads) -> engine
napi_value createEngine(napi_env env, napi_value* arguments) {
  const Kernels& kernels = kernelsNamed(env, arguments[0]);
  const int threads = static_cast<int>(whole(env, arguments[1], "The number of threads", 1, MOST_THREADS));
  return makeHandle(env, Host::create(env, kernels, threads));
}

// releaseEngine(engine, [callback]): runs under way and those that wait are cancelled and called back; then the threads end, and the
// callback comes.
napi_value releaseEngine(napi_env env, napi_value* arguments) {
  fromHandle<Host>(env, arguments[0])->release(env, arguments[0], arguments[1]);
  return nullptr;
}

// cancel(job)
napi_value cancel(napi_env env, napi_value* arguments) {
  fromHandle<Job>(env, arguments[0])->cancelled.store(true);
  return nullptr;
}

// Gives the formats of rows that products and attention take, as numbers; null where there is no product.
napi_value precisionInfo(napi_env env, const Kernels& kernels, int precision) {
  const Product* product = kernels.products[precision];
  if (product == nullptr) return null(env);
  const auto format = [&](Format f) { return fromNumber(env, static_cast<double>(static_cast<int>(f))); };
  napi_value result;
  check(env, napi_create_object(env, &result));
  check(env, napi_set_named_property(env, result, "rows", format(product->rows)));
  check(env, napi_set_named_property(env, result, "attention", format(kernels.attentionRows[precision])));
  check(env, napi_set_named_property(env, result, "between", format(kernels.bfloat16Rows ? Format::bfloat16 : Format::float32)));
  return result;
}

napi_value instructionSetInfo(napi_env env, const Kernels& kernels) {
  napi_value result, precisions;
  check(env, napi_create_object(env, &result));
  check(env, napi_set_named_property(env, result, "name", fromString(env, kernels.name)));
  check(env, napi_create_array(env, &precisions));
  for (int p = 0; p < PRECISIONS; p++) {
    check(env, napi_set_element(env, precisions, static_cast<uint32_t>(p), precisionInfo(env, kernels, p)));
  }
  check(env, napi_set_named_property(env, result, "precisions", precisions));
  return result;
}

// info() -> { instructionSets, cores, opFields }
napi_value info(napi_env env, napi_value*) {
  napi_value result, sets;
  check(env, napi_create_object(env, &result));
  check(env, napi_create_array(env, &sets));
  uint32_t index = 0;
  for (const Kernels* kernels : availableKernels()) check(env, napi_set_element(env, sets, index++, instructionSetInfo(env, *kernels)));
  check(env, napi_set_named_property(env, result, "instructionSets", sets));
  check(env, napi_set_named_property(env, result, "cores", fromNumber(env, availableCores())));
  check(env, napi_set_named_property(env, result, "opFields", fromNumber(env, OP_FIELDS)));
  return result;
}

}  // namespace

void defineEngines(napi_env env, napi_value exports) {
  define<info, 0>(env, exports, "info");
  define<createEngine, 2>(env, exports, "createEngine");
  define<releaseEngine, 2>(env, exports, "releaseEngine");
  define<cancel, 1>(env, exports, "cancel");
}

}  // namespace plumage
