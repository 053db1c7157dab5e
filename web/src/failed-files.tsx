/** Lists files that could not be opened, each with the reason. They stand apart, so that the photos have no holes among them. */
import type { Photo } from './photo.js'

interface Props {
  readonly photos: readonly Photo[]
  onRemove(id: number): void
}

export function FailedFiles({ photos, onRemove }: Props) {
  const failed = photos.filter(({ problem }) => problem !== null)
  if (failed.length === 0) return null
  return (
    <section class="failed-files" aria-label="Files that could not be opened">
      <h2>{failed.length === 1 ? 'One file' : `${failed.length} files`} could not be opened</h2>
      <ul>
        {failed.map(({ id, name, problem }) => (
          <li key={id}>
            <span class="problem">
              <b>{name}</b>: {problem}
            </span>
            <button type="button" class="quiet" aria-label={`Remove ${name}`} onClick={() => onRemove(id)}>
              ×
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
