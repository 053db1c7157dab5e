/**
 * Draws every kind of picture of two photos with the quick model, and compares each with the one in `pictures/`, which somebody has looked at. To change one, remove it,
 * run this, and look at what is there then.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { rankedForPictures } from '../../src/hub/picture-models.js'
import { UPSAMPLINGS } from '../../src/picture/upsample.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { MINI } from '../support/mini.js'
import { type Folder, folderWith, runInTest } from './run-in-test.js'

const PHOTOS = resolve('examples/photos')
const PICTURES = join(import.meta.dirname, 'pictures')
const [HAT, SHOES] = [join(PHOTOS, 'hat-1.jpg'), join(PHOTOS, 'shoes-1.jpg')]
/** The pictures that are kept are small: what is drawn is the same. */
const SMALL = ['--patches', '80', '--side', '120', '--no-caption']

function picture(
  args: readonly string[],
  folder: Folder,
  options: Partial<Parameters<typeof runInTest>[1]> = {},
) {
  return runInTest(['picture', ...args, '-m', MINI, '--engine', 'native', '--precision', 'float32'], {
    cwd: folder.path,
    loadEncoder: (model, choice) => loadEncoder(model, choice),
    ...options,
  })
}

const KINDS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['pca', ['pca', HAT, SHOES]],
  ['pca-over', ['pca', HAT, '--layout', 'over', '--method', 'birder']],
  ['pca-foreground', ['pca', HAT, SHOES, '--foreground', '50%,50%']],
  ['similar', ['similar', HAT, SHOES, '--point', '50%,50%']],
  ['similar-box', ['similar', SHOES, '--box', '20%,20%,80%,60%', '--map', 'magma']],
  ['attention', ['attention', HAT]],
  ['attention-heads', ['attention', HAT, '--show', 'each', '--map', 'cividis']],
  ['attention-point', ['attention', HAT, '--point', '200,200', '--layer', '3', '--layout', 'over']],
  ['rollout', ['rollout', HAT]],
  ['match', ['match', HAT, SHOES, '--threshold', '0.3', '--agree', 'homography']],
  ['objects', ['objects', HAT, SHOES]],
  ['objects-in-keys', ['objects', HAT, SHOES, '--facet', 'keys']],
  ['clusters', ['clusters', HAT, SHOES, '--count', '3']],
  ['norms', ['norms', HAT]],
  ['compare', ['compare', HAT, '--layers', '3,-1']],
  ['pca-bicubic', ['pca', HAT, SHOES, '--upsample', 'bicubic']],
  ['pca-joint-bilateral', ['pca', HAT, SHOES, '--upsample', 'joint-bilateral']],
  [
    'pca-foreground-joint-bilateral',
    ['pca', HAT, SHOES, '--foreground', '50%,50%', '--upsample', 'joint-bilateral'],
  ],
  ['similar-bicubic', ['similar', HAT, SHOES, '--point', '50%,50%', '--upsample', 'bicubic']],
  ['attention-joint-bilateral', ['attention', HAT, '--upsample', 'joint-bilateral']],
  ['rollout-bicubic', ['rollout', HAT, '--upsample', 'bicubic']],
  ['objects-bicubic', ['objects', HAT, SHOES, '--upsample', 'bicubic']],
  ['objects-joint-bilateral', ['objects', HAT, SHOES, '--upsample', 'joint-bilateral']],
  ['clusters-bicubic', ['clusters', HAT, SHOES, '--count', '3', '--upsample', 'bicubic']],
  ['norms-bicubic', ['norms', HAT, '--upsample', 'bicubic']],
  ['cropped-bicubic', ['pca', HAT, '--size', '112', '--recipe', 'facebook', '--upsample', 'bicubic']],
  [
    'tiles-joint-bilateral',
    ['pca', HAT, '--tiles', '112', '--longest', '224', '--upsample', 'joint-bilateral'],
  ],
  ['cropped', ['pca', HAT, '--size', '112', '--recipe', 'facebook']],
]

