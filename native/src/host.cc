#include "host.h"

#include <cstring>

#include "callback.h"
#include "cpu.h"

namespace plumage {

namespace {

// Keeps a reference until it is handed on.
class Reference {
 public:
  Reference(napi_env env, napi_value value) : env_(env) { check(env, napi_create_reference(env, value, 1, &reference_)); }
  ~Reference() {
    if (reference_ != nullptr) napi_delete_reference(env_, reference_);
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  napi_ref get() const { return reference_; }
  void handOn() { reference_ = nullptr; }

 private:
  napi_env env_;
  napi_ref reference_ = nullptr;
};

// Runs on the engine's thread and takes no memory there. Node's queue may refuse for a moment; the caller hears of nothing else.
void send(napi_threadsafe_function report, std::shared_ptr<Job> job) noexcept {
  Job* data = job.get();
  data->self = std::move(job);
  for (int attempt = 0; attempt < 3; attempt++) {
    const napi_status status = napi_call_threadsafe_function(report, data, napi_tsfn_nonblocking);
    if (status == napi_ok) return;
    if (status == napi_closing) break;
  }
  const std::shared_ptr<Job> dropped = std::move(data->self);
}

}  // namespace

std::shared_ptr<Host> Host::create(napi_env env, const Kernels& kernels, int threads) {
  // Whatever has been made when something fails is taken back by the destructor.
  std::shared_ptr<Host> host(new Host(env));
  check(env, napi_create_threadsafe_function(env, nullptr, nullptr, fromString(env, "plumage"), 0, 1, nullptr, nullptr, host.get(), deliver,
                                             &host->report_));
  check(env, napi_unref_threadsafe_function(env, host->report_));
  const napi_threadsafe_function report = host->report_;
  host->engine_ = std::make_unique<Engine>(kernels, threads, [report](std::shared_ptr<Job> job) { send(report, std::move(job)); });
  check(env, napi_add_env_cleanup_hook(env, atEnvironmentEnd, host.get()));
  host->hooked_ = true;
  return host;
}

Host::~Host() { shutDown(); }

void Host::atEnvironmentEnd(void* data) {
  Host* host = static_cast<Host*>(data);
  // The hook is running, so that there is none to be taken away.
  host->hooked_ = false;
  host->shutDown();
}

// Ends threads and the way back; it may be called again.
void Host::shutDown() {
  if (engine_ != nullptr) engine_->stop();
  engine_.reset();
  if (hooked_) napi_remove_env_cleanup_hook(env_, atEnvironmentEnd, this);
  hooked_ = false;
  if (report_ != nullptr) napi_release_threadsafe_function(report_, napi_tsfn_abort);
  report_ = nullptr;
  if (const std::shared_ptr<Arena> arena = arena_.lock()) arena->giveBack();
}

Engine& Host::engine() const {
  if (engine_ == nullptr || releasing_) throw Refusal("disposed", "This engine has been disposed of. Make another to go on.");
  return *engine_;
}

std::shared_ptr<Job> Host::prepare(napi_env env, napi_value handle, napi_value kept, std::function<void(Job&)> work) {
  check(env, napi_set_element(env, kept, lengthOf(env, kept), handle));
  auto job = std::make_shared<Job>();
  job->work = std::move(work);
  return job;
}

napi_value Host::submit(napi_env env, napi_value handle, napi_value kept, std::function<void(Job&)> work) {
  Engine& engine = this->engine();
  const std::shared_ptr<Job> job = prepare(env, handle, kept, std::move(work));
  const napi_value result = makeHandle(env, job);
  Reference reference(env, kept);
  job->reference = reference.get();
  if (jobsUnderWay_ == 0) check(env, napi_ref_threadsafe_function(env, report_));
  try {
    engine.submit(job);
  } catch (...) {
    if (jobsUnderWay_ == 0) napi_unref_threadsafe_function(env, report_);
    throw;
  }
  jobsUnderWay_++;
  reference.handOn();
  return result;
}

void Host::release(napi_env env, napi_value handle, napi_value kept) {
  Engine& engine = this->engine();
  const std::shared_ptr<Job> job = prepare(env, handle, kept, [&engine](Job&) { engine.pool().end(); });
  Reference reference(env, kept);
  job->reference = reference.get();
  if (jobsUnderWay_ == 0) check(env, napi_ref_threadsafe_function(env, report_));
  last_ = job;
  releasing_ = true;
  jobsUnderWay_++;
  reference.handOn();
  // Without a thread there is nothing to wait for.
  if (!engine.finish(job)) settle(env, *job);
}

// Runs on the JavaScript thread, once for each job. Without an environment nobody listens any more.
void Host::deliver(napi_env env, napi_value, void* context, void* data) {
  const std::shared_ptr<Job> job = std::move(static_cast<Job*>(data)->self);
  if (env != nullptr) static_cast<Host*>(context)->settle(env, *job);
}

void Host::settle(napi_env env, const Job& job) {
  if (--jobsUnderWay_ == 0) napi_unref_threadsafe_function(env, report_);
  if (&job == last_.get()) {
    shutDown();
    last_.reset();
  }
  reportArena(env);
  callBack(env, static_cast<napi_ref>(job.reference), job.outcome);
}

std::shared_ptr<Arena> Host::arena() {
  std::shared_ptr<Arena> arena = arena_.lock();
  if (arena == nullptr) {
    arena = std::make_shared<Arena>();
    arena_ = arena;
  }
  return arena;
}

void Host::reportArena(napi_env env) {
  const std::shared_ptr<Arena> arena = arena_.lock();
  const long bytes = arena == nullptr ? 0 : static_cast<long>(arena->bytes());
  adjustExternalMemory(env, bytes - reportedArena_);
  reportedArena_ = bytes;
}

const Kernels& kernelsNamed(napi_env env, napi_value name) {
  char wanted[32];
  size_t length;
  check(env, napi_get_value_string_utf8(env, name, wanted, sizeof wanted, &length));
  for (const Kernels* kernels : availableKernels()) {
    if (std::strcmp(wanted, kernels->name) == 0) return *kernels;
  }
  throw Refusal(WRONG_ARGUMENT, "This processor does not run the instruction set %s.", wanted);
}

const Product& productOf(napi_env env, const Host& host, napi_value precision) {
  const Product* product = host.kernels().products[whole(env, precision, "The precision", 0, PRECISIONS - 1)];
  if (product == nullptr) throw Refusal(WRONG_ARGUMENT, "The instruction set %s has no products of this precision.", host.kernels().name);
  return *product;
}

}  // namespace plumage
