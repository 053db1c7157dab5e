/** Holds docs/scale.md to the script that writes it: its figures are those of the benches, and change with them. */
import { expect, test } from 'vitest'

const script = new URL('scale-doc.mjs', import.meta.url).href

test('docs/scale.md is what the script makes of the recorded figures', async () => {
  const { scaleText } = (await import(script)) as { scaleText(): string }
  await expect(scaleText()).toMatchFileSnapshot('../docs/scale.md')
})
