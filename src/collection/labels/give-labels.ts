/** Gives photos labels: by hand, from the folders that they lie in, or from a table. Labels are a text column of the collection's own. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given } from '../../encoder/choose-recipe.js'
import { nearestNames } from '../../nearest-names.js'
import type { Collection } from '../collection.js'
import { CollectionError } from '../collection-error.js'
import { rowsOf } from '../row-block.js'

/** Is the column that labels are in where none is named. */
export const LABEL_COLUMN = 'label'

/** Says where labels are. */
export interface LabelsOptions {
  /** Names the text column; default `label`. It is made where labels are given and it is not there. */
  readonly column?: string
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Says where labels go, and which may be given. */
export interface GiveOptions extends LabelsOptions {
  /** Lets names be given that no photo has yet; default `false` for labels given by hand, whose names may be mistyped. The first label needs none. */
  readonly newLabels?: boolean
}

const LABELS_OPTIONS = { column: true, signal: true } satisfies OptionNames<LabelsOptions>
const GIVE_OPTIONS = { ...LABELS_OPTIONS, newLabels: true } satisfies OptionNames<GiveOptions>

/** Says what became of labels. */
export interface GivenLabels {
  /** Counts the photos whose label is another now. */
  readonly changed: number
  /** Counts the photos that had that label already. */
  readonly unchanged: number
  /** Counts the photos of each label that was given, by their names in order: those that have an embedding, from which something is learnt. */
  readonly labels: Readonly<Record<string, number>>
  /** Counts the others that were given a label: they could not be read. */
  readonly unread: number
}

/** Is a photo with its label, as the collection has it. */
export interface LabelOfPhoto {
  /** Is the row's id. */
  readonly id: string
  /** Names it as `root/path`. */
  readonly name: string
  /** Is null where it has none. */
  readonly label: string | null
  /** Says that it could not be read: it has no embedding, and nothing is learnt from it. */
  readonly unread: boolean
}

/** Is a photo by any of its names, with the label that it is to have; null takes the label away. */
export interface LabelToGive {
  /** Is the id, `root/path`, the path within a root, the whole path on this machine, or the file's own name where only one photo has it. */
  readonly photo: string
  /** Is what it is to be called. */
  readonly label: string | null
}

/** Lists the photos that are there, by root and path, with their labels. Throws as `Collection.scan`; RangeError for an unknown option. */
export async function labelsOf(
  collection: Collection,
  options: LabelsOptions = {},
): Promise<readonly LabelOfPhoto[]> {
  checkOptionNames(options, LABELS_OPTIONS)
  const { column = LABEL_COLUMN, signal } = options
  const hasColumn = collection.columns.some(({ name }) => name === column)
  const columns = ['id', 'root', 'path', 'state', ...(hasColumn ? [column] : [])]
  const found: LabelOfPhoto[] = []
  for await (const block of collection.scan({ columns, signal }))
    for (const row of rowsOf(block)) {
      if (row.state === 'gone') continue
      const label = row[column]
      const name = `${row.root}/${row.path}`
      found.push({
        id: String(row.id),
        name,
        label: typeof label === 'string' && label !== '' ? label : null,
        unread: row.state === 'failed',
      })
    }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Gives labels to photos. All is judged before anything is changed. Throws `CollectionError`: `unknown-photo` with the nearest names, `unknown-label` with the
 * nearest, `wrong-value` for a column that holds something else, `read-only`; RangeError for an unknown option; the signal's reason.
 */
export async function giveLabels(
  collection: Collection,
  labels: readonly LabelToGive[],
  options: GiveOptions = {},
): Promise<GivenLabels> {
  checkOptionNames(options, GIVE_OPTIONS)
  const { column = LABEL_COLUMN, newLabels = false, signal } = options
  const photos = await labelsOf(collection, given({ column, signal }))
  if (!newLabels) assertKnown(photos, labels)
  const find = photoFinder(collection, photos)
  const pairs = labels.map(({ photo, label }) => ({ photo: find(photo), label }))
  return await writeLabels(collection, column, pairs)
}

/** Gives each photo the name of the folder that it lies in. Photos right in a root have none and are left as they are. Throws as `giveLabels`. */
export async function labelFromFolders(
  collection: Collection,
  options: LabelsOptions = {},
): Promise<GivenLabels> {
  checkOptionNames(options, LABELS_OPTIONS)
  const { column = LABEL_COLUMN, signal } = options
  const photos = await labelsOf(collection, given({ column, signal }))
  const pairs = photos.flatMap((photo) => {
    const folder = photo.name.split('/').slice(1, -1).at(-1)
    return folder === undefined ? [] : [{ photo, label: folder }]
  })
  if (pairs.length === 0)
    throw new CollectionError(
      'unlabelled',
      `No photo of ${collection.store.label} lies in a folder of its root: there are no names to take. ` +
        'Put the photos of each class into a folder of its name, or give labels from a CSV file.',
    )
  return await writeLabels(collection, column, pairs)
}

async function writeLabels(
  collection: Collection,
  column: string,
  pairs: readonly { readonly photo: LabelOfPhoto; readonly label: string | null }[],
): Promise<GivenLabels> {
  await collection.addColumns([{ name: column, type: 'text' }])
  const changes = pairs.filter(({ photo, label }) => photo.label !== label)
  if (changes.length > 0)
    await collection.change(
      changes.map(({ photo, label }) => ({ id: photo.id, values: { [column]: label } })),
    )
  const labelled = pairs.flatMap(({ photo, label }) => (label === null ? [] : [{ photo, label }]))
  const read = labelled.filter(({ photo }) => !photo.unread)
  return {
    changed: changes.length,
    unchanged: pairs.length - changes.length,
    labels: countsOf(read.map(({ label }) => label)),
    unread: labelled.length - read.length,
  }
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function assertKnown(photos: readonly LabelOfPhoto[], labels: readonly LabelToGive[]): void {
  const known = [...new Set(photos.flatMap(({ label }) => label ?? []))].sort()
  if (known.length === 0) return
  const other = labels.find(({ label }) => label !== null && !known.includes(label))?.label
  if (other === undefined || other === null) return
  throw new CollectionError(
    'unknown-label',
    `No photo is called ${JSON.stringify(other)} yet. Did you mean ${nearestNames(other, known, 1).join()}? ` +
      `The labels are ${known.join(', ')}. For a new one, say that it is new (newLabels, --new).`,
  )
}

/** Finds photos by any of their names. */
function photoFinder({ about }: Collection, photos: readonly LabelOfPhoto[]): (name: string) => LabelOfPhoto {
  const byName = new Map<string, LabelOfPhoto | null>()
  const whole = new Map<string, LabelOfPhoto>()
  for (const photo of photos) {
    const [root = '', ...parts] = photo.name.split('/')
    whole.set(photo.id, photo)
    whole.set(photo.name, photo)
    whole.set(`${about.roots[root]}/${parts.join('/')}`, photo)
    // What several photos are called names none of them.
    for (const short of new Set([parts.join('/'), parts.at(-1) ?? '']))
      byName.set(short, byName.has(short) ? null : photo)
  }
  return (name) => {
    const plain = name.replaceAll('\\', '/').replace(/^\.\//, '')
    const found = whole.get(plain) ?? byName.get(plain)
    if (found !== undefined && found !== null) return found
    const names = photos.map((photo) => photo.name)
    const hint =
      found === null
        ? `Several photos are called so: give one as root/path, such as ${names
            .filter((one) => one.endsWith(`/${plain}`))
            .slice(0, 3)
            .join(', ')}.`
        : `The nearest are ${nearestNames(plain, names, 2).join(', ')}.`
    throw new CollectionError('unknown-photo', `There is no photo ${JSON.stringify(name)}. ${hint}`)
  }
}
