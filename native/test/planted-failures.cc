// Lets the system fail on purpose, for test/native/planted-failures.test.ts: the n-th memory, mapping, thread or call of Node-API that the addon
// asks for is refused, once.
//
// Only `node scripts/build-native.mjs --planted` links this file. The linker's --wrap leads every use of a name below to __wrap_name here, so
// that the addon's own objects stay the very ones that are shipped.
#include <node_api.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <new>
#include <system_error>

namespace {

enum Kind : int { MEMORY, MAPPING, THREAD, CALL, KINDS };

// Counts what is left until the failure; it is 0 where none is planted, or it has been met.
std::atomic<long> left[KINDS];
std::atomic<bool> met{false};

bool fails(Kind kind) {
  if (left[kind].load() == 0 || left[kind].fetch_sub(1) != 1) return false;
  met.store(true);
  return true;
}

// plantFailure(kind, n): the n-th from now on fails.
napi_value plantFailure(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t count = 2;
  int kind = 0, n = 0;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  napi_get_value_int32(env, arguments[0], &kind);
  napi_get_value_int32(env, arguments[1], &n);
  met.store(false);
  left[kind].store(n);
  return nullptr;
}

// failureMet() -> whether it has come; from now on none does.
napi_value failureMet(napi_env env, napi_callback_info) {
  for (std::atomic<long>& one : left) one.store(0);
  napi_value result;
  napi_get_boolean(env, met.load(), &result);
  return result;
}

void define(napi_env env, napi_value exports, const char* name, napi_callback function) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
  napi_set_named_property(env, exports, name, value);
}

}  // namespace

extern "C" {

// This wraps plumage::defineEngines: what the addon exports gets the two functions above as well.
void __real__ZN7plumage13defineEnginesEP10napi_env__P12napi_value__(napi_env, napi_value);
void __wrap__ZN7plumage13defineEnginesEP10napi_env__P12napi_value__(napi_env env, napi_value exports) {
  __real__ZN7plumage13defineEnginesEP10napi_env__P12napi_value__(env, exports);
  define(env, exports, "plantFailure", plantFailure);
  define(env, exports, "failureMet", failureMet);
}

// These are the four forms of operator new.
void* __real__Znwm(size_t);
void* __wrap__Znwm(size_t bytes) {
  if (fails(MEMORY)) throw std::bad_alloc();
  return __real__Znwm(bytes);
}
void* __real__Znam(size_t);
void* __wrap__Znam(size_t bytes) {
  if (fails(MEMORY)) throw std::bad_alloc();
  return __real__Znam(bytes);
}
void* __real__ZnwmSt11align_val_t(size_t, std::align_val_t);
void* __wrap__ZnwmSt11align_val_t(size_t bytes, std::align_val_t alignment) {
  if (fails(MEMORY)) throw std::bad_alloc();
  return __real__ZnwmSt11align_val_t(bytes, alignment);
}
void* __real__ZnamSt11align_val_t(size_t, std::align_val_t);
void* __wrap__ZnamSt11align_val_t(size_t bytes, std::align_val_t alignment) {
  if (fails(MEMORY)) throw std::bad_alloc();
  return __real__ZnamSt11align_val_t(bytes, alignment);
}

void* __real_mmap(void*, size_t, int, int, int, off_t);
void* __wrap_mmap(void* at, size_t bytes, int protection, int flags, int file, off_t offset) {
  if (!fails(MAPPING)) return __real_mmap(at, bytes, protection, flags, file, offset);
  errno = ENOMEM;
  return MAP_FAILED;
}

// The constructor of std::thread calls this, std::thread::_M_start_thread of libstdc++.
void __real__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(void*, void*, void (*)());
void __wrap__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(void* thread, void* state, void (*f)()) {
  if (fails(THREAD)) throw std::system_error(EAGAIN, std::generic_category());
  __real__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(thread, state, f);
}

// Calls that only take something back are not among these: they cannot be refused.
#define PLANTED(name, parameters, arguments)                                  \
  napi_status __real_##name parameters;                                       \
  napi_status __wrap_##name parameters {                                      \
    return fails(CALL) ? napi_generic_failure : __real_##name arguments;      \
  }

