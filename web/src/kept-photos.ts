/** Keeps the photos of the page in the browser's own storage, so that they are there after a reload. Nothing leaves the browser. */
import { clear, createStore, del, entries, set } from 'idb-keyval'
import type { NamedFile } from './use-photos.js'

const store = () => createStore('plumage-page', 'photos')

/** Gives what an earlier visit has kept, in the order in which it was added; nothing where the browser keeps nothing. */
export async function keptPhotos(): Promise<readonly (NamedFile & { readonly key: number })[]> {
  try {
    const kept = await entries<number, NamedFile>(store())
    return kept.map(([key, { name, file }]) => ({ key, name, file })).sort((a, b) => a.key - b.key)
  } catch {
    return []
  }
}

/** A private window, or a full disk, may refuse: the photo is then there until the page is closed. */
export async function keepPhoto(key: number, { name, file }: NamedFile): Promise<void> {
  await set(key, { name, file }, store()).catch(() => {})
}

export async function forgetPhoto(key: number): Promise<void> {
  await del(key, store()).catch(() => {})
}

export async function forgetAllPhotos(): Promise<void> {
  await clear(store()).catch(() => {})
}
