/** Tries that the bundle for Node hands out just what the compiled modules do, and that its files import each other in one direction. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const script = join(import.meta.dirname, 'build-bundle.mjs')
const { BUNDLE } = (await import(script)) as { readonly BUNDLE: string }
const dist = join(BUNDLE, '../..')

test.each([
  ['index.js', 'index.js'],
  ['node.js', 'platform/node/index.js'],
  ['birder.js', 'platform/node/birder.js'],
])('%s exports what %s does', async (bundled, compiled) => {
  const names = async (path: string) => Object.keys(await import(pathToFileURL(path).href)).sort()
  const found = await names(join(BUNDLE, bundled))
  expect(found.length).toBeGreaterThan(3)
  expect(found).toEqual(await names(join(dist, compiled)))
})

test('an error of one door is an instance of the class of another', async () => {
  const door = (name: string) => import(pathToFileURL(join(BUNDLE, `${name}.js`)).href)
  const [{ ImageError }, { decodeImage }] = await Promise.all([door('index'), door('node')])
  await expect(decodeImage(new Uint8Array(8))).rejects.toBeInstanceOf(ImageError)
})

test('no door loads the command, the library loads no other file, and threads load nothing of the bundle', () => {
  const imported = (name: string) =>
    [...readFileSync(join(BUNDLE, name), 'utf8').matchAll(/^(?:import|export) .*?"\.\/([^"]+)";$/gm)].map(
      ([, file]) => file,
    )
  expect(imported('library.js')).toEqual([])
  expect(imported('rest.js')).toEqual(['library.js'])
  for (const door of ['index.js', 'node.js', 'birder.js'])
    expect(new Set(imported(door))).toEqual(new Set(['library.js', 'rest.js']))
  expect(imported('command.js')).toEqual(['library.js'])
  for (const alone of ['addon-folder.js', 'heic-worker.js', 'wasm-worker.js'])
    expect(readFileSync(join(BUNDLE, alone), 'utf8')).not.toMatch(/^(?:import|export) .*"(?!node:)[^"]+";$/m)
})
