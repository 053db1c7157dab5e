// Turns values of JavaScript and values of C++ into each other. What cannot be right throws before anything is touched.
#pragma once

#include <node_api.h>

#include <cstddef>

#include "outcome.h"

namespace plumage {

// This is thrown where a JavaScript exception is pending already.
struct Pending {};

// Throws Refusal, or Pending, for every status but napi_ok.
void check(napi_env env, napi_status status);

// Makes the exception that is being handled the pending one of JavaScript. It is called inside a catch block.
void throwToJavaScript(napi_env env) noexcept;
// Makes a JavaScript error with the refusal's code and message; gives a status where Node makes none.
napi_status createError(napi_env env, const Refusal& refusal, napi_value* error);

// `what` names the value in messages: "the batch". Throws WRONG_ARGUMENT for NaN, fractions and what lies outside [least, most].
long whole(napi_env env, napi_value value, const char* what, long least, long most);
bool boolean(napi_env env, napi_value value);

napi_value fromNumber(napi_env env, double value);
napi_value fromString(napi_env env, const char* text);
napi_value null(napi_env env);
napi_value element(napi_env env, napi_value array, uint32_t index);
uint32_t lengthOf(napi_env env, napi_value array);

template <typename T>
struct Span {
  T* data;
  size_t length;
};

void* typedArray(napi_env env, napi_value value, const char* what, napi_typedarray_type type, size_t* length);

// Gives the numbers of a typed array of exactly this type. They stay where they are as long as the array is neither collected nor transferred.
template <typename T, napi_typedarray_type type>
Span<T> span(napi_env env, napi_value value, const char* what) {
  size_t length;
  void* data = typedArray(env, value, what, type, &length);
  return {static_cast<T*>(data), length};
}
inline Span<float> floats(napi_env env, napi_value value, const char* what) {
  return span<float, napi_float32_array>(env, value, what);
}
inline Span<double> doubles(napi_env env, napi_value value, const char* what) {
  return span<double, napi_float64_array>(env, value, what);
}
inline Span<unsigned char> bytes(napi_env env, napi_value value, const char* what) {
  return span<unsigned char, napi_uint8_array>(env, value, what);
}
inline Span<int> integers(napi_env env, napi_value value, const char* what) {
  return span<int, napi_int32_array>(env, value, what);
}

}  // namespace plumage
