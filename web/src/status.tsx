/** Shows what the encoder is doing, and says it to those who cannot see it; what computes is told to those who ask. */
import type { EncoderStatus } from './encode-waiting.js'
import type { Photo } from './photo.js'

interface Props {
  readonly status: EncoderStatus
  readonly photos: readonly Photo[]
  /** Names the visitor's own model, where one was given. */
  readonly ownModel: string | null
  onRetry(): void
  onModel(files: FileList | null): void
  onPageModel(): void
}

export function Status(props: Props) {
  return (
    <div class="status">
      <Now {...props} />
      <How {...props} />
    </div>
  )
}

function Now({ status, photos, onRetry }: Props) {
  const { kind, text, loaded, done, total } = status
  if (kind === 'failed') {
    return (
      <span class="failed">
        <span role="alert">{text}</span>{' '}
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      </span>
    )
  }
  if (kind === 'loading') {
    return (
      <>
        <span>
          {loaded === null || loaded === 1
            ? 'Starting …'
            : `Fetching the model, once: ${Math.round(loaded * 100)} %`}
        </span>
        <progress max={1} {...(loaded === null ? {} : { value: loaded })} aria-label="Model" />
      </>
    )
  }
  return (
    <>
      {kind === 'encoding' && <progress max={total} value={done} aria-label="Photos" />}
      <span>{kind === 'encoding' ? `${done} of ${total}` : describeOutcome(photos) || 'Ready'}</span>
    </>
  )
}

/** Tells what computes, and takes a model of the visitor's own. */
function How({ status: { how, rate }, ownModel, onModel, onPageModel }: Props) {
  return (
    <details class="how">
      <summary>How?</summary>
      <div class="panel">
        <p>
          A vision transformer runs in this tab and describes every place of a photo by {how?.width ?? 'some'}{' '}
          numbers. Places that show alike things have alike numbers; their colours follow from these, fitted
          to all photos together. Nothing is uploaded.
        </p>
        {how !== null && (
          <dl>
            <dt>Model</dt>
            <dd>{how.identity.model}</dd>
            <dt>Computed by</dt>
            <dd class="engine">
              {how.identity.engine}, {how.identity.precision}
            </dd>
            <dt>Input</dt>
            <dd>
              {how.size[1]} × {how.size[0]} pixels, {how.size[1] / how.patchSize} ×{' '}
              {how.size[0] / how.patchSize} places
            </dd>
            {rate !== null && (
              <>
                <dt>Speed</dt>
                <dd>{rate < 10 ? rate.toFixed(1) : Math.round(rate)} photos a second</dd>
              </>
            )}
          </dl>
        )}
        <label class="button">
          Use a model of your own
          <input
            type="file"
            accept=".safetensors,.pt,.pth,.bin,.json"
            multiple
            onChange={({ currentTarget }) => {
              onModel(currentTarget.files)
              currentTarget.value = ''
            }}
          />
        </label>
        {ownModel !== null && (
          <button type="button" onClick={onPageModel}>
            Back to the page's model
          </button>
        )}
      </div>
    </details>
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
