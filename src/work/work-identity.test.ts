import { expect, test } from 'vitest'
import type { Identity } from '../encoder/types.js'
import type { PlainRecord } from '../plain-value.js'
import { assertSameWork, workIdentity } from './work-identity.js'

const SETTINGS = { config: { epsilon: 1e-6, heads: 6 }, precision: 'float32', recipe: { size: [14, 14] } }

function identityWith(digit: string, settings: object, told: Partial<Identity> = {}): Identity {
  return {
    digest: digit.repeat(64),
    weights: 'f'.repeat(64),
    settings: JSON.stringify(settings),
    precision: 'float32',
    recipe: 'timm 14x14',
    model: 'a',
    engine: 'native avx2, 2 threads',
    ...told,
  }
}

const expected = workIdentity(identityWith('1', SETTINGS), 'embedding')
const differenceFrom = (found: PlainRecord) => () =>
  assertSameWork('x.parts holds work', found, expected, 'Add --restart.')

test('another name, engine or name of a recipe is the same work', () => {
  const told = { model: 'b', engine: 'wasm SIMD, 9 threads', recipe: 'birder 14x14' }
  const found = workIdentity(identityWith('1', SETTINGS, told), 'embedding')
  expect(differenceFrom(found)).not.toThrow()
})

test('what makes another identity is named, entry by entry', () => {
  const { config } = SETTINGS
  const other = { ...SETTINGS, config: { ...config, heads: 12 }, recipe: { size: [14, 28] } }
  const found = workIdentity(identityWith('2', other, { weights: 'e'.repeat(64) }), 'embedding')
  expect(differenceFrom(found)).toThrow(
    'x.parts holds work made with weights eeeeeeeeeeee, config.heads 12, recipe.size [14,28]; ' +
      'this run has weights ffffffffffff, config.heads 6, recipe.size [14,14]. Add --restart.',
  )
})

test('other values of the same identity are other work', () => {
  const found = workIdentity(identityWith('1', SETTINGS), 'patches')
  expect(differenceFrom(found)).toThrow('made with output patches; this run has output embedding.')
})

test('what an earlier version has left is refused, since it told models apart by parts of a file', () => {
  const found = { fingerprint: 'abc', engine: 'native', precision: 'float32', output: 'embedding' }
  expect(differenceFrom(found)).toThrow(
    /made with identity of an earlier version, .* has identity 111111111111\./,
  )
})

test('a manifest that says nothing of what made it is refused by its digest', () => {
  const found = { identity: '2'.repeat(64), output: 'embedding', weights: 7, settings: 'half' }
  expect(differenceFrom(found)).toThrow(/identity|weights/)
})
