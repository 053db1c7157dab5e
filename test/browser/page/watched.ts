/** Timers of pages come no sooner. */
const LOOK_MS = 4

/** Runs something, and tells the longest time that the page could not do anything else meanwhile, milliseconds. */
export async function watched<T>(
  action: () => Promise<T>,
): Promise<{ value: T; longest: number; whole: number }> {
  let longest = 0
  const started = performance.now()
  let last = started
  const look = () => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }
  // It only looks now and then: a page that never stops looking would keep a core from what is watched.
  const timer = setInterval(look, LOOK_MS)
  const value = await action()
  look()
  clearInterval(timer)
  return { value, longest, whole: performance.now() - started }
}
