/** Says what BullMQ's queues on Redis and on PostgreSQL differ in: how one connects, and whose clock judges locks. */
import type { BackendFactory, ConnectionOptions } from 'bullmq'

export interface QueueServer {
  /** Makes what BullMQ asks of the server, from `connection`. */
  readonly backend: BackendFactory
  readonly connection: ConnectionOptions
  /** Compares the clocks. Rejects with `QueueError` `clock` where this machine's is too far from the server's and locks rest on it. */
  readonly checkClock: () => Promise<void>
  /** Says, in milliseconds, how far this machine's clock was ahead of the server's when they were compared; less than nought where it was behind. */
  readonly aheadMs: () => number
  /** Names some of the parts below a key of those that are kept back whose time has come, in milliseconds of the server; is null where clocks agree. */
  readonly dueParts: ((key: string, nowMs: number) => Promise<readonly string[]>) | null
  /** Ends all connections, and waits for nothing that does not answer. */
  end(): void
}

/** Is how long one answer is waited for before the connection counts as lost. */
export const ANSWER_MS = 10_000
