import { loadEncoder } from 'plumage/node'

async function main([photo]: readonly string[]): Promise<void> {
  if (photo === undefined) throw new Error('Name a photo.')
  const encoder = await loadEncoder('small', { onWarning: (message) => console.error(message) })
  const { embedding } = await encoder.encode(photo)
  console.log(JSON.stringify({ engine: encoder.identity.engine, embedding: [...embedding] }))
  await encoder[Symbol.asyncDispose]()
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error)
  process.exitCode = 1
})
