#include "values.h"

#include <cmath>

namespace plumage {

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) throw Pending();
  // Everything up to the last of the "expected" statuses says that the caller handed over another kind of value.
  if (status <= napi_array_expected) throw Refusal(WRONG_ARGUMENT, "The native engine was handed a value of the wrong kind.");
  throw Refusal(FAILED, "Node refused the native engine a call (Node-API status %d).", static_cast<int>(status));
}

napi_status createError(napi_env env, const Refusal& refusal, napi_value* error) {
  napi_value code, message;
  napi_status status = napi_create_string_utf8(env, refusal.code(), NAPI_AUTO_LENGTH, &code);
  if (status == napi_ok) status = napi_create_string_utf8(env, refusal.what(), NAPI_AUTO_LENGTH, &message);
  if (status != napi_ok) return status;
  return refusal.code() == WRONG_ARGUMENT ? napi_create_type_error(env, code, message, error) : napi_create_error(env, code, message, error);
}

void throwToJavaScript(napi_env env) noexcept {
  try {
    throw;
  } catch (const Pending&) {
    return;
  } catch (...) {
    const Refusal refusal = currentRefusal();
    if (refusal.code() == WRONG_ARGUMENT) {
      napi_throw_type_error(env, refusal.code(), refusal.what());
    } else {
      napi_throw_error(env, refusal.code(), refusal.what());
    }
  }
}

long whole(napi_env env, napi_value value, const char* what, long least, long most) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) throw Refusal(WRONG_ARGUMENT, "%s must be a number.", what);
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) || number != std::floor(number)) {
    throw Refusal(WRONG_ARGUMENT, "%s must be a whole number from %ld to %ld, not %g.", what, least, most, number);
  }
  return static_cast<long>(number);
}

bool boolean(napi_env env, napi_value value) {
  bool result;
  check(env, napi_get_value_bool(env, value, &result));
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

napi_value null(napi_env env) {
  napi_value result;
  check(env, napi_get_null(env, &result));
  return result;
}

napi_value element(napi_env env, napi_value array, uint32_t index) {
  napi_value result;
  check(env, napi_get_element(env, array, index, &result));
  return result;
}

uint32_t lengthOf(napi_env env, napi_value array) {
  uint32_t length;
  check(env, napi_get_array_length(env, array, &length));
  return length;
}

void* typedArray(napi_env env, napi_value value, const char* what, napi_typedarray_type type, size_t* length) {
  napi_typedarray_type found;
  void* data;
  if (napi_get_typedarray_info(env, value, &found, length, &data, nullptr, nullptr) != napi_ok || found != type) {
    throw Refusal(WRONG_ARGUMENT, "%s must be a typed array of another kind.", what);
  }
  return data;
}

}  // namespace plumage
