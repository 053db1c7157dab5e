/** Shows which places of two photos match: each is the other's nearest, and those that one view of the same thing explains are told from the others. */
import { agreeingMatches, matchPatches } from 'plumage/browser'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type DrawnMatch, drawMatches, type MatchedPhoto } from './draw-matches.js'
import { messageOf } from './message-of.js'
import type { Photo } from './photo.js'
import { savePicture } from './save-picture.js'

interface Props {
  readonly photos: readonly Photo[]
  readonly pair: readonly [first: number, second: number]
  onClose(): void
}

/** More lines would hide the photos. */
const MOST_LINES = 60

export function MatchView({ photos, pair, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [told, setTold] = useState('Looking for matches …')
  const [first, second] = pair.map((id) => photos.find((photo) => photo.id === id))
  const names = [first?.name ?? '', second?.name ?? ''] as const

  useEffect(() => dialog.current?.showModal(), [])
  useEffect(() => {
    const [one, other] = [matched(first), matched(second)]
    if (one === null || other === null) return onClose()
    const abort = new AbortController()
    const look = async () => {
      const found = await matchesOf(one, other, abort.signal)
      if (canvas.current !== null) drawMatches(canvas.current, one, other, found)
      setTold(describe(found))
    }
    look().catch((error: unknown) => abort.signal.aborted || setTold(messageOf(error)))
    return () => abort.abort()
  }, [first, second, onClose])

  return (
    <dialog ref={dialog} class="match" aria-labelledby="match-title" onClose={onClose}>
      <h2 id="match-title">
        {names[0]} and {names[1]}
      </h2>
      <canvas ref={canvas} role="img" aria-label={`Lines between places of ${names[0]} and ${names[1]}`} />
      <p role="status">{told}</p>
      <div class="buttons">
        <button
          type="button"
          onClick={() =>
            canvas.current !== null && void savePicture(canvas.current, `${bare(names[0])}-and-${names[1]}`)
          }
        >
          Save the picture
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  )
}

/** Takes the ending off a name. */
function bare(name: string): string {
  return name.replace(/\.[^.]+$/, '')
}

function matched(photo: Photo | undefined): MatchedPhoto | null {
  if (photo === undefined || photo.preview === null || photo.features === null) return null
  return { preview: photo.preview, features: photo.features }
}

async function matchesOf(
  first: MatchedPhoto,
  second: MatchedPhoto,
  signal: AbortSignal,
): Promise<readonly DrawnMatch[]> {
  const { matches } = await matchPatches(first.features, second.features, { limit: MOST_LINES, signal })
  return agreeingMatches(matches, first.features, second.features).matches
}

function describe(found: readonly DrawnMatch[]): string {
  if (found.length === 0) return 'No two places are alike enough.'
  const agreed = found.filter(({ isInlier }) => isInlier).length
  const places = found.length === 1 ? '1 place matches' : `${found.length} places match`
  return agreed === 0
    ? `${places}; they agree on no one view.`
    : `${places}; ${agreed} of them (solid lines) agree on one view of the same thing.`
}
