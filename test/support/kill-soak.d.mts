export interface KillSoakOptions {
  readonly format: 'csv' | 'jsonl' | 'npy' | 'parquet' | 'features'
  /** Counts the kills. */
  readonly kills: number
  /** Counts the photos at the beginning, and those that are added whenever a run has ended by itself. */
  readonly photos?: number
  readonly more?: number
  /** Per image. */
  readonly delayMs?: number
}

export interface KillReport {
  readonly kills: number
  readonly runs: number
  readonly rows: number
  /** Counts the images that were computed again though their rows were safe. */
  readonly lost: number
  /** Counts the rows that the output has beyond one for each image. */
  readonly twice: number
  /** Says what else is not as a run that is left alone leaves it. */
  readonly problems: readonly string[]
}

export function killSoak(options: KillSoakOptions): Promise<KillReport>
