/** Moves the keys to the patches of a photo, so that they go on from there. */
export function goTo(photo: number): void {
  const card = document.getElementById(`photo-${photo}`)
  card?.scrollIntoView({ block: 'nearest' })
  card?.querySelector<HTMLElement>('[role=application]')?.focus({ preventScroll: true })
}
