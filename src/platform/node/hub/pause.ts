/** Waiting that an abort ends at once. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Rejects with the signal's own reason when aborted. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch((error) => {
    signal?.throwIfAborted()
    throw error
  })
}
