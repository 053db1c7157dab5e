/**
 * Measures what decoding JPEG scaled changes: the cosine between the embedding of each photo as it is, decoded whole, and decoded scaled. Prints a table in
 * Markdown.
 *
 *     node bench/scaled-error.mjs [--photos medium,large] [--count 40] [--sizes 224,518] [--model small]
 */
import { parseArgs } from 'node:util'
import { dist } from './dist.mjs'
import { folderOfPhotos, KINDS } from './folder/photos.mjs'
import { median } from './median.mjs'

const { values: options } = parseArgs({
  options: {
    photos: { type: 'string', default: 'medium,large' },
    count: { type: 'string', default: '40' },
    sizes: { type: 'string', default: '224,518' },
    model: { type: 'string', default: 'small' },
  },
})
const { loadEncoder } = await dist('platform/node/load-encoder.js')
const { cosineSimilarity } = await dist('numerics/cosine-similarity.js')

console.log(`${options.count} photos of each kind, ${options.model}\n`)
console.log('| megapixels | size | cosine, least | cosine, median |')
console.log('| --- | --- | --- | --- |')
for (const kind of options.photos.split(',')) {
  const { paths } = await folderOfPhotos(kind, Number(options.count))
  for (const size of options.sizes.split(',').map(Number)) {
    const [whole, scaled] = [await embeddings(paths, size, 'whole'), await embeddings(paths, size, 'scaled')]
    const cosines = whole.map((one, i) => cosineSimilarity(one, scaled[i]))
    const cells = [KINDS[kind].megapixels, size, Math.min(...cosines).toFixed(5), median(cosines).toFixed(5)]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

async function embeddings(paths, size, decode) {
  const encoder = await loadEncoder(options.model, { size, decode })
  const found = []
  for await (const { features, error } of encoder.encodeAll(paths)) {
    if (error !== undefined) throw error
    found.push(features.embedding)
  }
  await encoder[Symbol.asyncDispose]()
  return found
}
