/** Shows pictures in a real pseudo-terminal, whose other end answers as kitty, a terminal with sixels, one without pictures, or not at all. */
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { factsIn } from '../../src/platform/node/picture/terminal/ask-terminal.js'
import { sixels } from '../../src/platform/node/picture/terminal/sixel.js'

const MAIN = resolve('dist/bundle/node/cli.js')
const PHOTO = resolve('examples/photos/hat-1.jpg')
const SCRIPT = join(import.meta.dirname, '../support/in-terminal.py')
const hasPython = spawnSync('python3', ['--version']).status === 0

interface Shown {
  readonly code: number
  readonly text: string
  readonly waited: number | null
  readonly cooked: boolean
}

function shown(answer: string, env: NodeJS.ProcessEnv = {}): Shown {
  const command = [process.execPath, MAIN, 'picture', 'pca', PHOTO, '--patches', '64', '-m', 'models/mini']
  const { TERM_PROGRAM: _, LC_TERMINAL: __, ...rest } = process.env
  const { stdout, stderr } = spawnSync(
    'python3',
    [SCRIPT, Buffer.from(answer, 'latin1').toString('hex'), ...command],
    {
      encoding: 'utf8',
      env: { ...rest, TERM: 'xterm-256color', ...env },
    },
  )
  if (stdout === '') throw new Error(stderr)
  const { sent, ...facts } = JSON.parse(stdout) as Omit<Shown, 'text'> & { readonly sent: string }
  return { ...facts, text: visible(Buffer.from(sent, 'base64').toString('utf8')) }
}

const ESCAPE = '\u001b'

/** Patterns with control characters are hard to read. */
function visible(text: string): string {
  return text.replaceAll(ESCAPE, '␛').replaceAll('\u0007', '␇')
}

describe.skipIf(!hasPython)('in a pseudo-terminal', () => {
  test('kitty gets a PNG in pieces that ask for no answer, as large as its letters say', async () => {
    const { code, text, cooked } = shown(`${ESCAPE}_Gi=31;OK${ESCAPE}\\${ESCAPE}[6;4;2t${ESCAPE}[?62;c`)
    expect({ code, cooked }).toEqual({ code: 0, cooked: true })
    const pieces = [...text.matchAll(/_G(?:a=T,f=100,)?q=2,m=([01]);([A-Za-z0-9+/=]*)/g)]
    expect(pieces.map(([, more]) => more)).toEqual([...pieces.slice(1).map(() => '1'), '0'])
    const image = await decodeImage(Buffer.from(pieces.map(([, , base64]) => base64).join(''), 'base64'))
    // It has 36 lines of 4 pixels, and 100 columns of 2.
    expect(image.height).toBeLessThanOrEqual(36 * 4)
    expect([image.height, image.width].some((side) => side === 144 || side === 200)).toBe(true)
  })

  test('a terminal that says it has sixels gets them', () => {
    const { code, text } = shown(`${ESCAPE}[?62;4;22c`)
    expect(code).toBe(0)
    expect(text).toMatch(/␛P0;1q"1;1;\d+;\d+#0;2;0;0;0/)
    expect(text).not.toContain('▀')
  })

  test('iTerm2 is known by its name', () => {
    const { text } = shown(`${ESCAPE}[?62;c`, { TERM_PROGRAM: 'iTerm.app' })
    expect(text).toMatch(/␛\]1337;File=inline=1;size=\d+;width=\d+px;height=\d+px:[A-Za-z0-9+/=]+␇/)
  })

  test('any other gets half blocks in 24 bits, none wider than it is, and the caption below', () => {
    const { code, text, cooked } = shown(`${ESCAPE}[?1;2c`)
    expect({ code, cooked }).toEqual({ code: 0, cooked: true })
    const lines = text.split('\n').filter((line) => line.includes('▀'))
    expect(lines.length).toBeGreaterThan(10)
    for (const line of lines) {
      expect(line).toMatch(/38;2;\d+;\d+;\d+;48;2;/)
      expect([...line.matchAll(/▀/g)].length).toBeLessThanOrEqual(100)
    }
    expect(text).toContain('Patches as colours')
  })

  test('one that never answers is waited for 200 ms, and gets half blocks', () => {
    const { code, text, waited, cooked } = shown('')
    expect({ code, cooked }).toEqual({ code: 0, cooked: true })
    expect(text).toContain('▀')
    // The picture is made in between, on a machine that may be busy.
    expect(waited).toBeGreaterThan(0.19)
    expect(waited).toBeLessThan(2)
  })

  test('a dumb terminal gets no escapes but the advice to give a file', () => {
    const { code, text } = shown('', { TERM: 'dumb' })
    expect(code).toBe(2)
    expect(text).toContain('give --output')
    expect(text).not.toContain('▀')
  })
})

test('the answer of a terminal is read whatever stands before it', () => {
  expect(factsIn('typed ahead\u001b[6;18;9t\u001b[?64;1;4c', {})).toEqual({
    protocol: 'sixel',
    cell: { height: 18, width: 9 },
  })
  expect(factsIn('\u001b[?4;1c', {}).protocol).toBe('blocks')
  expect(factsIn('', {})).toEqual({ protocol: 'blocks', cell: { height: 16, width: 8 } })
})

test('sixels say which of six rows a colour has, and how often', () => {
  const image = { height: 7, width: 5, data: new Uint8Array(7 * 5 * 3) }
  const body = sixels(image).replace(/^.*#251;2;100;100;100/s, '')
  expect(visible(body)).toBe('#0!5~-#0!5@-␛\\')
})
