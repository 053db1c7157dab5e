// What this processor and this process may use.
#pragma once
#include <string>
#include <vector>

namespace plumage {

enum class InstructionSet { generic, avx2, avx512 };

// Fastest first; only those that processor and operating system support and that this build contains.
std::vector<InstructionSet> supportedInstructionSets();
const char* nameOf(InstructionSet set);

// Cores that the process may run on: its affinity, and the quota of its control group, rounded up; at least 1.
int availableThreads();

}  // namespace plumage