PLANTED(napi_get_cb_info, (napi_env e, napi_callback_info i, size_t* n, napi_value* a, napi_value* t, void** d), (e, i, n, a, t, d))
PLANTED(napi_typeof, (napi_env e, napi_value v, napi_valuetype* r), (e, v, r))
PLANTED(napi_get_value_double, (napi_env e, napi_value v, double* r), (e, v, r))
PLANTED(napi_get_value_bool, (napi_env e, napi_value v, bool* r), (e, v, r))
PLANTED(napi_get_value_string_utf8, (napi_env e, napi_value v, char* b, size_t s, size_t* r), (e, v, b, s, r))
PLANTED(napi_get_value_external, (napi_env e, napi_value v, void** r), (e, v, r))
PLANTED(napi_get_typedarray_info,
        (napi_env e, napi_value v, napi_typedarray_type* t, size_t* n, void** d, napi_value* b, size_t* o), (e, v, t, n, d, b, o))
PLANTED(napi_get_array_length, (napi_env e, napi_value v, uint32_t* r), (e, v, r))
PLANTED(napi_get_element, (napi_env e, napi_value v, uint32_t i, napi_value* r), (e, v, i, r))
PLANTED(napi_set_element, (napi_env e, napi_value v, uint32_t i, napi_value x), (e, v, i, x))
PLANTED(napi_set_named_property, (napi_env e, napi_value v, const char* n, napi_value x), (e, v, n, x))
PLANTED(napi_create_double, (napi_env e, double v, napi_value* r), (e, v, r))
PLANTED(napi_create_int32, (napi_env e, int32_t v, napi_value* r), (e, v, r))
PLANTED(napi_create_string_utf8, (napi_env e, const char* s, size_t n, napi_value* r), (e, s, n, r))
PLANTED(napi_create_object, (napi_env e, napi_value* r), (e, r))
PLANTED(napi_create_array, (napi_env e, napi_value* r), (e, r))
PLANTED(napi_get_null, (napi_env e, napi_value* r), (e, r))
PLANTED(napi_get_undefined, (napi_env e, napi_value* r), (e, r))
PLANTED(napi_create_external, (napi_env e, void* d, napi_finalize f, void* h, napi_value* r), (e, d, f, h, r))
PLANTED(napi_type_tag_object, (napi_env e, napi_value v, const napi_type_tag* t), (e, v, t))
PLANTED(napi_check_object_type_tag, (napi_env e, napi_value v, const napi_type_tag* t, bool* r), (e, v, t, r))
PLANTED(napi_create_reference, (napi_env e, napi_value v, uint32_t n, napi_ref* r), (e, v, n, r))
PLANTED(napi_get_reference_value, (napi_env e, napi_ref f, napi_value* r), (e, f, r))
PLANTED(napi_call_function, (napi_env e, napi_value t, napi_value f, size_t n, const napi_value* a, napi_value* r), (e, t, f, n, a, r))
PLANTED(napi_create_threadsafe_function,
        (napi_env e, napi_value f, napi_value x, napi_value n, size_t q, size_t c, void* d, napi_finalize z, void* k,
         napi_threadsafe_function_call_js j, napi_threadsafe_function* r),
        (e, f, x, n, q, c, d, z, k, j, r))
PLANTED(napi_ref_threadsafe_function, (node_api_basic_env e, napi_threadsafe_function f), (e, f))
PLANTED(napi_call_threadsafe_function, (napi_threadsafe_function f, void* d, napi_threadsafe_function_call_mode m), (f, d, m))
PLANTED(napi_add_env_cleanup_hook, (node_api_basic_env e, napi_cleanup_hook f, void* a), (e, f, a))
PLANTED(napi_create_async_work,
        (napi_env e, napi_value x, napi_value n, napi_async_execute_callback f, napi_async_complete_callback c, void* d, napi_async_work* r),
        (e, x, n, f, c, d, r))
PLANTED(napi_queue_async_work, (node_api_basic_env e, napi_async_work w), (e, w))
}
