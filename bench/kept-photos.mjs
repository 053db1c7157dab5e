/**
 * Measures the memory in which `plumage picture pca` and `clusters` go through many photos: of each there are made features, as large as those of ViT-S/14 at the
 * default of 1024 patches, and a small photo as it would be drawn into a folder.
 *
 *     node bench/kept-photos.mjs [photos, default 1000]
 */
const room = (name) => new URL(`../dist/${name}.js`, import.meta.url).href
const { clusterPatches, colorPatches, createProducts, fitPatchColors, labelPatches } = {
  ...(await import(room('index'))),
  ...(await import(room('platform/node/index'))),
}
const { keepPhotos } = await import(room('cli/commands/picture/kept-photos'))
const { seededRandom } = await import(room('numerics/seeded-random'))

const COUNT = Number(process.argv[2] ?? 1000)
const GRID = { rows: 32, columns: 32 }
const WIDTH = 384
const SIDE = 1024

const products = createProducts()
let peak = 0
const look = () => {
  peak = Math.max(peak, process.memoryUsage().rss)
}

async function* photos() {
  const random = seededRandom(1)
  const noise = Float32Array.from({ length: 2 ** 16 }, () => random() - 0.5)
  for (let index = 0; index < COUNT; index++) {
    const patches = new Float32Array(GRID.rows * GRID.columns * WIDTH)
    for (let at = 0; at < patches.length; at++) patches[at] = noise[(at * 7 + index * 131) & 65535]
    const photo = { height: SIDE, width: SIDE, data: new Uint8Array(SIDE * SIDE * 3).fill(index) }
    yield { path: `${index}.jpg`, photo, features: { patches, grid: GRID } }
    look()
  }
}

async function measured(name, fit, apply) {
  peak = 0
  const started = performance.now()
  const remarks = []
  const { sample, photos: again } = await keepPhotos({ photos, remark: (text) => remarks.push(text) })
  const fitted = await fit(sample.maps)
  look()
  for await (const { features } of again()) {
    await apply(features, fitted)
    look()
  }
  const seconds = (performance.now() - started) / 1000
  const fittedTo = sample.maps.reduce((sum, { patches }) => sum + patches.length / WIDTH, 0)
  console.log(
    `${name}: ${COUNT} photos, ${COUNT * GRID.rows * GRID.columns} patches, fitted to ${fittedTo}; peak ${(peak / 2 ** 20).toFixed(0)} MiB, ${seconds.toFixed(1)} s`,
  )
}

await measured(
  'pca',
  (maps) => fitPatchColors(maps, { products }),
  (map, colors) => colorPatches(map, colors),
)
await measured(
  'clusters',
  (maps) => clusterPatches(maps, 6, { products, rounds: 10 }),
  (map, clusters) => labelPatches(map, clusters, { products }),
)
await products[Symbol.asyncDispose]()
