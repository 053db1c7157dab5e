/** `plumage duplicates` finds the photos of a collection that are there several times, says what to keep, and moves the others where it is told to. */

import { Command, InvalidArgumentError, Option } from 'commander'
import type { Collection } from '../../collection/collection.js'
import type { DuplicateGroup, GroupMember } from '../../collection/duplicates/duplicate-group.js'
import {
  KEEP_RULE_WORDS,
  KEEP_RULES,
  type KeepRule,
  readKeepRules,
} from '../../collection/duplicates/keep-rules.js'
import type { LackingFacts } from '../../collection/duplicates/lacking.js'
import { rowsOf } from '../../collection/row-block.js'
import { nearestNames } from '../../nearest-names.js'
import { outputTarget } from '../../platform/node/files/output-target.js'
import { IncompleteError, UsageError } from '../cli-error.js'
import { addCollectionOption, collectionPlace } from '../collection-option.js'
import { addCompareOptions, type CompareChoice, compareChoice } from '../compare-options.js'
import type { CommandContext } from '../context.js'
import { counted } from '../counted.js'
import { fileSize } from '../file-size.js'
import { localPath } from '../local-path.js'
import { Progress, printable } from '../progress.js'
import { terminal } from '../run-resumably.js'

const KINDS = ['copies', 'near', 'alike'] as const

interface DuplicatesOptions extends CompareChoice {
  readonly in: string
  readonly kind: readonly (typeof KINDS)[number][]
  readonly keep: readonly KeepRule[]
  readonly different?: readonly string[]
  readonly moveTo?: string
  readonly undo?: boolean
  readonly mergeMetadata?: boolean
  readonly report?: string
  readonly json?: boolean
}

export function duplicatesCommand(context: CommandContext): Command {
  const command = new Command('duplicates')
  addCompareOptions(addCollectionOption(command, '--in <collection>', 'the collection'))
    .addOption(
      new Option('--kind <kinds...>', 'groups of copies, of near photos (bursts, variants), of alike ones')
        .choices(KINDS)
        .default(['copies']),
    )
    .option(
      '--keep <rules>',
      `which copy is kept, the first rule that tells two apart decides: ${Object.keys(KEEP_RULE_WORDS).join(', ')}, folder:<path>`,
      keepRules,
      KEEP_RULES,
    )
    .option(
      '--different <photos...>',
      'remember that these are different photos: they never come into one group again',
    )
    .option('--move-to <folder>', 'move what may go to a folder, with sidecars')
    .option(
      '--merge-metadata',
      'write what a kept photo lacks (date, position, rating, caption, folder) to its sidecar',
    )
    .option('--undo', 'bring back what was moved last')
    .option(
      '--report <page>',
      'write a page, to a path or a bucket (s3:, az:, gs:), that shows the groups, copies laid over the kept photo',
    )
    .option('--json', 'a JSON line for each group')
  return command.action((options: DuplicatesOptions) => duplicates(context, options))
}

const MOVES =
  'Photos are moved on the disks of this machine, so that they can be brought back: name a folder.'

