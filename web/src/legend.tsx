/** Tells what bright and dark mean after a place was chosen. */

interface Props {
  /** A similarity up to this is dark. */
  readonly low: number
  /** A similarity from this on is bright. */
  readonly high: number
}

export function Legend({ low, high }: Props) {
  return (
    <span class="legend">
      <span>unlike {low.toFixed(2)}</span>
      <span class="scale" aria-hidden="true" />
      <span>alike {high.toFixed(2)}</span>
      <span class="mark" aria-hidden="true" />
      <span>most alike in a photo</span>
    </span>
  )
}
