/** These functions try the engines themselves inside the page, without an encoder. */
import * as library from 'plumage/browser'
import { CheckpointError } from '../../../src/checkpoint/checkpoint-error.js'
import type { Engine } from '../../../src/engine/engine.js'
import type { Comparison, GoldenCase, OpenSource } from '../../../src/verify/case.js'
import { runVitCase } from '../../../src/verify/vit-case.js'
import type { Case } from '../../conformance/case.js'
import { casesFor, runCase } from '../../conformance/cases.js'
import { planOf, pseudoRandom, relativeError, weights } from '../../conformance/one-step.js'
import { watched } from './watched.js'

const { createReferenceEngine, createWasmEngine, createWebgpuEngine } = library

export interface Outcome {
  readonly engine: string
  readonly cases: number
  /** Lists those that are not within their tolerance, a line each. */
  readonly failures: readonly string[]
}

interface WatchedDevice {
  destroy(): void
  readonly lost: Promise<unknown>
}
let gpuEngine: Promise<library.WebgpuEngine> | undefined

/** Gives the one engine of this page on its GPU. */
function webgpuEngine(): Promise<library.WebgpuEngine> {
  gpuEngine ??= createWebgpuEngine()
  return gpuEngine
}

/** Gives a list that takes every device that the page is given from now on, the last one last. */
async function watchDevices(): Promise<readonly WatchedDevice[]> {
  const { gpu } = navigator as unknown as { gpu: { requestAdapter(): Promise<{ requestDevice: unknown }> } }
  const adapter = Object.getPrototypeOf(await gpu.requestAdapter())
  const requestDevice = adapter.requestDevice
  const devices: WatchedDevice[] = []
  adapter.requestDevice = async function (...given: unknown[]) {
    const device = await requestDevice.apply(this, given)
    devices.push(device)
    return device
  }
  return devices
}

/** Hands an engine to an action, and gives it back unless the page shares it. */
async function withEngine<T>(
  options: library.WasmOptions | 'webgpu',
  action: (engine: Engine) => Promise<T>,
): Promise<T> {
  if (options === 'webgpu') return await action(await webgpuEngine())
  using engine = await createWasmEngine(options)
  return await action(engine)
}

/**
 * On a GPU an activation is not fused with the product before it here: it is the same text in a shader of its own, which compiles twenty times sooner.
 * The golden cases have those that are fused.
 */
function isApart({ name }: Engine, { make }: Case): boolean {
  return name === 'webgpu' && make().plan.steps.some(({ op }) => op === 'activation')
}

const truths = new Map<string, Promise<Float32Array>>()

/** Gives what the reference engine computes, once for all engines of the page. */
function truthOf(row: Case): Promise<Float32Array> {
  const known = truths.get(row.name) ?? runCase(createReferenceEngine(), row)
  truths.set(row.name, known)
  return known
}

/** Gives one case for each kind of operation. */
function oneOfEachKind(cases: readonly Case[]): readonly Case[] {
  const seen = new Set<string>()
  return cases.filter(({ make }) => {
    const news = make().plan.steps.filter(({ op }) => !seen.has(op))
    for (const { op } of news) seen.add(op)
    return news.length > 0
  })
}

/** Runs the conformance cases on a browser's engine, or `few` of them, and compares them with the reference engine on the same page. */
export function conformance({
  engine: options,
  few = false,
}: {
  readonly engine: library.WasmOptions | 'webgpu'
  readonly few?: boolean
}): Promise<Outcome> {
  return withEngine(options, async (engine) => {
    const failures: string[] = []
    const all = casesFor(engine.name)
    const cases = few ? oneOfEachKind(all) : all
    for (const row of cases) {
      const error = relativeError(await runCase(engine, row, isApart(engine, row)), await truthOf(row))
      if (!(error <= row.tolerance)) failures.push(`${row.name}: ${error} > ${row.tolerance}`)
    }
    return { engine: engine.description, cases: cases.length, failures }
  })
}

/** Runs golden cases of a folder of the site on a browser's engine; tells how many comparisons were made, and those that failed. */
export function goldens(wanted: {
  readonly folder: string
  readonly cases: readonly GoldenCase[]
  readonly engine: library.WasmOptions | 'webgpu'
}): Promise<{ engine: string; count: number; failures: Comparison[] }> {
  return withEngine(wanted.engine, async (engine) => {
    const open = (path: string) => fetched(`${wanted.folder}/${path}`)
    const failures: Comparison[] = []
    let count = 0
    for (const golden of wanted.cases) {
      for await (const comparison of runVitCase(golden, { engine, open })) {
        count++
        if (!comparison.passed) failures.push(comparison)
      }
    }
    return { engine: engine.description, count, failures }
  })
}

