/** Tells of a part of a source that cannot be read. */
import type { SourceReading } from './source.js'
import { SourceError } from './source-error.js'

/** Throws `SourceError` `damaged` unless somebody is told: what is missing from a plan is missing for good. */
export function tellTrouble(
  { options }: Pick<SourceReading, 'options'>,
  label: string,
  reason: string,
): void {
  if (options.onTrouble === undefined) throw new SourceError('damaged', `${label} cannot be read: ${reason}.`)
  options.onTrouble({ label, reason })
}
