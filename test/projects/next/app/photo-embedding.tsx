'use client'

import { loadEncoder } from 'plumage/browser'
import { useState } from 'react'

export function PhotoEmbedding() {
  const [found, setFound] = useState('')
  async function embed(photo: Blob) {
    const encoder = await loadEncoder('small', { engine: 'wasm' })
    const { embedding } = await encoder.encode(photo)
    setFound(JSON.stringify({ engine: encoder.identity.engine, embedding: [...embedding] }))
    encoder[Symbol.dispose]()
  }
  return (
    <main>
      <input
        type="file"
        onChange={({ target }) => {
          const [photo] = target.files ?? []
          if (photo !== undefined) embed(photo).catch((error) => setFound(String(error)))
        }}
      />
      <output>{found}</output>
    </main>
  )
}
