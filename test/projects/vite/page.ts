import { loadEncoder } from 'plumage/browser'

const input = document.querySelector('input')
const output = document.querySelector('output')
if (input === null || output === null) throw new Error('The page lacks its input or its output.')

async function embed(photo: Blob): Promise<string> {
  const encoder = await loadEncoder('small', { engine: 'wasm' })
  const { embedding } = await encoder.encode(photo)
  const { engine } = encoder.identity
  encoder[Symbol.dispose]()
  return JSON.stringify({ engine, embedding: [...embedding] })
}

input.addEventListener('change', async () => {
  const [photo] = input.files ?? []
  if (photo !== undefined) output.textContent = await embed(photo).catch(String)
})
