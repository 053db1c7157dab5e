/** Shows what the encoder is doing, and says it to those who cannot see it. */
import type { EncoderStatus } from './encode-waiting.js'
import type { Photo } from './photo.js'

interface Props {
  readonly status: EncoderStatus
  readonly photos: readonly Photo[]
  onRetry(): void
}

export function Status({ status, photos, onRetry }: Props) {
  const { kind, text, loaded, done, total, rate } = status
  if (kind === 'failed') {
    return (
      <div class="status failed">
        <span role="alert">{text}</span>
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      </div>
    )
  }
  if (kind === 'loading') {
    return (
      <div class="status">
        <span>Loading the model {loaded === null ? '' : `${Math.round(loaded * 100)} %`}</span>
        <progress max={1} {...(loaded === null ? {} : { value: loaded })} aria-label="Model" />
      </div>
    )
  }
  return (
    <div class="status">
      <span class="engine">{text}</span>
      {kind === 'encoding' && <progress max={total} value={done} aria-label="Photos" />}
      <span class="rate">
        {kind === 'encoding' ? `${done} of ${total}` : describeOutcome(photos) || 'Ready'}
        {rate !== null && `, ${rate < 10 ? rate.toFixed(1) : Math.round(rate)} photos/s`}
      </span>
    </div>
  )
}

/** Speaks to those who cannot see the line of the status: once when something begins and once when it is done. */
export function describeState({ kind, total }: EncoderStatus, photos: readonly Photo[]): string {
  if (kind === 'loading') return 'Loading the model.'
  if (kind === 'failed') return '' // An alert says it.
  if (kind === 'encoding') return total === 1 ? 'Computing.' : 'Computing photos.'
  const outcome = describeOutcome(photos)
  return outcome === '' ? 'Ready.' : `Photos: ${outcome}.`
}

/** Says how many are done and how many cannot be; it is empty where there are none. */
function describeOutcome(photos: readonly Photo[]): string {
  const done = photos.filter(({ features }) => features !== null).length
  const failed = photos.filter(({ problem }) => problem !== null).length
  return [done > 0 ? `${done} done` : '', failed > 0 ? `${failed} failed` : '']
    .filter((part) => part !== '')
    .join(', ')
}
