#include "callback.h"

namespace plumage {

namespace {

// Gives null where the callback could not be called.
bool tryToCall(napi_env env, napi_ref kept, const Outcome& outcome) {
  napi_value array, callback, receiver, arguments[3];
  if (napi_get_reference_value(env, kept, &array) != napi_ok || napi_get_element(env, array, 0, &callback) != napi_ok ||
      napi_get_undefined(env, &receiver) != napi_ok ||
      napi_create_int32(env, static_cast<int>(outcome.status), &arguments[0]) != napi_ok ||
      napi_create_double(env, outcome.value, &arguments[1]) != napi_ok) {
    return false;
  }
  arguments[2] = receiver;
  if (outcome.status == Status::failed && createError(env, outcome.refusal, &arguments[2]) != napi_ok) return false;
  const napi_status status = napi_call_function(env, receiver, callback, 3, arguments, nullptr);
  // What the callback itself throws is Node's to report.
  return status == napi_ok || status == napi_pending_exception;
}

}  // namespace

void callBack(napi_env env, napi_ref kept, const Outcome& outcome) noexcept {
  // Somebody waits for this call and hears of nothing else, so it is tried again where Node could not make it at once.
  for (int attempt = 0; attempt < 3; attempt++) {
    if (tryToCall(env, kept, outcome)) break;
  }
  napi_delete_reference(env, kept);
}

}  // namespace plumage
