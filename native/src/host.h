// Joins an engine with its way back to JavaScript.
#pragma once

#include <functional>
#include <memory>

#include "engine.h"
#include "handles.h"
#include "memory.h"

namespace plumage {

// Lives as long as its handle. The engine in it ends with `release`, with the handle or with the environment, whichever is first. All
// functions are called on the JavaScript thread.
class Host {
 public:
  static std::shared_ptr<Host> create(napi_env env, const Kernels& kernels, int threads);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Throws `disposed` after release.
  Engine& engine() const;
  const Kernels& kernels() const { return engine().kernels(); }

  // Has `work` done and `kept` called back (callback.h). `handle` is this engine's: neither may be collected meanwhile.
  // Gives the job's handle.
  napi_value submit(napi_env env, napi_value handle, napi_value kept, std::function<void(Job&)> work);
  // Cancels what is under way and what waits, each of which is called back; then ends the threads, gives the arena back and calls back `kept`.
  void release(napi_env env, napi_value handle, napi_value kept);

  // All programs of this engine share this arena. It goes with the last of them.
  std::shared_ptr<Arena> arena();
  // Tells the garbage collector how large the arena is now.
  void reportArena(napi_env env);

 private:
  explicit Host(napi_env env) : env_(env) {}
  static void deliver(napi_env env, napi_value, void* context, void* data);
  static void atEnvironmentEnd(void* host);
  std::shared_ptr<Job> prepare(napi_env env, napi_value handle, napi_value kept, std::function<void(Job&)> work);
  void settle(napi_env env, const Job& job);
  void shutDown();

  const napi_env env_;
  napi_threadsafe_function report_ = nullptr;
  bool hooked_ = false, releasing_ = false;
  std::unique_ptr<Engine> engine_;
  std::weak_ptr<Arena> arena_;
  std::shared_ptr<Job> last_;
  long reportedArena_ = 0;
  int jobsUnderWay_ = 0;
};

template <>
struct Handled<Host> {
  static constexpr const char* NAME = "engine";
  static constexpr napi_type_tag TAG = {0x8d1f2a6c4be04c11, 0x9f53a7d06e12b8c4};
  static void takeUp(napi_env, const Host&) {}
  static void letGo(napi_env, std::shared_ptr<Host>) {}
};

template <>
struct Handled<Job> {
  static constexpr const char* NAME = "job";
  static constexpr napi_type_tag TAG = {0x3c70e95d18f24a6b, 0xa1be46c8d7730f92};
  static void takeUp(napi_env, const Job&) {}
  static void letGo(napi_env, std::shared_ptr<Job>) {}
};

// Throws WRONG_ARGUMENT for a name that this processor does not run.
const Kernels& kernelsNamed(napi_env env, napi_value name);
// Gives the product of an engine's precision. Throws WRONG_ARGUMENT where the instruction set has none.
const Product& productOf(napi_env env, const Host& host, napi_value precision);

}  // namespace plumage
