export interface CollectionKillReport {
  readonly kills: number
  readonly runs: number
  readonly rows: number
  /** Counts the labelled photos that were compared. */
  readonly labels: number
  /** Is the size of the folder by that of a fresh one. */
  readonly ratio: number
  readonly problems: readonly string[]
}

/** Kills what writes to a collection at random moments. */
export function killCollection(options: {
  readonly kills: number
  readonly photos?: number
}): Promise<CollectionKillReport>
