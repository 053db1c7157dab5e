import { expect, test } from 'vitest'
import { concat, latin1, pickle } from '../../../test/support/torch-file.js'
import { CheckpointError } from '../checkpoint-error.js'
import { plainConverter } from './plain-converter.js'
import { unpickle } from './unpickle.js'

const plain = (bytes: Uint8Array) => plainConverter()(unpickle(bytes, 'it').value, 'it')
const refusal = (run: () => unknown): CheckpointError => {
  try {
    run()
  } catch (error) {
    if (error instanceof CheckpointError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** Python 3.11 writes one dict like this by each protocol; 4 and 5 differ in the number of the protocol alone. */
const BY_PYTHON = {
  1: '7d710028580c000000636c6173735f746f5f69647871017d71022858010000006171034b0158010000006271044b02755803000000726762710528473fe000000000000047bff40000000000004b03747106580300000062696771075d7108284c313039393531313632373737364c0a4af9ffffff4930310a4e5802000000c3a971096558020000006f64710a63636f6c6c656374696f6e730a4f726465726564446963740a710b2952710c580100000078710d4b0173580900000062797465735f6c656e710e4bff58010000006e710f4c2d313138303539313632303731373431313330333432344c0a752e',
  2: '80027d710028580c000000636c6173735f746f5f69647871017d71022858010000006171034b0158010000006271044b027558030000007267627105473fe000000000000047bff40000000000004b03877106580300000062696771075d7108288a060000000000014af9ffffff884e5802000000c3a971096558020000006f64710a63636f6c6c656374696f6e730a4f726465726564446963740a710b2952710c580100000078710d4b0173580900000062797465735f6c656e710e4bff58010000006e710f8a090000000000000000c0752e',
  4: '800495a8000000000000007d94288c0c636c6173735f746f5f696478947d94288c0161944b018c0162944b02758c0372676294473fe000000000000047bff40000000000004b0387948c03626967945d94288a060000000000014af9ffffff884e8c02c3a994658c026f64948c0b636f6c6c656374696f6e73948c0b4f726465726564446963749493942952948c0178944b01738c0962797465735f6c656e944bff8c016e948a090000000000000000c0752e',
}

test.each(Object.entries(BY_PYTHON))('protocol %s as Python writes it', (_, hex) => {
  expect(plain(Buffer.from(hex, 'hex'))).toEqual({
    class_to_idx: { a: 1, b: 2 },
    rgb: [0.5, -1.25, 3],
    big: [2 ** 40, -7, true, null, 'é'],
    od: { x: 1 },
    bytes_len: 255,
    n: -(2 ** 70),
  })
})

test('the pickle ends at its STOP, wherever the bytes end', () => {
  expect(unpickle(latin1('\x80\x02K\x07.rest'), 'it')).toMatchObject({ value: 7, length: 5 })
})

test.each([
  'os.system',
  'builtins.eval',
  'omegaconf.dictconfig.DictConfig',
  'numpy.core.multiarray._reconstruct',
  'torch.storage._load_from_bytes',
  '__main__.Model',
  'builtins.getattr',
  'collections.OrderedDict.fromkeys',
  'toString.constructor',
])('%s is refused where it is named, even if it is dropped', (name) => {
  const dot = name.lastIndexOf('.')
  const error = refusal(() =>
    unpickle(latin1(`\x80\x02c${name.slice(0, dot)}\n${name.slice(dot + 1)}\n0N.`), 'it'),
  )
  expect(error).toMatchObject({ code: 'forbidden', message: expect.stringContaining(name) })
})

test.each([
  ['NEWOBJ', 'ccollections\nOrderedDict\n)\x81.'],
  ['OBJ', '(ccollections\nOrderedDict\no.'],
  ['EXT1', '\x82\x01.'],
  ['EMPTY_SET', '\x8f.'],
  ['PERSID', 'P0\n.'],
])('%s is refused by its name', (name, code) => {
  expect(refusal(() => unpickle(latin1(`\x80\x02${code}`), 'it'))).toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining(`uses ${name} `),
  })
})

test.each([
  ['a name is called that is only a name', 'ctorch\nFloatStorage\n)R.', /calls torch\.FloatStorage/],
  ['a number is called', 'K\x01)R.', /calls something that is no function/],
  ['a dict is given attributes', '}}b.', /attributes of something that is no OrderedDict/],
  ['an OrderedDict of a number', 'ccollections\nOrderedDict\n(K\x01tR.', /something else than pairs/],
  ['a list as a key', '}]K\x01s.', /neither a string nor an integer/],
  ['a key without a value', '}(K\x01u.', /a key without a value/],
  ['1 twice', '}(K\x01NK\x01Nu.', /sets 1 twice/],
  ['an append to a dict', '}K\x01a.', /no list/],
  ['taking from below a mark', 'K\x01(0.', /empty stack/],
  ['protocol 6', '\x80\x06N.', /protocol 6/],
  ['no instruction', '\xff.', /byte ff/],
  ['an integer of letters', 'Ixyz\n.', /integer/],
  ['an outside reference to a number', 'K\x01Q.', /not a storage/],
  ['a tensor on a string', 'ctorch._utils\n_rebuild_tensor_v2\n(X\x01\x00\x00\x00atR.', /no storage/],
])('%s: refused', (_, code, message) => {
  expect(refusal(() => unpickle(latin1(`\x80\x02${code}`), 'it')).message).toMatch(message)
})

test("Python 2's OrderedDict of pairs and byte strings are read", () => {
  expect(plain(latin1('\x80\x02ccollections\nOrderedDict\n(](](U\x01aK\x01e](U\x01bI01\neetR.'))).toEqual({
    a: 1,
    b: true,
  })
})

test('a size is a list, a device a string, a dtype its name', () => {
  expect(
    plain(
      latin1(
        '\x80\x02(ctorch\nSize\n((K\x02K\x03ttRctorch\ndevice\n(X\x04\x00\x00\x00cudaK\x01tRctorch\nfloat16\nt.',
      ),
    ),
  ).toEqual([[2, 3], 'cuda:1', 'torch.float16'])
})

test('__proto__ as a key changes no prototype', () => {
  const value = plain(pickle({ dict: [['__proto__', { dict: [['polluted', 1]] }]] }))
  expect(Object.keys(value as object)).toEqual(['__proto__'])
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
  expect(Object.getPrototypeOf(value)).toBeNull()
})

test('keys 1 and "1" cannot both become one', () => {
  expect(() =>
    plain(
      pickle({
        dict: [
          [1, 0],
          ['1', 0],
        ],
      }),
    ),
  ).toThrow("has both 1 and '1'")
})

test('a list that contains itself is refused, not followed', () => {
  expect(() => plain(latin1('\x80\x02]q\x00h\x00a.'))).toThrow('nests deeper')
})

test('a few bytes that unfold to millions of values are refused', () => {
  // Each list holds the one before ten times over.
  const level = (n: number) => `](${`h${String.fromCharCode(n)}`.repeat(10)}eq${String.fromCharCode(n + 1)}`
  const code = `\x80\x02]q\x01${Array.from({ length: 20 }, (_, n) => level(n + 1)).join('')}.`
  expect(refusal(() => plain(latin1(code)))).toMatchObject({ code: 'too-large' })
})

test('integers, marks and values are bounded', () => {
  expect(
    refusal(() =>
      unpickle(
        concat([latin1('\x80\x02\x8b'), Uint8Array.of(0, 0, 1, 0), new Uint8Array(65536), latin1('.')]),
        'it',
      ),
    ),
  ).toMatchObject({ code: 'too-large' })
  expect(refusal(() => unpickle(latin1('('.repeat(100_000)), 'it'))).toMatchObject({ code: 'too-large' })
  expect(refusal(() => unpickle(new Uint8Array(5_000_000).fill(0x4e), 'it'))).toMatchObject({
    code: 'too-large',
  })
})

test('bytes and tensors are no plain values', () => {
  expect(plain(latin1('\x80\x03C\x01a.'))).toBeUndefined()
  expect(plain(pickle({ list: [{ tensor: { key: '0', count: 1, shape: [1] } }] }))).toBeUndefined()
})
