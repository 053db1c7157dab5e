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
  const channel = new MessageChannel()
  channel.port1.onmessage = () => {
    look()
    channel.port2.postMessage(null)
  }
  channel.port2.postMessage(null)
  const value = await action()
  look()
  channel.port1.close()
  return { value, longest, whole: performance.now() - started }
}