test.each(KINDS)('the picture %s is as it was', async (name, args) => {
  using folder = folderWith()
  const small = args.includes('--size') || args.includes('--tiles') ? SMALL.slice(2) : SMALL
  const { code, stderr } = await picture([...args, ...small, '-o', 'out.webp'], folder)
  expect({ code, stderr: stderr.replace(/^.*separability.*\n/, '') }).toEqual({ code: 0, stderr: '' })
  const path = join(PICTURES, `${name}.webp`)
  if (!existsSync(path)) {
    mkdirSync(PICTURES, { recursive: true })
    writeFileSync(path, readFileSync(join(folder.path, 'out.webp')))
    throw new Error(`${path} is new: look at it, and keep it.`)
  }
  const [found, kept] = [await decodeImage(join(folder.path, 'out.webp')), await decodeImage(path)]
  expect([found.height, found.width]).toEqual([kept.height, kept.width])
  const off = kept.data.map((level, i) => Math.abs(level - (found.data[i] ?? 0)))
  // Other processors sum in another order, and other versions of the decoder reduce photos a little otherwise.
  expect(off.filter((difference) => difference > 12).length / off.length).toBeLessThan(0.01)
})

test('a folder gets a picture of each photo, named after it, and another run replaces what this library has made', async () => {
  using folder = folderWith()
  const args = ['pca', HAT, SHOES, ...SMALL, '-o', 'out', '--format', 'jpeg']
  expect((await picture(args, folder)).code).toBe(0)
  const names = () =>
    readdirSync(join(folder.path, 'out'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.jpeg'),
    )
  expect(
    names()
      .map((name) => name.split('/').at(-1))
      .sort(),
  ).toEqual(['hat-1.jpg.jpeg', 'shoes-1.jpg.jpeg'])
  expect((await picture(args, folder)).code).toBe(0)
})

test('without upsampling a picture is the same to the byte, and with it the same whatever else is in the batch', async () => {
  using folder = folderWith()
  const attention = (photos: readonly string[], output: string, way?: string) =>
    picture(
      ['attention', ...photos, ...SMALL, '-o', output, ...(way === undefined ? [] : ['--upsample', way])],
      folder,
    )
  const bytes = (name: string) => readFileSync(join(folder.path, name))
  await attention([HAT], 'default.png')
  await attention([HAT], 'none.png', 'none')
  expect(bytes('none.png').equals(bytes('default.png'))).toBe(true)
  for (const way of UPSAMPLINGS) {
    const pixelsOf = async (output: string) => {
      const names = readdirSync(join(folder.path, output), { recursive: true, encoding: 'utf8' })
      return await decodeImage(
        join(folder.path, output, names.find((name) => name.endsWith('hat-1.jpg.png')) ?? ''),
      )
    }
    await attention([HAT], `${way}-alone`, way)
    await attention([SHOES, HAT], `${way}-together`, way)
    expect((await pixelsOf(`${way}-together`)).data).toEqual((await pixelsOf(`${way}-alone`)).data)
  }
})

test('the caption names the model, and the command that fetches a better one where it is the one in the package', async () => {
  using folder = folderWith()
  let told = ''
  const { code } = await runInTest(['picture', 'pca', HAT, '--patches', '16', '-o', 'x.png'], {
    cwd: folder.path,
    loadEncoder: (_model, choice) => loadEncoder(MINI, choice),
    pictures: {
      decode: (source, options) => decodeImage(source, options),
      reduce: async (image) => image,
      products: async () => (await import('../../src/platform/node/create-products.js')).createProducts(),
      encode: async (_image, _format, text) => {
        told = text
        return new Uint8Array(1)
      },
      assertTakes: async () => {},
      bestModelOrNull: async () => null,
      screen: null,
    },
  })
  expect(code).toBe(0)
  expect(told).toContain('deit3_reg4_t14_tiny-imagenet (small)')
  expect(told).toContain('plumage pull facebook/dinov2-with-registers-small')
  expect(told).toContain(HAT)
})

test('of the models on this machine that were trained for dense features the best is taken, and no other', () => {
  const names = [
    'facebook/dinov2-small',
    'openai/clip-vit-large-patch14',
    'facebook/dinov2-giant',
    'dinov2_vitb14_reg4_pretrain.pth',
    'timm/vit_small_patch16_dinov3.lvd1689m',
    'dinov2_vits14_ade20k_linear_head.pth',
    'facebook/dinov2-with-registers-small-imagenet1k-1-layer',
  ]
  expect(rankedForPictures(names)).toEqual([
    'timm/vit_small_patch16_dinov3.lvd1689m',
    'dinov2_vitb14_reg4_pretrain.pth',
    'facebook/dinov2-small',
    'facebook/dinov2-giant',
  ])
})

test('what cannot be read is told on a line of its own, and the others are drawn', async () => {
  using folder = folderWith({ 'broken.jpg': 'no image' })
  const { code, stderr } = await picture(
    ['pca', 'broken.jpg', HAT, 'gone.jpg', ...SMALL, '-o', 'out.png'],
    folder,
  )
  expect(code).toBe(1)
  const lines = stderr.trimEnd().split('\n')
  expect(lines).toHaveLength(3)
  expect(lines.join('\n')).toMatch(/2 of 3 images failed\.$/)
  expect((await decodeImage(join(folder.path, 'out.png'))).width).toBe(188)
})

test.each<readonly [what: string, args: readonly string[], said: RegExp]>([
  ['no place', ['pca', HAT], /stdout, which is no terminal here: give --output/],
  [
    'a point outside',
    ['similar', HAT, '--point', '900,20', '-o', 'x.png'],
    /--point 900,20 lies outside of .*hat-1.jpg, which is 400 pixels wide and 534 high/,
  ],
  ['an empty box', ['similar', HAT, '--box', '50,50,20,90', '-o', 'x.png'], /holds nothing/],
  ['no query', ['similar', HAT, '-o', 'x.png'], /What is looked for\?/],
  [
    'a layer that is not there',
    ['attention', HAT, '--layer', '40', '-o', 'x.png'],
    /no hidden layer 40: this network has 12/,
  ],
  ['a head that is not there', ['attention', HAT, '--show', '9', '-o', 'x.png'], /no attention head 9/],
  ['heads mistyped', ['attention', HAT, '--show', 'maen', '-o', 'x.png'], /Did you mean mean\?/],
  ['one photo to match', ['match', HAT, '-o', 'x.png'], /expected two inputs, found 1/],
  ['nothing to compare', ['compare', HAT, '-o', 'x.png'], /Give one of --with/],
  [
    'colours that are none',
    ['pca', HAT, '--colors', 'a.txt', '-o', 'x.png'],
    /no saved colours: they are no JSON/,
  ],
  ['colours that are not there', ['pca', HAT, '--colors', 'b.json', '-o', 'x.png'], /there is no such file/],
  ['another ending', ['pca', HAT, '-o', 'x.pgn'], /did you mean \.png\?/],
  ['two formats', ['pca', HAT, '-o', 'x.png', '--format', 'webp'], /leave one out/],
  ['a device', ['pca', HAT, '-o', '/dev/null'], /a pipe or a device/],
  ['a file for a folder', ['pca', HAT, '-o', 'a.txt/x.png'], /a part of the path is a file/],
  ["somebody else's file", ['pca', HAT, '-o', 'mine.png'], /is no picture that plumage has made.*--restart/],
  ['scaled decoding', ['pca', HAT, '--decode', 'scaled', '-o', 'x.png'], /Leave it out/],
  [
    'patches of a size',
    ['pca', HAT, '--patches', '9', '--size', '28', '-o', 'x.png'],
    /--patches bounds .* and --size says/,
  ],
  [
    'an upsampling mistyped',
    ['pca', HAT, '--upsample', 'bicubik', '-o', 'x.png'],
    /Allowed choices are none, bicubic, joint-bilateral|Did you mean bicubic/,
  ],
  [
    'matches upsampled',
    ['match', HAT, SHOES, '--upsample', 'bicubic', '-o', 'x.png'],
    /--upsample bicubic: this picture shows patches as they are/,
  ],
  [
    'a comparison upsampled',
    ['compare', HAT, '--layers', '3,-1', '--upsample', 'joint-bilateral', '-o', 'x.png'],
    /--upsample joint-bilateral: this picture shows patches as they are/,
  ],
  [
    'too many groups for each pixel',
    ['clusters', HAT, '--count', '17', '--upsample', 'bicubic', '-o', 'x.png'],
    /Give --count 16 or fewer/,
  ],
  ['a kind mistyped', ['pcaa', HAT], /Did you mean pca\?/],
  [
    'two places',
    ['similar', HAT, '--point', '9,9', '--mask', 'mine.png', '-o', 'x.png'],
    /What is looked for\?/,
  ],
  ['a mask that is none', ['similar', HAT, '--mask', 'a.txt', '-o', 'x.png'], /--mask a\.txt: .*a\.txt/],
  ['a mask that is not there', ['similar', HAT, '--mask', 'gone.png', '-o', 'x.png'], /--mask gone\.png: /],
  [
    'a mask of another size',
    ['similar', HAT, '--mask', SHOES, '-o', 'x.png'],
    /shoes-1\.jpg is 400 pixels wide and 533 high, and .*hat-1\.jpg is 400 and 534/,
  ],
  [
    'a method and a tool',
    ['pca', HAT, '--like', 'dinov3', '--method', 'birder', '-o', 'x.png'],
    /--like dinov3 sets what --method sets/,
  ],
  [
    'heads and a tool',
    ['attention', HAT, '--like', 'dinov3', '--show', '0', '-o', 'x.png'],
    /--like dinov3 sets what --show sets/,
  ],
  ['a tool that shows no heads', ['attention', HAT, '--like', 'birder', '-o', 'x.png'], /dino-vit-features/],
  [
    'a tool with tiles',
    ['pca', HAT, '--like', 'dinov3', '--tiles', '112', '-o', 'x.png'],
    /Leave one of --like and --tiles out/,
  ],
])('%s is one clear line with exit code 2', async (_what, args, said) => {
  using folder = folderWith({ 'a.txt': 'text', 'mine.png': 'mine' })
  const { code, stderr, stdout } = await picture(args, folder)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(said)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(existsSync(join(folder.path, 'x.png'))).toBe(false)
  expect(readFileSync(join(folder.path, 'mine.png'), 'utf8')).toBe('mine')
})

test('whose attention it is can be said', async () => {
  using folder = folderWith()
  const { code, stderr } = await picture(
    ['attention', HAT, '--from', 'registers', ...SMALL, '-o', 'x.png'],
    folder,
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test('a mask has the patches that are light in it, and its edge is drawn', async () => {
  using folder = folderWith()
  const sharp = (await import('sharp')).default
  // The quarter of hat-1.jpg that its last two columns of patches, of eight, and the last half of its rows have seen.
  const light = sharp({ create: { width: 100, height: 267, channels: 3, background: 'white' } }).png()
  const dark = sharp({ create: { width: 400, height: 534, channels: 3, background: 'black' } })
  const mask = dark.composite([{ input: await light.toBuffer(), left: 300, top: 267 }]).png()
  writeFileSync(join(folder.path, 'mask.png'), await mask.toBuffer())
  const args = ['--size', '112', '--recipe', 'birder', '--layout', 'alone', '--side', '120', '--no-caption']
  const run = (...place: readonly string[]) =>
    picture(['similar', HAT, ...place, ...args, '-o', `of${place[0]}.png`], folder)
  for (const place of [
    ['--mask', 'mask.png'],
    ['--box', '300,267,400,534'],
  ])
    expect(await run(...place)).toMatchObject({ code: 0, stderr: '' })
  const [masked, boxed] = await Promise.all(
    ['of--mask.png', 'of--box.png'].map((name) => decodeImage(join(folder.path, name))),
  )
  // What is told from the other is the mark: in the legend and away from both edges they are the same.
  const levels = (image: typeof masked, y: number, x: number) =>
    image?.data.slice(3 * (y * image.width + x), 3 * (y * image.width + x) + 3)
  for (const [y, x] of [
    [10, 10],
    [60, 30],
    [100, 80],
  ] as const)
    expect(levels(masked, y, x), `${y}, ${x}`).toEqual(levels(boxed, y, x))
  expect(levels(masked, 100, 68)).toEqual(Uint8Array.of(255, 64, 64))
})

test('like another tool, a picture has its patches, its way to colours and its heads', async () => {
  using folder = folderWith()
  const bytes = async (args: readonly string[]) => {
    const { code, stderr } = await picture([...args, '--side', '120', '--no-caption', '-o', 'x.png'], folder)
    expect({ code, stderr: stderr.replace(/^.*separability.*\n/, '') }).toEqual({ code: 0, stderr: '' })
    return (await decodeImage(join(folder.path, 'x.png'))).data
  }
  const at = ['--shortest', '112']
  const like = async (kind: string, name: string) => await bytes([kind, HAT, '--like', name, ...at])
  expect(await like('pca', 'dinov3')).toEqual(await bytes(['pca', HAT, '--method', 'dinov3', ...at]))
  // Birder's patches are those before the final norm.
  expect(await like('pca', 'birder')).not.toEqual(await bytes(['pca', HAT, '--method', 'birder', ...at]))
  expect(await like('pca', 'dino-vit-features')).not.toEqual(await bytes(['pca', HAT, ...at]))
  expect(await like('attention', 'dinov3')).toEqual(await bytes(['attention', HAT, '--show', 'each', ...at]))
  expect(await like('rollout', 'birder')).toEqual(await bytes(['rollout', HAT, ...at]))
})

test('a photo above the cap fails by itself', async () => {
  using folder = folderWith()
  const args = ['pca', HAT, '--longest', '112', '--max-tokens', '20', '-o', 'x.png']
  const { code, stderr } = await picture(args, folder)
  expect(code).toBe(1)
  expect(stderr).toMatch(/tokens/)
})

test('a photo that is smaller than a patch has one', async () => {
  using folder = folderWith()
  const png = (await import('sharp')).default({
    create: { width: 5, height: 3, channels: 3, background: 'red' },
  })
  writeFileSync(join(folder.path, 'tiny.png'), await png.png().toBuffer())
  const { code, stderr } = await picture(['pca', 'tiny.png', HAT, ...SMALL, '-o', 'x.png'], folder)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test('whoever stops it has no half of a picture', async () => {
  using folder = folderWith()
  const stop = new AbortController()
  const decode = async (...args: Parameters<typeof decodeImage>) => {
    stop.abort(new Error('SIGINT'))
    return decodeImage(...args)
  }
  const { code, stderr } = await picture(['pca', HAT, SHOES, '-o', 'x.png'], folder, {
    signal: stop.signal,
    pictures: {
      decode: (source, options) => decode(source, options),
      reduce: async (image) => image,
      products: async () => (await import('../../src/platform/node/create-products.js')).createProducts(),
      encode: async () => new Uint8Array(),
      assertTakes: async () => {},
      bestModelOrNull: async () => null,
      screen: null,
    },
  })
  expect(code).toBe(130)
  expect(stderr).toContain('Interrupted.')
  expect(readdirSync(folder.path)).toEqual([])
})
