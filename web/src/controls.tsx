/** The controls bring photos in, and choose what is shown and computed of them. */
import type { RefObject } from 'preact'

/** Counts the places a side that are looked at: more take longer, and show smaller things. */
const DETAILS: readonly (readonly [number, string])[] = [
  [12, 'coarse'],
  [16, 'medium'],
  [24, 'fine'],
]

/** Is what is shown over photos while no place is looked for. */
export type View = 'colors' | 'attention' | 'objects'

const VIEWS: readonly (readonly [View, string])[] = [
  ['colors', 'Colours'],
  ['attention', 'Attention'],
  ['objects', 'Objects'],
]

export interface Settings {
  readonly view: View
  /** Counts the heads before the one whose attention is shown; null shows the mean of all. */
  readonly head: number | null
  /** Says how much of the colours is seen, 0 to 1. */
  readonly blend: number
  /** Counts the places a side; null is as many as the model was trained with. */
  readonly detail: number | null
}

interface Props {
  readonly chooser: RefObject<HTMLInputElement | null>
  readonly settings: Settings
  readonly hasPhotos: boolean
  /** Counts the heads that look at photos; 0 where nothing does. */
  readonly heads: number
  onFiles(files: FileList | null): void
  onExamples(): void
  onSettings(settings: Settings): void
  onClear(): void
}

export function Controls(props: Props) {
  const { chooser, settings, hasPhotos, heads, onFiles, onExamples, onSettings, onClear } = props
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
          <Views settings={settings} heads={heads} onSettings={onSettings} />
          {settings.view === 'attention' && (
            <Heads settings={settings} heads={heads} onSettings={onSettings} />
          )}
          <Choices settings={settings} onSettings={onSettings} />
          <button type="button" class="quiet" onClick={onClear}>
            Remove all
          </button>
        </>
      )}
    </section>
  )
}

function Views({ settings, heads, onSettings }: Pick<Props, 'settings' | 'heads' | 'onSettings'>) {
  return (
    <fieldset class="views">
      <legend class="sound">Show</legend>
      {VIEWS.filter(([view]) => view !== 'attention' || heads > 0).map(([view, label]) => (
        <label key={view}>
          <input
            type="radio"
            name="view"
            checked={settings.view === view}
            onChange={() => onSettings({ ...settings, view })}
          />
          {label}
        </label>
      ))}
    </fieldset>
  )
}

/** Shows a head while the pointer is on it, or when it is chosen. */
function Heads({ settings, heads, onSettings }: Pick<Props, 'settings' | 'heads' | 'onSettings'>) {
  const choices = [null, ...Array.from({ length: heads }, (_, head) => head)]
  return (
    <fieldset class="heads">
      <legend class="sound">Head</legend>
      {choices.map((head) => (
        <label key={head} onMouseEnter={() => onSettings({ ...settings, head })}>
          <input
            type="radio"
            name="head"
            checked={settings.head === head}
            onChange={() => onSettings({ ...settings, head })}
          />
          <span>{head === null ? 'all heads' : head + 1}</span>
        </label>
      ))}
    </fieldset>
  )
}

function Choices({ settings, onSettings }: Pick<Props, 'settings' | 'onSettings'>) {
  const { view, blend, detail } = settings
  return (
    <>
      {view === 'colors' && (
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
      )}
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
