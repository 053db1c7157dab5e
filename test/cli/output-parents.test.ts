/** Every option that names a place where something is written is held to one rule; test/cli/addresses-taken.test.ts tries it on each command. */
import type { Command } from 'commander'
import { afterAll, expect, test } from 'vitest'
import type { CommandContext } from '../../src/cli/context.js'
import { nameOf, OUTPUT_ARGUMENTS, OUTPUT_OPTIONS, WRITE_TO } from '../../src/cli/output-parents.js'
import { createProgram } from '../../src/cli/program.js'
import { folderWith, runInTest } from './run-in-test.js'

const folder = folderWith({ 'photos/a.jpg': 'a', 'maps/x.txt': 'x' })
afterAll(() => folder[Symbol.dispose]())

/** Name what is read, or what has to be there. */
const READ = [
  ...[
    'base',
    'box',
    'point',
    'classifier',
    'colors',
    'columns',
    'config',
    'from',
    'head',
    'in',
    'like',
    'unlike',
  ],
  ...['mask', 'photos', 'processor', 'vector', 'file', 'after', 'queue', 'otlp', 'with', 'model'],
]

async function commands(): Promise<readonly Command[]> {
  const context = { cwd: folder.path, version: '0', heicAdvice: null } as unknown as CommandContext
  const names = (await createProgram(context, [])).commands.map((command) => command.name())
  const program = await createProgram(context, names)
  const below = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(below)]
  return below(program)
}

test('each option that takes a path or a place is among what is read or among what is written', async () => {
  const undecided: string[] = []
  const seen = new Set<string>()
  for (const command of await commands())
    for (const option of command.options) {
      const key = option.attributeName()
      if (OUTPUT_OPTIONS.has(key)) seen.add(key)
      if (!/<(file|folder|page|place|collection|file or folder|path)s?(\.\.\.)?>/.test(option.flags)) continue
      const isWritten = OUTPUT_OPTIONS.has(key) || (key === 'to' && WRITE_TO.includes(nameOf(command)))
      if (!isWritten && !READ.includes(key)) undecided.push(`${nameOf(command)} ${option.flags}`)
    }
  expect(undecided).toEqual([])
  expect(seen).toEqual(OUTPUT_OPTIONS)
  const names = (await commands()).map(nameOf)
  for (const name of [...WRITE_TO, ...Object.keys(OUTPUT_ARGUMENTS)]) expect(names).toContain(name)
})

test.each([
  ['pull', 'm', '--into'],
  ['job', 'finish', 'job', '--into'],
  ['job', 'export', 'job', '-o'],
  ['embed', 'photos', '--scenes', '--key-frames'],
  ['classify', 'photos', '-o'],
  ['features', 'photos', '-o'],
])('%s refuses an output in a folder that is not there', async (...args) => {
  const { code, stderr } = await runInTest([...args, 'map/x'], { cwd: folder.path })
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/x lies in a folder that is not there: \. has no map\. Did you mean maps\?/),
  ])
  const far = await runInTest([...args, '../nowhere-at-all/x'], { cwd: folder.path })
  expect([far.code, far.stderr]).toEqual([
    2,
    expect.stringMatching(
      /: \.\. has no nowhere-at-all\. Otherwise make it: mkdir -p \.\.\/nowhere-at-all\n$/,
    ),
  ])
})

test('the command that makes a folder is one that a shell takes', async () => {
  const { stderr } = await runInTest(['embed', 'photos', '-o', "my photo's/x.csv"], { cwd: folder.path })
  expect(stderr).toContain(`mkdir -p 'my photo'\\''s'\n`)
})

test('an output of which a file is a part of the way is told as such', async () => {
  const { code, stderr } = await runInTest(['embed', 'photos', '-o', 'photos/a.jpg/x.csv'], {
    cwd: folder.path,
  })
  expect([code, stderr]).toEqual([2, expect.not.stringContaining('lies in a folder that is not there')])
})
