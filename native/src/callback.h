// Tells JavaScript how work ended that was done elsewhere.
#pragma once

#include "values.h"

namespace plumage {

// `kept` refers to an array whose first element is the callback; the others are what the work read and wrote, which may not be collected
// before. Calls back with (status, value, error or undefined) and deletes the reference.
void callBack(napi_env env, napi_ref kept, const Outcome& outcome) noexcept;

}  // namespace plumage