function keepRules(text: string): readonly KeepRule[] {
  try {
    return readKeepRules(text)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}

async function duplicates(context: CommandContext, options: DuplicatesOptions): Promise<void> {
  const { files, signal, collections, stderr } = context
  const { undo, different, moveTo, mergeMetadata } = options
  const write = [undo, different, moveTo].some((one) => one !== undefined)
  if (options.report !== undefined) {
    if (!/\.html?$/i.test(options.report))
      throw new UsageError(
        `A report is a page: name a file ending in .html, such as --report duplicates.html; got ${options.report}.`,
      )
    await outputTarget(files.resolve(options.report))
  }
  const folder = moveTo === undefined ? null : localPath(files, '--move-to', moveTo, MOVES)
  const onWait = (message: string) => void stderr.write(`${message}\n`)
  await using collection = await collections.open(collectionPlace(files, options.in), {
    write,
    signal,
    onWait,
  })
  if (undo) return await bringBack(context, collection)
  await assertFolders(collection, options.keep, signal)
  if (different !== undefined) return await callDifferent(context, collection, different)
  const { findDuplicates } = await import('../../platform/node/collection/find-duplicates.js')
  using progress = new Progress({ ...terminal(context), json: false, total: undefined })
  const found = await findDuplicates(collection, {
    ...compareChoice(options),
    keep: options.keep,
    signal,
    onProgress: ({ tried, total }) => progress.phase(`compared ${tried} of ${total} pairs`),
  })
  progress.clear()
  const groups = found.groups.filter(({ kind }) => options.kind.includes(kind))
  const { lackingMetadata, writeMetadata } = await import('../../platform/node/collection/merge-metadata.js')
  for (const [at, group] of groups.entries()) {
    const lacking = await lackingMetadata(collection, group)
    context.stdout.write(options.json ? jsonOf(group, lacking) : await textOf(group, lacking, at))
    if (mergeMetadata && Object.keys(lacking).length > 0)
      stderr.write(`wrote ${printable(await writeMetadata(collection, group.kept, lacking))}\n`)
  }
  if (options.report !== undefined) {
    const { duplicateReport } = await import('../duplicate-report.js')
    await files.write(options.report, duplicateReport(collection, groups, signal))
  }
  await sayWhatWasFound(context, found, groups, options)
  if (folder !== null) await move(context, collection, groups, folder)
}

/** A rule that fits no photo is a mistyped one: another copy would be kept than was meant. */
async function assertFolders(
  collection: Collection,
  keep: readonly KeepRule[],
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Set(
    keep.flatMap((rule) =>
      rule.startsWith('folder:') ? [rule.slice('folder:'.length).replace(/\/+$/, '')] : [],
    ),
  )
  if (wanted.size === 0) return
  const folders = new Set<string>()
  for await (const block of collection.scan({ columns: ['root', 'path'], signal }))
    for (const { root, path } of rowsOf(block))
      for (const place of [String(path), `${root}/${path}`])
        for (let end = place.lastIndexOf('/'); end > 0; end = place.lastIndexOf('/', end - 1)) {
          // Those around a folder that is known are known.
          const folder = place.slice(0, end)
          if (folders.has(folder)) break
          folders.add(folder)
        }
  for (const folder of wanted) {
    if (folders.has(folder)) continue
    const [nearest] = nearestNames(folder, [...folders], 1)
    const meant = nearest === undefined ? '' : ` Did you mean folder:${nearest}?`
    throw new UsageError(
      `No photo of ${collection.store.label} lies in ${folder} (--keep folder:${folder}).${meant}`,
    )
  }
}

async function sayWhatWasFound(
  { stderr }: CommandContext,
  found: {
    readonly photos: number
    readonly untried: number
    readonly recall: number
    readonly unread: readonly { readonly copy: { readonly path: string }; readonly reason: string }[]
  },
  groups: readonly DuplicateGroup[],
  { keep, moveTo }: DuplicatesOptions,
): Promise<void> {
  const { countDuplicates } = await import('../../collection/duplicates/duplicate-group.js')
  const counts = countDuplicates(groups)
  const lines = [
    `${counted(counts.groups, 'group')} with ${counts.photos} of ${counted(found.photos, 'photo')}; ${counts.proposed} may go (${fileSize(counts.bytes)}). Kept is ${inWords(keep)}.`,
  ]
  if (found.untried > 0)
    lines.push(`Not tried: ${counted(found.untried, 'less alike pair')}. --tries tries more.`)
  if (found.recall < 1)
    lines.push(
      `${(100 * found.recall).toFixed(1)} % of nearest neighbours were found, measured on some photos.`,
    )
  for (const { copy, reason } of found.unread)
    lines.push(printable(`${copy.path} was not compared: ${reason}`))
  if (counts.proposed > 0 && moveTo === undefined)
    lines.push('Nothing was moved: --move-to <folder> does it, and --undo brings all back.')
  stderr.write(`${lines.join('\n')}\n`)
}

function inWords(rules: readonly KeepRule[]): string {
  const words = rules.map((rule) =>
    rule.startsWith('folder:')
      ? `what lies in ${rule.slice('folder:'.length)}`
      : KEEP_RULE_WORDS[rule as keyof typeof KEEP_RULE_WORDS],
  )
  return ['never a copy that was made of another', ...words].join(', then ')
}

async function move(
  { stderr, signal }: CommandContext,
  collection: Collection,
  groups: readonly DuplicateGroup[],
  to: string,
): Promise<void> {
  const { moveDuplicates } = await import('../../platform/node/collection/move-duplicates.js')
  const moved = await moveDuplicates(collection, groups, { to, signal })
  const stayed = moved.filter((one) => one.stayed !== null)
  for (const { copy, stayed: reason } of stayed)
    stderr.write(`${printable(`${copy.root}/${copy.path} stays: ${reason}`)}\n`)
  stderr.write(
    `${counted(moved.length - stayed.length, 'photo')} moved to ${printable(to)}; --undo brings them back.\n`,
  )
  if (stayed.length > 0) throw new IncompleteError(`${counted(stayed.length, 'photo')} could not be moved.`)
}

async function bringBack({ stderr, signal }: CommandContext, collection: Collection): Promise<void> {
  const { undoDuplicates } = await import('../../platform/node/collection/move-duplicates.js')
  const undone = await undoDuplicates(collection, { signal })
  if (undone.length === 0)
    throw new UsageError(`Nothing that was moved from ${collection.store.label} is to be brought back.`)
  const lost = undone.filter(({ state }) => state === 'lost')
  for (const { from, to } of lost)
    stderr.write(
      `${printable(`${from} could not be brought back: it is not at ${to}, or another file lies at its place`)}\n`,
    )
  stderr.write(`Brought back: ${counted(undone.length - lost.length, 'file')}.\n`)
  if (lost.length > 0) throw new IncompleteError(`${counted(lost.length, 'file')} could not be brought back.`)
}

const DIFFERENT = 'Photos of a collection are files on this machine: name those.'

async function callDifferent(
  { files, stderr }: CommandContext,
  collection: Collection,
  photos: readonly string[],
): Promise<void> {
  if (photos.length < 2) throw new UsageError('Name two photos or more that are different.')
  const { markDifferent } = await import('../../collection/duplicates/decisions.js')
  const { contentOf } = await import('../../platform/node/collection/content-of.js')
  const contents = await Promise.all(
    photos.map((photo) => contentOf(localPath(files, '--different', photo, DIFFERENT))),
  )
  await markDifferent(collection, contents)
  stderr.write(`${photos.length} photos are remembered as different.\n`)
}

/** Lists what is like the kept photo; what it lacks is said, since it would go with the others. */
async function textOf(group: DuplicateGroup, lacking: LackingFacts, at: number): Promise<string> {
  const { tellLacking } = await import('../../collection/duplicates/lacking.js')
  const { kept, members, lowest, kind } = group
  const lines = [
    `${kind} ${at + 1}: ${members.length + 1} photos, lowest similarity ${lowest.toFixed(4)}`,
    `  keep    ${kept.root}/${kept.path}  (${kept.width} x ${kept.height}, ${fileSize(kept.bytes)})`,
    ...members.map(memberLine),
  ]
  const lacks = tellLacking(lacking)
  if (lacks !== '') lines.push(`  what is kept lacks ${lacks}: --merge-metadata writes it to a sidecar`)
  return `${lines.map(printable).join('\n')}\n`
}

function memberLine({ copy, similarity, words, proposed, kind }: GroupMember): string {
  const what = proposed ? 'may go ' : kind === 'near' || kind === 'alike' ? kind.padEnd(7) : 'stays  '
  return `  ${what} ${copy.root}/${copy.path}  ${similarity.toFixed(4)}${words === '' ? '' : `  ${words}`}`
}

function jsonOf({ kind, kept, members, lowest }: DuplicateGroup, lacking: LackingFacts): string {
  const shown = members.map(({ copy, kind, similarity, words, proposed }) => ({
    ...copy,
    kind,
    similarity,
    words,
    proposed,
  }))
  return `${JSON.stringify({ kind, kept, members: shown, lowest, lacking })}\n`
}
