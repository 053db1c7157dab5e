// Puts objects of C++ into the hands of JavaScript. Each kind of handle has a type tag, so that one can't be taken for another.
#pragma once

#include <memory>
#include <utility>

#include "values.h"

namespace plumage {

// This is known of a kind of handle; each kind specialises it with
//   NAME, for messages;
//   TAG, which tells it from all others;
//   takeUp(env, object), called when JavaScript takes hold of it;
//   letGo(env, object), called when JavaScript lets go of it: on release, or when the handle is collected.
template <typename T>
struct Handled;

template <typename T>
struct Held {
  Held(napi_env env, std::shared_ptr<T> taken) : env(env), object(std::move(taken)) { Handled<T>::takeUp(env, *object); }
  ~Held() { release(); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  void release() noexcept {
    if (object != nullptr) Handled<T>::letGo(env, std::exchange(object, nullptr));
  }

  napi_env env;
  std::shared_ptr<T> object;  // it is null after release
};

template <typename T>
napi_value makeHandle(napi_env env, std::shared_ptr<T> object) {
  auto held = std::make_unique<Held<T>>(env, std::move(object));
  napi_value result;
  check(env, napi_create_external(
                 env, held.get(), [](napi_env, void* data, void*) { delete static_cast<Held<T>*>(data); }, nullptr, &result));
  held.release();
  check(env, napi_type_tag_object(env, result, &Handled<T>::TAG));
  return result;
}

template <typename T>
Held<T>& heldBy(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  bool same = false;
  if (type == napi_external) check(env, napi_check_object_type_tag(env, value, &Handled<T>::TAG, &same));
  if (!same) throw Refusal(WRONG_ARGUMENT, "The native engine wants the handle of its %s here, and was handed something else.", Handled<T>::NAME);
  void* data;
  check(env, napi_get_value_external(env, value, &data));
  return *static_cast<Held<T>*>(data);
}

// Throws `disposed` where it has been released.
template <typename T>
const std::shared_ptr<T>& fromHandle(napi_env env, napi_value value) {
  const Held<T>& held = heldBy<T>(env, value);
  if (held.object == nullptr) throw Refusal("disposed", "This %s has been disposed of. Make another to go on.", Handled<T>::NAME);
  return held.object;
}

// release(handle) lets go of what the handle holds: its memory is given back as soon as no job works on it.
template <typename T>
napi_value release(napi_env env, napi_value* arguments) {
  heldBy<T>(env, arguments[0]).release();
  return nullptr;
}

// Tells the garbage collector of memory that it does not see, or that such memory has gone.
inline void adjustExternalMemory(napi_env env, long change) {
  int64_t total;
  // It is only a hint: where Node does not take it, nothing else depends on it.
  if (change != 0) static_cast<void>(napi_adjust_external_memory(env, change, &total));
}

}  // namespace plumage
