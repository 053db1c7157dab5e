/** The controls bring photos in, and choose what is shown and computed of them. */
import type { RefObject } from 'preact'
import type { View } from './draw-photo.js'
import type { Level } from './photo.js'

const VIEWS: readonly (readonly [View, string])[] = [
  ['photo', 'Photo'],
  ['both', 'Both'],
  ['map', 'PCA map'],
]

/** The input may have so many patches a side. The mini model was trained with 8. */
const DETAILS = [8, 16, 24]

export interface Settings {
  readonly view: View
  /** Counts the input's patches a side. */
  readonly detail: number
  readonly level: Level
}

interface Props {
  readonly chooser: RefObject<HTMLInputElement | null>
  readonly settings: Settings
  readonly hasPhotos: boolean
  onFiles(files: FileList | null): void
  onExamples(): void
  onSettings(settings: Settings): void
  onClear(): void
}

export function Controls({ chooser, settings, hasPhotos, onFiles, onExamples, onSettings, onClear }: Props) {
  return (
    <section class="controls" aria-label="Controls">
      <label class="button primary">
        Choose photos
        <input
          ref={chooser}
          type="file"
          accept="image/*"
          multiple
          onChange={({ currentTarget }) => {
            onFiles(currentTarget.files)
            currentTarget.value = ''
          }}
        />
      </label>
      <button type="button" onClick={onExamples}>
        Add the examples
      </button>
      <Choices settings={settings} onSettings={onSettings} />
      {hasPhotos && (
        <button type="button" class="quiet" onClick={onClear}>
          Remove all
        </button>
      )}
    </section>
  )
}

function Choices({ settings, onSettings }: Pick<Props, 'settings' | 'onSettings'>) {
  const { view, detail, level } = settings
  return (
    <>
      <fieldset class="choice">
        <legend>Show</legend>
        {VIEWS.map(([value, label]) => (
          <label key={value}>
            <input
              type="radio"
              name="view"
              checked={view === value}
              onChange={() => onSettings({ ...settings, view: value })}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <label class="select">
        Patches
        <select
          value={detail}
          onChange={({ currentTarget }) => onSettings({ ...settings, detail: Number(currentTarget.value) })}
        >
          {DETAILS.map((side) => (
            <option key={side} value={side}>
              {side} × {side}
            </option>
          ))}
        </select>
      </label>
      <label class="select">
        Layer
        <select
          value={level}
          onChange={({ currentTarget }) => onSettings({ ...settings, level: currentTarget.value as Level })}
        >
          <option value="objects">9 of 12: things</option>
          <option value="meaning">last: the whole</option>
        </select>
      </label>
    </>
  )
}
