import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashName, NamesSum, parseShard, ShardPick, shardOf, sharedName } from './shard.js'

const fallsTo = (name: string, of: number) => shardOf(hashName(sharedName(name)), of)

const names = fc.uniqueArray(fc.string({ unit: 'binary' }), { maxLength: 50 })
const count = fc.integer({ min: 1, max: 100 })

test('shards are disjoint and cover all, and where there are k times as many each splits into k of them', () => {
  const law = fc.property(names, count, fc.integer({ min: 1, max: 10 }), (all, of, times) => {
    const taken = Array.from({ length: of }, (_, index) => {
      const pick = new ShardPick({ index, of })
      return all.filter((name) => pick.takes(name))
    })
    expect(taken.flat().sort()).toEqual([...all].sort())
    for (const [index, names] of taken.entries())
      for (const name of names) expect(fallsTo(name, of * times) % of).toBe(index)
  })
  fc.assert(law, { numRuns: 50 })
})

test('a name falls where the first 48 bits of its SHA-256 have it, so that other programs can tell too', () => {
  for (const name of ['a.jpg', 'fotos/ä\u{1f600}.png', 'https://example.org/x?y=1']) {
    const bits = BigInt(`0x${createHash('sha256').update(name).digest('hex').slice(0, 12)}`)
    for (const of of [1, 2, 7, 16, 999_983]) expect(fallsTo(name, of)).toBe(Number(bits % BigInt(of)))
  }
})

test('the frames of a film are of its shard', () => {
  const of = 1_000_000
  expect(fallsTo('clip.mp4#t=12.500', of)).toBe(fallsTo('clip.mp4', of))
  expect(fallsTo('clip.mp4#t=12.500x', of)).not.toBe(fallsTo('clip.mp4', of))
})

test('the sum of names does not depend on their order, wraps at 2^128, and counts what comes twice', () => {
  const law = fc.property(names, (all) => {
    const sums = [all, [...all].reverse()].map((list) => {
      const sum = new NamesSum()
      for (const name of list) sum.add(hashName(name))
      return { count: sum.count, sum: sum.sum }
    })
    expect(sums[0]).toEqual(sums[1])
    const expected = all.reduce(
      (sum, name) =>
        sum + BigInt(`0x${createHash('sha256').update(Buffer.from(name)).digest('hex').slice(0, 32)}`),
      0n,
    )
    expect(sums[0]?.sum).toBe((expected % 2n ** 128n).toString(16).padStart(32, '0'))
    if (all[0] === undefined) return
    const twice = new NamesSum()
    for (const name of [...all, all[0]]) twice.add(hashName(name))
    expect(twice.sum).not.toBe(sums[0]?.sum)
  })
  fc.assert(law, { numRuns: 50 })
})

test('a shard that cannot be is refused, and where it was counted from 1, by what it would have been', () => {
  expect(parseShard('0/1')).toEqual({ index: 0, of: 1 })
  expect(parseShard('15/16')).toEqual({ index: 15, of: 16 })
  expect(() => parseShard('16/16')).toThrow('the last one is 15/16. Counted from 1, this would be 15/16.')
  expect(() => parseShard('17/16')).toThrow(/There is no shard 17\/16: .*15\/16\.$/)
  expect(() => parseShard('0/0')).toThrow('Expected 1 to 1000000 shards; found 0')
  for (const text of ['', '3', '-1/4', '1.5/4', '3 / 16', '3/16/2', 'a/b', '/4'])
    expect(() => parseShard(text)).toThrow(`such as 3/16; found ${text}.`)
})
