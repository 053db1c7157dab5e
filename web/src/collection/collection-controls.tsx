/** The controls bring photos in, look for one that is given, and save and open the collection. */
import type { AddProgress } from './tab-collection.js'

interface Props {
  /** Says that photos can be computed now. */
  readonly isReady: boolean
  readonly hasPhotos: boolean
  readonly progress: AddProgress | null
  onAdd(files: readonly File[]): void
  onExamples(): void
  onStop(): void
  onSearch(file: File): void
  onOpen(file: File): void
  onSave(): void
}

export function CollectionControls(props: Props) {
  const { isReady, hasPhotos, progress, onAdd, onExamples, onStop, onSearch, onOpen, onSave } = props
  return (
    <section class="controls" aria-label="Controls">
      <FileButton label="Add a folder" isPrimary isFolder isDisabled={!isReady} onFiles={onAdd} />
      <FileButton label="Add photos" accept="image/*" isMany isDisabled={!isReady} onFiles={onAdd} />
      {!hasPhotos && (
        <button type="button" disabled={!isReady} onClick={onExamples}>
          Add the examples
        </button>
      )}
      {hasPhotos && (
        <FileButton
          label="Search by a photo"
          accept="image/*"
          isDisabled={!isReady}
          onFiles={([file]) => file !== undefined && onSearch(file)}
        />
      )}
      {progress !== null && (
        <>
          <progress max={progress.total} value={progress.done + progress.failed} aria-label="Photos" />
          <button type="button" onClick={onStop}>
            Stop
          </button>
        </>
      )}
      {hasPhotos && progress === null && (
        <button type="button" onClick={onSave}>
          Save
        </button>
      )}
      <FileButton
        label="Open"
        accept=".safetensors"
        isDisabled={progress !== null}
        onFiles={([file]) => file !== undefined && onOpen(file)}
      />
    </section>
  )
}

interface FileButtonProps {
  readonly label: string
  readonly accept?: string
  readonly isPrimary?: boolean
  readonly isFolder?: boolean
  readonly isMany?: boolean
  readonly isDisabled: boolean
  onFiles(files: readonly File[]): void
}

function FileButton({ label, accept, isPrimary, isFolder, isMany, isDisabled, onFiles }: FileButtonProps) {
  return (
    <label class={isPrimary ? 'button primary' : 'button'}>
      {label}
      <input
        type="file"
        disabled={isDisabled}
        multiple={isMany || isFolder}
        {...(accept === undefined ? {} : { accept })}
        {...(isFolder ? { webkitdirectory: true } : {})}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])].filter(({ name }) => !name.startsWith('.'))
          onFiles(isFolder ? files.filter(({ type }) => type.startsWith('image/')) : files)
          currentTarget.value = ''
        }}
      />
    </label>
  )
}
