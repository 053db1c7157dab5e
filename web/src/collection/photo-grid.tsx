/** Shows photos as buttons: choosing one looks for what is like it. */
import type { ShownPhoto } from './tab-collection.js'

interface Props {
  readonly photos: readonly ShownPhoto[]
  /** Is the photo that was chosen; null where none was. */
  readonly chosen: string | null
  onChoose(photo: ShownPhoto): void
}

export function PhotoGrid({ photos, chosen, onChoose }: Props) {
  return (
    <ul class="photos">
      {photos.map((photo) => (
        <li key={photo.id}>
          <button
            type="button"
            aria-pressed={photo.id === chosen}
            title={photo.path}
            onClick={() => onChoose(photo)}
          >
            {photo.preview === '' ? (
              <span class="blank" />
            ) : (
              <img src={photo.preview} alt="" loading="lazy" decoding="async" />
            )}
            <span class="name">{photo.path.replace(/.*\//, '')}</span>
            {photo.similarity !== null && <span class="likeness">{photo.similarity.toFixed(3)}</span>}
          </button>
        </li>
      ))}
    </ul>
  )
}
