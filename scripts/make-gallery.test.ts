/** Holds docs/gallery.md to the script that writes it, to its pictures, and its commands to the command line. No picture is made. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CommandContext } from '../src/cli/context.js'
import { createProgram } from '../src/cli/program.js'

const root = join(import.meta.dirname, '..')
const script = new URL('make-gallery.mjs', import.meta.url).href
interface Picture {
  readonly name: string
  readonly command: string
}
const { PICTURES, commandOf, galleryText } = (await import(script)) as {
  readonly PICTURES: readonly Picture[]
  commandOf(picture: Picture): string
  galleryText(): string
}

test('docs/gallery.md is what the script writes', async () => {
  await expect(galleryText()).toMatchFileSnapshot('../docs/gallery.md')
})

test('each picture that the page names is there, none is left over, and together they are small', () => {
  const folder = join(root, 'docs', 'gallery')
  const files = readdirSync(folder)
  expect(files.sort()).toEqual(PICTURES.map(({ name }) => `${name}.webp`).sort())
  const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
  expect(bytes).toBeLessThan(1.5e6)
})

const COMMANDS = [...galleryText().matchAll(/^ {4}npx plumage (.*)$/gm)].map(([, command = '']) => command)

test('the page shows the commands that the script runs', () => {
  expect(COMMANDS).toEqual(expect.arrayContaining(PICTURES.map(commandOf)))
})

test.each(COMMANDS)('the command line takes: %s', async (line) => {
  const { command, rest } = await commandIn(line.split(' '))
  const { operands, unknown } = command.parseOptions(rest)
  expect(unknown).toEqual([])
  const photos = operands.filter((operand) => operand.startsWith('examples/'))
  for (const path of photos) expect(existsSync(join(root, path)), path).toBe(true)
})

test('a command that the command line does not take is told', async () => {
  const { command, rest } = await commandIn(['picture', 'pca', 'x.jpg', '--sides', '3'])
  expect(command.parseOptions(rest).unknown).toEqual(['--sides', '3'])
  expect(() => command.parseOptions(['x.jpg', '--method', 'dino'])).toThrow(/dino/)
})

/** Goes from a command to its own command as far as names lead, of which no action is run. */
async function commandIn(words: readonly string[]) {
  let command = await createProgram({ version: '0' } as CommandContext, words)
  const rest = [...words]
  for (;;) {
    const next = command.commands.find((one) => one.name() === rest[0])
    if (next === undefined) break
    command = next
    rest.shift()
  }
  expect(command.commands, words.join(' ')).toEqual([])
  return { command, rest }
}