const files = new Map<string, Promise<Uint8Array>>()

/** Opens a file of the site, which is fetched once for all engines of the page. */
async function fetched(url: string): Promise<OpenSource> {
  const known = files.get(url) ?? bytesOf(url)
  files.set(url, known)
  const bytes = await known
  return {
    label: url,
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
    [Symbol.asyncDispose]: async () => {},
  }
}

async function bytesOf(url: string): Promise<Uint8Array> {
  const answer = await fetch(url)
  if (!answer.ok) throw new CheckpointError('not-found', `${url}: ${answer.status}`)
  return new Uint8Array(await answer.arrayBuffer())
}

/** Returns the code of the error that an engine with these options is refused with, or how it was made. */
export async function refusal(options: library.WasmOptions): Promise<string> {
  try {
    using engine = await createWasmEngine(options)
    return engine.description
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

interface LossReport {
  /** Is the code of the error that the run during the loss had; null where it was done before. */
  readonly during: string | null
  /** Counts the devices that were asked for in all. */
  readonly devices: number
  /** Tells whether the run after the loss gave the same bits as the one before. */
  readonly same: boolean
}

/** Computes on a GPU that goes away in between. It is another one than the page's, and not compared with the reference: that one was. */
export async function lostDevice(): Promise<LossReport> {
  const devices = await watchDevices()
  using engine = await createWebgpuEngine({ verify: false })
  const { plan, output } = planOf(
    [400, 256],
    [{ op: 'linear', input: 'x', output: 'y', weight: 'w', bias: null }],
    { y: [400, 256] },
    { w: [256, 256] },
  )
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(400 * 256, 1)
  const before = (await program.run(pixels)).get(output)
  const running = program.run(pixels).then(
    () => null,
    (error) => error.code,
  )
  const [device] = devices
  if (device === undefined) throw new Error('the page was given no device')
  device.destroy()
  await device.lost
  const during = await running
  const after = (await program.run(pixels)).get(output)
  const same = before?.every((value, i) => value === after?.[i]) ?? false
  return { during, devices: devices.length, same }
}

/** Measures the longest task of the page while a network-sized program ran on one thread. */
export async function engineTask(): Promise<{ longest: number; whole: number }> {
  using engine = await createWasmEngine({ threads: 1 })
  const count = 20
  const { plan, output } = planOf(
    [400, 512],
    Array.from({ length: count }, (_, i) => ({
      op: 'linear' as const,
      input: i === 0 ? 'x' : `y${i - 1}`,
      output: `y${i}`,
      weight: `w${i % 4}`,
      bias: null,
    })),
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`y${i}`, [400, 512]])),
    Object.fromEntries([0, 1, 2, 3].map((i) => [`w${i}`, [512, 512]])),
  )
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(400 * 512, 1)
  const { longest, whole } = await watched(() => program.run(pixels))
  return { longest, whole }
}

/** Tries what is refused where memory ends: weights that no memory holds, unread, and a run whose activations do not fit; then a run that does. */
export async function outOfMemory(): Promise<{ load: string; read: boolean; run: string; after: boolean }> {
  using engine = await createWasmEngine()
  const codeOf = (error: { code?: string }) => error.code ?? String(error)
  const linear = { op: 'linear', input: 'x', output: 'y', weight: 'w', bias: null } as const
  const huge = planOf([1, 40_000], [linear], { y: [1, 40_000] }, { w: [40_000, 40_000] })
  let read = false
  const unread = {
    read: async () => {
      read = true
      return new Float32Array()
    },
  }
  const load = await engine.load(huge.plan, unread).then(() => 'loaded', codeOf)
  // Four times two to the thirtieth bytes lie between two steps, few before and after them.
  const side = 2 ** 15
  const wide = planOf(
    [side, 1],
    [
      { op: 'linear', input: 'x', output: 'wide', weight: 'w', bias: null },
      { op: 'meanRows', input: 'wide', output: 'y' },
    ],
    { wide: [side, side], y: [1, side] },
    { w: [side, 1] },
  )
  using model = await engine.load(wide.plan, weights)
  using program = model.compile(wide.plan, [wide.output])
  const run = await program.run(pseudoRandom(side, 1)).then(() => 'run', codeOf)
  const small = planOf([1, 64], [linear], { y: [1, 8] }, { w: [8, 64] })
  using other = await engine.load(small.plan, weights)
  const values = (await other.compile(small.plan, [small.output]).run(pseudoRandom(64, 1))).get(small.output)
  return { load, read, run, after: values?.some((value) => value !== 0) ?? false }
}
