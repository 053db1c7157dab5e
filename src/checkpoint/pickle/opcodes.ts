/**
 * Says what each instruction of a pickle does, protocols 1 to 5 (torch cannot write 0), as far as tensors and plain values use them.
 * What is missing here (sets, objects with arguments, extension codes, out-of-band buffers) is refused by its name.
 */
import {
  buildGlobal,
  buildStorage,
  callGlobal,
  emptyDict,
  newObject,
  setEntries,
  setState,
} from './build-object.js'
import type { PickleMachine } from './pickle-machine.js'
import { isKind, type PickleValue } from './pickle-value.js'

/** Python's integers have no end; hashes and seeds fit in this many bytes. */
const LONGEST_INTEGER = 256

export type Opcode = (machine: PickleMachine) => void

const code = (character: string) => character.charCodeAt(0)

export const STOP = code('.')

export const OPCODES: ReadonlyMap<number, Opcode> = new Map<number, Opcode>([
  // These frame the program.
  [0x80, readProtocol],
  [0x95, readFrame],

  // These move what lies on the stack.
  [code('('), (m) => m.mark()],
  [code('0'), (m) => void m.pop()],
  [code('1'), (m) => void m.popToMark()],
  [code('2'), (m) => m.push(m.top())],

  // These keep a value under a number and bring it back.
  [code('p'), (m) => m.remember(index(m))],
  [code('q'), (m) => m.remember(m.bytes.u8())],
  [code('r'), (m) => m.remember(m.bytes.u32())],
  [0x94, (m) => m.rememberNext()],
  [code('g'), (m) => m.push(m.recall(index(m)))],
  [code('h'), (m) => m.push(m.recall(m.bytes.u8()))],
  [code('j'), (m) => m.push(m.recall(m.bytes.u32()))],

  // These push a plain value.
  [code('N'), (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  [code('I'), (m) => m.push(integerOrBoolean(m))],
  [code('J'), (m) => m.push(m.bytes.i32())],
  [code('K'), (m) => m.push(m.bytes.u8())],
  [code('M'), (m) => m.push(m.bytes.u16())],
  [code('L'), (m) => m.push(decimal(m, m.bytes.line().replace(/L$/, '')))],
  [0x8a, (m) => m.push(binaryInteger(m, m.bytes.u8()))],
  [0x8b, (m) => m.push(binaryInteger(m, m.bytes.u32()))],
  [code('G'), (m) => m.push(m.bytes.f64BigEndian())],
  [code('X'), (m) => m.push(m.bytes.utf8(m.bytes.u32()))],
  [0x8c, (m) => m.push(m.bytes.utf8(m.bytes.u8()))],
  [0x8d, (m) => m.push(m.bytes.utf8(m.bytes.u64()))],
  // Python 2 wrote its str with these two.
  [code('T'), (m) => m.push(m.bytes.utf8(m.bytes.u32()))],
  [code('U'), (m) => m.push(m.bytes.utf8(m.bytes.u8()))],
  [code('B'), (m) => m.push(m.bytes.take(m.bytes.u32()))],
  [code('C'), (m) => m.push(m.bytes.take(m.bytes.u8()))],
  [0x8e, (m) => m.push(m.bytes.take(m.bytes.u64()))],
  [0x96, (m) => m.push(m.bytes.take(m.bytes.u64()))],

  // These build tuples, lists and dicts.
  [code(')'), (m) => m.push({ kind: 'tuple', items: [] })],
  [code('t'), (m) => m.push({ kind: 'tuple', items: m.popToMark() })],
  [0x85, (m) => pushTuple(m, 1)],
  [0x86, (m) => pushTuple(m, 2)],
  [0x87, (m) => pushTuple(m, 3)],
  [code(']'), (m) => m.push({ kind: 'list', items: [] })],
  [code('l'), (m) => m.push({ kind: 'list', items: m.popToMark() })],
  [code('a'), (m) => append(m, [m.pop()])],
  [code('e'), (m) => append(m, m.popToMark())],
  [code('}'), (m) => m.push(emptyDict())],
  [code('d'), pushDict],
  [code('s'), setItem],
  [code('u'), (m) => setItems(m)],

  // These name and call what build-object.ts allows.
  [code('c'), (m) => m.push(buildGlobal(m, m.bytes.line(), m.bytes.line()))],
  [0x93, pushStackGlobal],
  [code('Q'), (m) => m.push(buildStorage(m, m.pop()))],
  [code('R'), call],
  [0x81, makeNew],
  [code('b'), build],
  [code('i'), callNamed],
])

/** These are left out on purpose; the error names them. */
export const REFUSED: ReadonlyMap<number, string> = new Map([
  [code('P'), 'PERSID'],
  [code('S'), 'STRING'],
  [code('V'), 'UNICODE'],
  [code('F'), 'FLOAT'],
  [code('o'), 'OBJ'],
  [0x82, 'EXT1'],
  [0x83, 'EXT2'],
  [0x84, 'EXT4'],
  [0x8f, 'EMPTY_SET'],
  [0x90, 'ADDITEMS'],
  [0x91, 'FROZENSET'],
  [0x92, 'NEWOBJ_EX'],
  [0x97, 'NEXT_BUFFER'],
  [0x98, 'READONLY_BUFFER'],
])

function readProtocol(m: PickleMachine): void {
  const protocol = m.bytes.u8()
  if (protocol > 5) m.refuse(`is of protocol ${protocol}; 5 is the newest known`)
}

/** A frame only says how much may be read ahead. */
function readFrame(m: PickleMachine): void {
  m.bytes.u64()
}

function index(m: PickleMachine): number {
  const value = decimal(m, m.bytes.line())
  return typeof value === 'number' && value >= 0 ? value : m.refuse('uses a memo number that is none')
}

/** Python 2 wrote True as 01. */
function integerOrBoolean(m: PickleMachine): PickleValue {
  const text = m.bytes.line()
  if (text === '00') return false
  return text === '01' ? true : decimal(m, text)
}

function decimal(m: PickleMachine, text: string): number | bigint {
  if (!/^-?\d{1,256}$/.test(text))
    return m.refuse(`writes an integer as ${JSON.stringify(text.slice(0, 40))}`)
  return narrow(BigInt(text))
}

function binaryInteger(m: PickleMachine, length: number): number | bigint {
  if (length > LONGEST_INTEGER)
    m.refuse(`has an integer of ${length} bytes; ${LONGEST_INTEGER} is the limit`, 'too-large')
  const value = m.bytes.take(length).reduceRight((sum, digit) => (sum << 8n) | BigInt(digit), 0n)
  return narrow(BigInt.asIntN(length * 8, value))
}

function narrow(value: bigint): number | bigint {
  const asNumber = Number(value)
  return Number.isSafeInteger(asNumber) ? asNumber : value
}

function pushTuple(m: PickleMachine, length: number): void {
  const items: PickleValue[] = []
  for (let i = 0; i < length; i++) items.unshift(m.pop())
  m.push({ kind: 'tuple', items })
}

function append(m: PickleMachine, items: readonly PickleValue[]): void {
  const list = m.top()
  if (!isKind(list, 'list')) m.refuse('appends to something that is no list')
  for (const item of items) list.items.push(item)
}

function pushDict(m: PickleMachine): void {
  const dict = emptyDict()
  setEntries(m, dict, m.popToMark())
  m.push(dict)
}

function setItem(m: PickleMachine): void {
  const value = m.pop()
  const key = m.pop()
  setEntries(m, m.top(), [key, value])
}

function setItems(m: PickleMachine): void {
  const items = m.popToMark()
  setEntries(m, m.top(), items)
}

function pushStackGlobal(m: PickleMachine): void {
  const name = m.pop()
  const module = m.pop()
  if (typeof module !== 'string' || typeof name !== 'string')
    m.refuse('names a global by something that is no string')
  m.push(buildGlobal(m, module, name))
}

function call(m: PickleMachine): void {
  const args = m.pop()
  const callee = m.pop()
  m.push(callGlobal(m, callee, args))
}

function makeNew(m: PickleMachine): void {
  const args = m.pop()
  const callee = m.pop()
  m.push(newObject(m, callee, args))
}

/** INST, of protocol 0, names and calls in one. */
function callNamed(m: PickleMachine): void {
  const callee = buildGlobal(m, m.bytes.line(), m.bytes.line())
  m.push(callGlobal(m, callee, { kind: 'tuple', items: m.popToMark() }))
}

function build(m: PickleMachine): void {
  const state = m.pop()
  setState(m, m.top(), state)
}
