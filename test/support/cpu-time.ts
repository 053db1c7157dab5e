/** Measures processor time, for tests of how much work something does: unlike the clock's, other programs on the machine do not change it. */

/** Returns the seconds that all threads of this process have computed since `process.cpuUsage()` gave `since`. */
export function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1e6
}
