// Holds how work ended, and errors on their way to JavaScript. Nothing here takes memory, so that it can tell where there is none.
#pragma once

#include <exception>

namespace plumage {

// JavaScript sees the code of this error: one of EngineErrorCode in src/engine/engine-error.ts, WRONG_ARGUMENT or FAILED.
class Refusal : public std::exception {
 public:
  Refusal(const char* code, const char* format, ...) __attribute__((format(printf, 3, 4)));
  const char* code() const noexcept { return code_; }
  const char* what() const noexcept override { return message_; }

 private:
  const char* code_;
  char message_[256];
};

// Becomes a TypeError: the caller handed over what cannot be right. It is one object for all files, because codes are compared by address.
inline constexpr char WRONG_ARGUMENT[] = "wrong-argument";
// A file does not give what it should. JavaScript reads it once more in its own way, which says why.
inline constexpr char UNREADABLE[] = "unreadable";
// Nobody foresaw this one.
inline constexpr char FAILED[] = "failed";

// Describes the exception that is being handled, whatever it is. It is called inside a catch block.
Refusal currentRefusal() noexcept;

// The numbers are known to src/engine/native/addon.ts.
enum class Status : int { done, cancelled, outOfMemory, failed };

struct Outcome {
  Status status = Status::done;
  // Holds a measured value; in outOfMemory the bytes that were wanted.
  double value = 0;
  // Only `failed` has one.
  Refusal refusal{FAILED, "%s", ""};

  // Takes over the exception that is being handled.
  void fail() noexcept;
};

}  // namespace plumage
