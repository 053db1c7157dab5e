/** Shows, where there are no photos yet, what will come of them. All of it is one large button. */
import picture from './what-comes.jpg'

interface Props {
  onFiles(files: FileList | null): void
}

export function EmptyState({ onFiles }: Props) {
  return (
    <label class="empty">
      <img
        src={picture}
        alt="A hat, and beside it the same hat in one colour; another hat has that colour too, trousers, shoes and a shirt have others."
        width={1086}
        height={200}
      />
      <strong>
        <span class="with-mouse">Drop photos here, or click to choose some</span>
        <span class="with-finger">Tap to choose photos</span>
      </strong>
      <span>
        Alike things get alike colours. Then click any place to find what is like it in all photos, or look
        for photos that are alike as a whole. Your photos stay in this tab.
      </span>
      <input
        type="file"
        accept="image/*"
        multiple
        aria-label="Choose photos"
        onChange={({ currentTarget }) => {
          onFiles(currentTarget.files)
          currentTarget.value = ''
        }}
      />
    </label>
  )
}
