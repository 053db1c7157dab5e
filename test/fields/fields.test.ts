/**
 * Each documented field of each library's files does what its table says, and docs/fields.md is these tables in words: it is written anew by
 * `npx vitest run test/fields --update`.
 */
import { describe, expect, test } from 'vitest'
import { BIRDER_WALKS } from './birder-walks.js'
import { ENTRIES_WALK } from './entries-walk.js'
import { FAMILY_WALKS } from './family-walks.js'
import { OPEN_CLIP_WALKS } from './open-clip-walks.js'
import { TIMM_WALKS } from './timm-walks.js'
import { TRANSFORMERS_WALKS } from './transformers-walks.js'
import { fieldsInWords, problemOrNull } from './walk.js'

const WALKS = [
  ...TRANSFORMERS_WALKS,
  ...FAMILY_WALKS,
  ...TIMM_WALKS,
  ...BIRDER_WALKS,
  ...OPEN_CLIP_WALKS,
  ENTRIES_WALK,
]

for (const walk of WALKS) {
  describe(walk.table.title, () => {
    test.each(Object.keys(walk.table.fields))('%s', (name) => expect(problemOrNull(walk, name)).toBeNull())

    test('a field that nobody documents is refused by its name', () => {
      expect(() => walk.read({ ...walk.base, frobnicate: 1 })).toThrow(
        expect.objectContaining({ code: 'unknown-field', message: expect.stringContaining('frobnicate') }),
      )
    })
  })
}

test('docs/fields.md says what the tables say', async () => {
  const intro =
    '# Every field counts\n\nThis file is made from the tables that readers go by, and a test walks each field. A field **counts**, and changes the result as its ' +
    'own library would; or it **changes nothing**; or the load is **refused** by its name unless it has a value that is computed here. A field that no table has is refused as ' +
    "well, since nobody here can know what it changes; where you know that it changes nothing, say so: `ignoreFields: ['name']` (`--ignore-field name`).\n\n"
  const text = intro + WALKS.map(({ table }) => fieldsInWords(table)).join('\n')
  await expect(text).toMatchFileSnapshot('../../docs/fields.md')
})
