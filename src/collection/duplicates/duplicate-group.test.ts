import { expect, test } from 'vitest'
import type { Copy } from './copy.js'
import { Different, differentEntries } from './decisions.js'
import { countDuplicates, type DuplicatePair, groupDuplicates } from './duplicate-group.js'
import { byKeepRules, readKeepRules } from './keep-rules.js'

function copy(name: string, more: Partial<Copy> = {}): Copy {
  return {
    id: name,
    root: 'photos',
    path: `${name}.jpg`,
    content: `content of ${name}`,
    pixels: `pixels of ${name}`,
    bytes: 1000,
    modified: 5,
    height: 100,
    width: 100,
    taken: null,
    latitude: null,
    longitude: null,
    ...more,
  }
}

const both = { first: true, second: true }
const same = (first: number, second: number, more: Partial<DuplicatePair> = {}): DuplicatePair => ({
  first,
  second,
  kind: 'same-picture',
  similarity: 0.9,
  words: { first: 'first', second: 'second' },
  made: null,
  covers: both,
  ...more,
})
const shown = (groups: ReturnType<typeof groupDuplicates>) =>
  groups.map(({ kind, kept, members }) => [kind, kept.id, ...members.map((member) => member.copy.id)])

test('a group is a star: what is like a member, and not like the kept one, is no member', () => {
  const copies = [copy('a', { height: 300 }), copy('b', { height: 200 }), copy('c')]
  const groups = groupDuplicates(copies, [same(0, 1), same(1, 2)])
  expect(shown(groups)).toEqual([['copies', 'a', 'b']])
})

test('files of the same bytes, and of the same pixels, come with each other and with what is proven of their picture', () => {
  const copies = [
    copy('a', { content: 'x', pixels: 'p' }),
    copy('b', { content: 'x', pixels: 'p' }),
    copy('c', { content: 'y', pixels: 'p', taken: 7 }),
    copy('d', { height: 50 }),
  ]
  const [group] = groupDuplicates(copies, [same(0, 3, { similarity: 0.7, made: 'second' })])
  expect(group?.kept.id).toBe('c')
  expect(group?.members.map(({ copy, kind, proposed }) => [copy.id, kind, proposed])).toEqual([
    ['a', 'same-pixels', true],
    ['b', 'same-pixels', true],
    ['d', 'same-picture', true],
  ])
  expect(group?.lowest).toBe(0.7)
})

test('a copy that was made of another is never kept, whatever the rules say', () => {
  const copies = [copy('enlarged', { height: 4000, width: 4000, bytes: 9e6, modified: 1 }), copy('original')]
  const pair = same(0, 1, { made: 'first', covers: { first: false, second: true } })
  for (const rules of [['largest'], ['bytes'], ['oldest']] as const) {
    const [group] = groupDuplicates(copies, [pair], { rules })
    expect([group?.kept.id, group?.members[0]?.proposed]).toEqual(['original', true])
  }
})

test('what shows more than the kept copy does not go', () => {
  const copies = [copy('a', { height: 300 }), copy('shot')]
  const [group] = groupDuplicates(copies, [same(0, 1, { covers: { first: false, second: true } })])
  expect(group?.members[0]?.proposed).toBe(false)
  expect(countDuplicates([group].flatMap((one) => one ?? []))).toEqual({
    groups: 1,
    photos: 2,
    proposed: 0,
    bytes: 0,
  })
})

test('what was called different never comes together again, and a newcomer is still shown', () => {
  const copies = [copy('a', { height: 300 }), copy('b', { height: 200 })]
  const different = Different.read(differentEntries(['content of b', 'content of a'], 1))
  expect(groupDuplicates(copies, [same(0, 1)], { different })).toEqual([])
  const more = [...copies, copy('c')]
  expect(shown(groupDuplicates(more, [same(0, 1), same(0, 2), same(1, 2)], { different }))).toEqual([
    ['copies', 'a', 'c'],
  ])
  // A newcomer that is better than both brings only one of them in.
  const best = [...copies, copy('c', { height: 400 })]
  expect(shown(groupDuplicates(best, [same(0, 1), same(0, 2), same(1, 2)], { different }))).toEqual([
    ['copies', 'c', 'a'],
  ])
  expect(() => differentEntries(['x', 'x'], 1)).toThrow('same bytes')
})

test('near photos are grouped after copies, with the kept ones alone, and nothing of them may go', () => {
  const copies = [copy('a', { height: 300 }), copy('b'), copy('c'), copy('d')]
  const pairs = [
    same(0, 1),
    same(0, 2, { kind: 'near' }),
    same(1, 2, { kind: 'near' }),
    same(2, 3, { kind: 'alike' }),
  ]
  const groups = groupDuplicates(copies, pairs)
  expect(shown(groups)).toEqual([
    ['copies', 'a', 'b'],
    ['near', 'a', 'c'],
  ])
  expect(groups[1]?.members[0]?.proposed).toBe(false)
})

test('no photo is kept in one group of copies and goes in another: the last copy of a picture stays', () => {
  // Whatever pairs there are, of each photo that goes the group's kept one stays.
  let state = 1
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >> 8) % below
  }
  for (let round = 0; round < 200; round++) {
    const copies = Array.from({ length: 8 }, (_, i) =>
      copy(`p${i}`, { height: 1 + next(4), pixels: `pixels ${next(6)}` }),
    )
    const pairs = Array.from({ length: 12 }, () => {
      const made = ([null, 'first', 'second'] as const)[next(3)] ?? null
      return same(next(8), next(8), { made, covers: { first: next(2) === 0, second: next(2) === 0 } })
    })
    const groups = groupDuplicates(copies, pairs)
    const going = new Set(
      groups.flatMap(({ members }) => members.filter((one) => one.proposed).map((one) => one.copy.id)),
    )
    for (const { kept } of groups) expect(going.has(kept.id)).toBe(false)
    const ids = groups
      .filter(({ kind }) => kind === 'copies')
      .flatMap(({ kept, members }) => [kept.id, ...members.map((one) => one.copy.id)])
    expect(new Set(ids).size).toBe(ids.length)
  }
})

test('the first rule that tells two copies apart decides, and a mistyped one is named', () => {
  const a = copy('a', { path: 'Best/a.jpg', modified: 9 })
  const b = copy('b', { height: 200 })
  const kept = (rules: string) => [a, b].sort(byKeepRules(readKeepRules(rules)))[0]?.id
  expect([
    kept('largest'),
    kept('folder:Best,largest'),
    kept('newest'),
    kept('oldest'),
    kept('bytes'),
  ]).toEqual(['b', 'a', 'a', 'b', 'b'])
  expect(() => readKeepRules('lagest')).toThrow('Did you mean largest?')
})
