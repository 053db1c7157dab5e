/** Fetches the example photos that come with the package. */
import type { NamedFile } from './use-photos.js'

const addresses = import.meta.glob<string>('../../examples/photos/*.jpg', {
  query: '?url',
  import: 'default',
  eager: true,
})

/** Throws where one of them cannot be fetched, with its name. */
export async function fetchExamples(): Promise<NamedFile[]> {
  return await Promise.all(
    Object.entries(addresses).map(async ([path, address]) => {
      const name = path.replace(/.*\//, '')
      const answer = await fetch(address)
      if (!answer.ok) throw new Error(`${name}: ${answer.status}`)
      return { name, file: await answer.blob() }
    }),
  )
}
