// Finds out what this machine and this process may use.
#pragma once

#include <string>
#include <vector>

#include "kernels.h"

namespace plumage {

// Lists the kernels that can run here, fastest first.
std::vector<const Kernels*> availableKernels();
// Counts the cores that the process may keep busy: its affinity, limited by the quota of its control groups (v1 or v2).
int availableCores();
// Gives the bytes of second-level cache of a core, or a cautious guess.
long levelTwoCacheBytes();
// Results below 1e-38 become 0 on this thread: subnormal numbers cost a hundred times as much.
void flushSubnormals();
// Counts the seconds for which this thread has had a processor: other work on the machine does not change what it adds up to.
double processorSeconds();

}  // namespace plumage
