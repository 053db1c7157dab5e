// Work on Node's own threads, for what needs no engine.
#pragma once

#include <functional>

#include "outcome.h"
#include "values.h"

namespace plumage {

// Has `work` done and `kept` called back (callback.h), which keeps its arrays alive meanwhile. What `work` throws fails the outcome.
void queueWork(napi_env env, const char* name, napi_value kept, std::function<void(Outcome&)> work);

}  // namespace plumage
