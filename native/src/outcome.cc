#include "outcome.h"

#include <cstdarg>
#include <cstdio>
#include <new>

namespace plumage {

Refusal::Refusal(const char* code, const char* format, ...) : code_(code) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message_, sizeof message_, format, arguments);
  va_end(arguments);
}

Refusal currentRefusal() noexcept {
  try {
    throw;
  } catch (const Refusal& refusal) {
    return refusal;
  } catch (const std::bad_alloc&) {
    return Refusal("out-of-memory", "The system refuses memory. Free some, or run less at once.");
  } catch (const std::exception& error) {
    return Refusal(FAILED, "The native engine failed: %s.", error.what());
  } catch (...) {
    return Refusal(FAILED, "The native engine failed, and does not say why.");
  }
}

void Outcome::fail() noexcept {
  status = Status::failed;
  refusal = currentRefusal();
}

}  // namespace plumage
