// Defines functions as JavaScript calls them: what they throw becomes a JavaScript exception.
#pragma once

#include "values.h"

namespace plumage {

template <napi_value (*function)(napi_env, napi_value*), size_t count>
napi_value call(napi_env env, napi_callback_info info) noexcept {
  napi_value arguments[count + 1];
  size_t given = count;
  try {
    check(env, napi_get_cb_info(env, info, &given, arguments, nullptr, nullptr));
    if (given < count) throw Refusal(WRONG_ARGUMENT, "The native engine wants %zu arguments here, not %zu.", count, given);
    return function(env, arguments);
  } catch (...) {
    throwToJavaScript(env);
    return nullptr;
  }
}

template <napi_value (*function)(napi_env, napi_value*), size_t count>
void define(napi_env env, napi_value exports, const char* name) {
  napi_value value;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, call<function, count>, nullptr, &value));
  check(env, napi_set_named_property(env, exports, name, value));
}

// Each file of the addon defines its own.
void defineEngines(napi_env env, napi_value exports);
void defineWeights(napi_env env, napi_value exports);
void definePrograms(napi_env env, napi_value exports);
void defineImages(napi_env env, napi_value exports);
void defineMeasuring(napi_env env, napi_value exports);
void defineFeatures(napi_env env, napi_value exports);
void defineSearch(napi_env env, napi_value exports);
void defineLocking(napi_env env, napi_value exports);

}  // namespace plumage
