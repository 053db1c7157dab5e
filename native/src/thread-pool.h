// Lets a fixed number of threads share one loop at a time.
//
// The indices of a loop are cut into one range for each thread. A thread takes from the front of its own range, and when that is
// empty from the back of another's: neighbouring indices stay on one core (their data in its cache), and nobody waits for a thread
// that the system has put aside. Threads without work spin briefly, then sleep: an idle pool costs nothing. Of more threads than there
// are cores only as many are woken for a loop as can run: the others would take a core from those at work to find that nothing is left.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace plumage {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return threads_; }

  // Calls body(thread, index) for every index in [0, count), the caller being thread 0. Returns when all calls have returned.
  // Once `cancelled` is set no further call begins. Two threads may not call this at once.
  //
  // The threads start with the first loop that needs them. Where the system refuses one of them, those that did start are ended and
  // Refusal `unavailable` is thrown: a pool that went on with fewer would make every speed that is told of it untrue.
  // What a body throws ends the loop and is thrown from here.
  template <typename Body>
  void run(long count, const std::atomic<bool>& cancelled, const Body& body) {
    runErased(count, cancelled, [](const void* b, int thread, long index) { (*static_cast<const Body*>(b))(thread, index); },
              &body);
  }

  // Adds up, as long as it lives, for how long the threads are at work in loops: one that waits for the others, for a processor, or to be woken, is
  // not. It begins, is asked and ends between loops. A pool without it reads no clock.
  class WorkCount {
   public:
    explicit WorkCount(ThreadPool& pool);
    ~WorkCount();
    WorkCount(const WorkCount&) = delete;
    WorkCount& operator=(const WorkCount&) = delete;
    // Gives the seconds of all threads together since it was asked the last time.
    double take();

   private:
    ThreadPool& pool_;
  };

  // Ends the threads; the next loop would start them again.
  void end();

 private:
  typedef void (*Call)(const void* body, int thread, long index);
  // Holds [begin, end) in one word, so that owner and thief agree by compare-and-swap.
  struct alignas(128) Range {
    std::atomic<uint64_t> packed{0};
    // Is for how long the thread was at work; it alone writes that during a loop.
    double seconds = 0;
  };
  void runErased(long count, const std::atomic<bool>& cancelled, Call call, const void* body);
  void work(int thread);
  void takeIndices(int thread);
  void fail();
  void workerMain(int thread);
  bool join();
  void startThreads();
  void wakeSome();

  const int threads_;
  const int wanted_;  // so many threads are enough for a loop
  std::vector<std::thread> workers_;
  std::unique_ptr<Range[]> ranges_;
  Call call_ = nullptr;
  const void* body_ = nullptr;
  const std::atomic<bool>* cancelled_ = nullptr;
  bool countsWork_ = false;

  // Counts loops; a worker looks for work when it changes.
  alignas(128) std::atomic<uint32_t> loop_{0};
  // Holds OPEN while the loop may be joined, plus the number of workers inside it.
  alignas(128) std::atomic<int> inside_{0};
  std::atomic<int> sleeping_{0};
  std::atomic<bool> callerSleeps_{false};
  // The first body that throws sets this, with what it threw.
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;
  bool stop_ = false;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
};

}  // namespace plumage
