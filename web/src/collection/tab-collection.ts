/**
 * Keeps a collection of photos in the memory of this tab: each photo is a row with its embedding and a small picture of it. The photos themselves are not kept,
 * so that some thousands of them fit.
 */
import {
  Collection,
  createMemoryStore,
  type Encoder,
  type ImageSource,
  openSavedCollection,
  type Row,
  saveCollection,
} from 'plumage/browser'
import { makeThumbnail } from './make-thumbnail.js'

/** Is a photo as the page shows it. */
export interface ShownPhoto {
  readonly id: string
  readonly path: string
  /** Is a small JPEG as a `data:` address. */
  readonly preview: string
  /** Is the cosine with what was searched for; null where nothing was. */
  readonly similarity: number | null
}

/** Tells how far the adding of photos is. */
export interface AddProgress {
  readonly done: number
  readonly failed: number
  /** Counts the photos that are in the collection already. */
  readonly known: number
  readonly total: number
}

/** Rows are added in such pieces, after each of which they are found. */
const BATCH_ROWS = 32
const THUMBNAIL = { name: 'thumbnail', type: 'text' } as const
/** Photos of a tab have no folder on a disk. */
const ROOT = 'tab'

export class TabCollection {
  readonly collection: Collection
  readonly #keys = new Set<string>()
  readonly #photos: ShownPhoto[] = []

  private constructor(collection: Collection) {
    this.collection = collection
  }

  /** Makes one that is empty, for photos that this encoder embeds. */
  static async create({ identity, embeddingWidth: width }: Encoder<ImageSource>): Promise<TabCollection> {
    const store = createMemoryStore({
      format: 1,
      identity,
      model: { source: '', options: {} },
      width,
      dtype: 'float16',
      roots: {},
      columns: [THUMBNAIL],
    })
    return new TabCollection(await Collection.open({ store }))
  }

  /** Opens one that was saved. Throws `CollectionError` for any other file. */
  static async open(file: File): Promise<TabCollection> {
    const store = await openSavedCollection({
      label: file.name,
      size: file.size,
      read: async (offset, length) => {
        const bytes = new Uint8Array(await file.slice(offset, offset + length).arrayBuffer())
        if (bytes.length !== length) throw new Error('it is cut off')
        return bytes
      },
    })
    const opened = new TabCollection(await Collection.open({ store }))
    await opened.collection.addColumns([THUMBNAIL])
    const columns = ['id', 'path', 'bytes', 'state', 'thumbnail']
    for await (const { count, values } of opened.collection.scan({ columns }))
      for (let row = 0; row < count; row++) {
        const path = String(values.path?.[row])
        opened.#keys.add(`${path}\0${values.bytes?.[row]}`)
        if (values.state?.[row] !== 'embedded') continue
        const preview = values.thumbnail?.[row]
        opened.#photos.push(shown(String(values.id?.[row]), path, preview))
      }
    return opened
  }

  /** Lists all photos, in the order in which they came. */
  get photos(): readonly ShownPhoto[] {
    return this.#photos
  }

  /** Embeds photos that are not here yet, and yields how far it is. One that cannot be read is told and passed over. */
  async *add(
    files: readonly File[],
    encoder: Encoder<ImageSource>,
    signal: AbortSignal,
    onFailed: (path: string, reason: string) => void,
  ): AsyncGenerator<AddProgress> {
    this.collection.assertSame(encoder.identity)
    const fresh = files.filter((file) => !this.#keys.has(keyOf(file)))
    const progress = { done: 0, failed: 0, known: files.length - fresh.length, total: fresh.length }
    let rows: { readonly row: Row; readonly embedding: Float32Array }[] = []
    yield { ...progress }
    try {
      for await (const { source, features, error } of encoder.encodeAll(fresh, { signal })) {
        const file = source as File
        if (features === undefined) {
          progress.failed++
          onFailed(pathOf(file), error.message)
        } else {
          const preview = await makeThumbnail(file)
          const [height, width] = features.imageSize
          rows.push({ row: rowOf(file, preview, height, width), embedding: features.embedding })
          progress.done++
          if (rows.length >= BATCH_ROWS) rows = await this.#write(rows)
        }
        yield { ...progress }
      }
    } finally {
      // What was computed stays, also where the visitor stops.
      await this.#write(rows)
    }
    yield { ...progress }
  }

  async #write(rows: readonly { readonly row: Row; readonly embedding: Float32Array }[]): Promise<[]> {
    const ids = await this.collection.addPhotos(rows)
    for (const [at, { row }] of rows.entries()) {
      this.#keys.add(`${row.path}\0${row.bytes}`)
      this.#photos.push(shown(ids[at] ?? '', String(row.path), row.thumbnail))
    }
    return []
  }

  /** Finds the photos that are most like one that is here. */
  async like(id: string, count: number): Promise<readonly ShownPhoto[]> {
    const query = await this.collection.embeddingOf(id)
    return query === null ? [] : await this.nearest(query, count)
  }

  /** Finds the photos that are most like an embedding. */
  async nearest(query: Float32Array, count: number): Promise<readonly ShownPhoto[]> {
    const found = await this.collection.nearest(query, { count })
    return found.map(({ row, similarity }) => ({
      ...shown(String(row.id), String(row.path), row.thumbnail),
      similarity,
    }))
  }

  /** Gives the file that `open` takes. */
  async save(): Promise<Blob> {
    const parts: Uint8Array<ArrayBuffer>[] = []
    for await (const part of saveCollection(this.collection)) parts.push(new Uint8Array(part))
    return new Blob(parts, { type: 'application/octet-stream' })
  }
}

/** What lies in a file may say anything: only a picture of our own is shown. */
function shown(id: string, path: string, preview: Row[string] | undefined): ShownPhoto {
  const isPicture = typeof preview === 'string' && /^data:image\/jpeg;base64,[A-Za-z0-9+/=]*$/.test(preview)
  return { id, path, preview: isPicture ? preview : '', similarity: null }
}

function rowOf(file: File, preview: string, height: number, width: number): Row {
  return {
    root: ROOT,
    path: pathOf(file),
    bytes: file.size,
    modified: file.lastModified,
    height,
    width,
    thumbnail: preview,
  }
}

function pathOf(file: File): string {
  return file.webkitRelativePath === '' ? file.name : file.webkitRelativePath
}

function keyOf(file: File): string {
  return `${pathOf(file)}\0${file.size}`
}
