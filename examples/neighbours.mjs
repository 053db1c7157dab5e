/**
 * Embeds every photo of a folder, shows for each the other one most like it, and keeps the embeddings.
 *
 *     node examples/neighbours.mjs [folder]
 *
 * It works anywhere once the package is installed, since it imports it by its name.
 */
import { readdir, rename, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cosineSimilarity, loadEncoder } from 'plumage/node'

const OUTPUT = 'embeddings.jsonl'

/** `options` are those of `loadEncoder`. */
export async function showNeighbours(folder, options = {}) {
  const photos = await embedFolder(folder, options)

  const rows = photos.map((photo) => {
    const [height, width] = photo.features.imageSize
    const nearest = nearestOther(photo, photos)
    return [photo.name, `${width} x ${height}`, nearest?.name ?? '-', nearest?.similarity.toFixed(3) ?? '-']
  })
  printTable([['photo', 'size', 'nearest other', 'similarity'], ...rows])

  const lines = photos.map(({ path, features }) => {
    return `${JSON.stringify({ path, embedding: Array.from(features.embedding) })}\n`
  })
  await writeFile(`${OUTPUT}.tmp`, lines.join(''))
  await rename(`${OUTPUT}.tmp`, OUTPUT)
  console.log(`\nThe embeddings are in ${OUTPUT}.`)
}

async function embedFolder(folder, options) {
  const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort()
  const encoder = await loadEncoder('small', options) // TypeScript and Node 24 can say `using encoder = …` and leave out the `finally`
  try {
    const started = performance.now()
    const photos = []
    for await (const { source, features, error } of encoder.encodeAll(
      names.map((name) => join(folder, name)),
    )) {
      if (error)
        console.error(`${source}: ${error.message}`) // one bad photo never stops the others
      else photos.push({ name: basename(source), path: source, features })
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(2)
    const { model, engine, precision } = encoder.identity
    console.log(`${photos.length} photos of ${folder} in ${seconds} s: ${encoder.width} numbers each,`)
    console.log(`from ${model}, computed by ${engine}, ${precision}\n`)
    return photos
  } finally {
    encoder[Symbol.dispose]()
  }
}

/** Embeddings are compared by the angle between them: 1 is the same direction. */
function nearestOther(photo, photos) {
  let nearest = null
  for (const other of photos) {
    if (other === photo) continue
    const similarity = cosineSimilarity(photo.features.embedding, other.features.embedding)
    if (nearest === null || similarity > nearest.similarity) nearest = { name: other.name, similarity }
  }
  return nearest
}

function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('   ')
        .trimEnd(),
    )
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  await showNeighbours(process.argv[2] ?? 'examples/photos')
}
