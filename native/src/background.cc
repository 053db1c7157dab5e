// Queues work on Node's own threads, and calls back on the JavaScript thread when it has ended.
#include "background.h"

#include <memory>
#include <utility>

#include "callback.h"

namespace plumage {
namespace {

// Owns its reference and its async work from the moment that they are made.
struct Background {
  Background(napi_env env, std::function<void(Outcome&)> work) : env(env), work(std::move(work)) {}
  ~Background() {
    if (kept != nullptr) napi_delete_reference(env, kept);
    if (queued != nullptr) napi_delete_async_work(env, queued);
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  napi_env env;
  std::function<void(Outcome&)> work;
  napi_ref kept = nullptr;
  napi_async_work queued = nullptr;
  Outcome outcome;
};

void execute(napi_env, void* data) {
  Background& job = *static_cast<Background*>(data);
  try {
    job.work(job.outcome);
  } catch (...) {
    job.outcome.fail();
  }
}

void complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Background> job(static_cast<Background*>(data));
  if (status == napi_cancelled) job->outcome.status = Status::cancelled;
  callBack(env, std::exchange(job->kept, nullptr), job->outcome);
}

}  // namespace

void queueWork(napi_env env, const char* name, napi_value kept, std::function<void(Outcome&)> work) {
  auto job = std::make_unique<Background>(env, std::move(work));
  check(env, napi_create_async_work(env, nullptr, fromString(env, name), execute, complete, job.get(), &job->queued));
  check(env, napi_create_reference(env, kept, 1, &job->kept));
  check(env, napi_queue_async_work(env, job->queued));
  job.release();
}

}  // namespace plumage
