/** Chooses among the engines and precisions that keep their promise. */
import type { MeasuredRow, ModelRow } from './verified-model.js'

/** Times so near to each other are one: the next run may turn them round. */
const ALIKE = 1.05

/** Gives the fastest whose promise is kept, and of those as fast the one that promises most; null where none keeps it. */
export function recommend(rows: readonly ModelRow[]): MeasuredRow | null {
  const kept = rows.filter((row): row is MeasuredRow => row.kind === 'measured' && row.isKept)
  const fastest = Math.min(...kept.map(({ seconds }) => seconds))
  const [best] = kept
    .filter(({ seconds }) => seconds <= ALIKE * fastest)
    .sort((a, b) => b.promise - a.promise || a.seconds - b.seconds)
  return best ?? null
}
