export interface FinishKillReport {
  readonly kills: number
  readonly runs: number
  /** Counts the folders of collections that were made from the beginning. */
  readonly folders: number
  /** Is the size of the largest of them by that of one that was made at once. */
  readonly ratio: number
  readonly problems: readonly string[]
}

/** Kills what makes collections of a job at random moments. */
export function killFinish(options: {
  readonly kills: number
  readonly rows?: number
}): Promise<FinishKillReport>
