/** The controls bring photos in, and choose what is shown and computed of them. */
import type { RefObject } from 'preact'

/** Counts the places a side that are looked at: more take longer, and show smaller things. */
const DETAILS: readonly (readonly [number, string])[] = [
  [12, 'coarse'],
  [16, 'medium'],
  [24, 'fine'],
]

export interface Settings {
  /** Says how much of the colours is seen, 0 to 1. */
  readonly blend: number
  /** Counts the places a side; null is as many as the model was trained with. */
  readonly detail: number | null
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
        Add photos
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
      {hasPhotos && (
        <>
          <Choices settings={settings} onSettings={onSettings} />
          <button type="button" class="quiet" onClick={onClear}>
            Remove all
          </button>
        </>
      )}
    </section>
  )
}

function Choices({ settings, onSettings }: Pick<Props, 'settings' | 'onSettings'>) {
  const { blend, detail } = settings
  return (
    <>
      <label class="slide">
        <span>Photo</span>
        <input
          type="range"
          aria-label="How much of the colours is seen"
          min={0}
          max={1}
          step={0.05}
          value={blend}
          onInput={({ currentTarget }) => onSettings({ ...settings, blend: Number(currentTarget.value) })}
        />
        <span>Colours</span>
      </label>
      <label class="select">
        Detail
        <select
          value={detail ?? ''}
          onChange={({ currentTarget: { value } }) =>
            onSettings({ ...settings, detail: value === '' ? null : Number(value) })
          }
        >
          {detail === null && <option value="">as trained</option>}
          {DETAILS.map(([side, label]) => (
            <option key={side} value={side}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </>
  )
}
