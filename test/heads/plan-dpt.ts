/** Plans Meta's DPT head for depth on levels of a network (Ranftl et al. 2021; dinov2/hub/depth/decode_heads.py), of steps that plans have for heads. */
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import type { WeightSource } from '../../src/engine/engine.js'
import type { Plan, SlotName } from '../../src/engine/plan.js'
import { placesOf } from '../../src/kernels/patchify.js'
import { interpolationTaps, mostTaps, tableOfTaps } from '../../src/kernels/resample-table.js'
import { PlanBuilder } from '../../src/model/plan-builder.js'
import { sizeAt } from '../../src/tensor/shape.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
import { kernelRows, transposedKernelRows } from '../support/turn-kernels.js'

/** Is a slot that has a pixel to a row. */
interface MapSlot {
  readonly slot: SlotName
  readonly height: number
  readonly width: number
}

type Reader = (checkpoint: Checkpoint) => Promise<Float32Array>

const LEVELS = [0, 1, 2, 3]
const HEAD = 'decode_head'

export class DptPlan {
  readonly plan: Plan
  /** Names what the head gives, under the names of the golden cases. */
  readonly outputs = new Map<string, SlotName>()
  readonly #builder = new PlanBuilder()
  readonly #readers = new Map<string, Reader>()

  /**
   * @param grid patches of the levels, which are [1 + patches, width], the class token in front
   * @param size pixels of the depth that is asked for
   */
  constructor(
    grid: readonly [rows: number, columns: number],
    width: number,
    channels: number,
    leastDepth: number,
    size: readonly [height: number, width: number],
  ) {
    const builder = this.#builder
    const [rows, columns] = grid
    const inputs = LEVELS.map((level) => {
      const slot = builder.slot(`levels.${level}`, [1 + rows * columns, width])
      return { kind: 'level', slot } as const
    })
    const skips = inputs.map(({ slot }, level) => {
      const patches = this.#readout(slot, level, width)
      const map = this.#reassemble({ slot: patches, height: rows, width: columns }, level, width)
      this.outputs.set(`reassembled.${level}`, map.slot)
      return this.#conv(map, `convs.${level}`, `${HEAD}.convs.${level}.conv`, channels, { bias: false })
    })
    let fused: MapSlot | null = null
    for (const [block, skip] of skips.toReversed().entries()) {
      fused = this.#fuse(fused, skip, block, channels)
      if (block < 3) this.outputs.set(`fused.${block}`, fused.slot)
    }
    if (fused === null) throw new Error('A head has levels.')
    const depth = this.#depth(fused, channels, leastDepth)
    this.outputs.set('depth.grid', depth.slot)
    this.outputs.set('depth', this.#resize(depth, 'depth', size, false).slot)
    const { slots, steps, weights, constants } = builder
    this.plan = { inputs, slots, steps, weights, constants }
  }

  weightsOf(checkpoint: Checkpoint): WeightSource {
    return {
      read: async (name) => {
        const read = this.#readers.get(name)
        return read === undefined ? toFloat32(await checkpoint.read(name)) : await read(checkpoint)
      },
    }
  }

  /** Joins each patch with the class token. A layer on both side by side is one on each, added up. */
  #readout(tokens: SlotName, level: number, width: number): SlotName {
    const builder = this.#builder
    const count = sizeAt(builder.shapeOf(tokens), 0)
    const name = `${HEAD}.reassemble_blocks.readout_projects.${level}.0`
    const patches = builder.slice(tokens, `${tokens}.patches`, 1, count)
    const part = (which: 'patches' | 'class', at: number) => {
      const weight = builder.weight(`${name}.${which}`, [width, width])
      this.#readers.set(weight, async (checkpoint) => {
        const both = toFloat32(await checkpoint.read(`${name}.weight`, [width, 2 * width]))
        const half = (row: number) => row * 2 * width + at * width
        return Float32Array.from(
          Array.from({ length: width }, (_, row) =>
            Array.from(both.subarray(half(row), half(row) + width)),
          ).flat(),
        )
      })
      return weight
    }
    const step = { op: 'linear', bias: null } as const
    const ofPatches = builder.step(
      { ...step, input: patches, output: `${name}.of patches`, weight: part('patches', 0) },
      [count - 1, width],
    )
    const token = builder.slice(tokens, `${tokens}.class`, 0, 1)
    const bias = builder.weight(`${name}.bias`, [width])
    const ofClass = builder.step(
      { ...step, input: token, output: `${name}.of class`, weight: part('class', 1), bias },
      [1, width],
    )
    const everywhere = builder.gather(ofClass, `${name}.everywhere`, Array<number>(count - 1).fill(0))
    const sum = this.#add(ofPatches, everywhere, `${name}.sum`)
    return builder.step({ op: 'activation', input: sum, output: name, kind: 'gelu' }, builder.shapeOf(sum))
  }

  #reassemble(map: MapSlot, level: number, width: number): MapSlot {
    const channels = width / 2 ** (3 - level)
    const blocks = `${HEAD}.reassemble_blocks`
    const output = level === 2 ? `reassembled.${level}` : `projected.${level}`
    const projected = {
      ...map,
      slot: this.#single(map.slot, output, `${blocks}.projects.${level}.conv`, channels),
    }
    const name = `${blocks}.resize_layers.${level}`
    const reassembled = `reassembled.${level}`
    if (level < 2) return this.#transposed(projected, reassembled, name, channels, level === 0 ? 4 : 2)
    if (level === 2) return projected
    return this.#conv(projected, reassembled, name, channels, { stride: 2 })
  }

  /** Adds the skip to what is coarser, and makes it twice as fine. */
  #fuse(coarse: MapSlot | null, skip: MapSlot, block: number, channels: number): MapSlot {
    const name = `${HEAD}.fusion_blocks.${block}`
    let map = skip
    if (coarse !== null) {
      const { height, width } = coarse
      const fits = skip.height === height && skip.width === width
      const resized = fits ? skip : this.#resize(skip, `${name}.skip`, [height, width], false)
      const branch = this.#residual(resized, `${name}.res_conv_unit1`, channels)
      map = { ...coarse, slot: this.#add(coarse.slot, branch.slot, `${name}.sum`) }
    }
    const unit = this.#residual(map, `${name}.res_conv_unit2`, channels)
    const fine = this.#resize(unit, `${name}.fine`, [2 * unit.height, 2 * unit.width], true)
    return { ...fine, slot: this.#single(fine.slot, name, `${name}.project.conv`, channels) }
  }

  #residual(map: MapSlot, name: string, channels: number): MapSlot {
    let current = map
    for (const conv of ['conv1', 'conv2']) {
      const own = `${name}.${conv}`
      current = this.#conv(this.#relu(current, `${own}.relu`), own, `${own}.conv`, channels, { bias: false })
    }
    return { ...map, slot: this.#add(map.slot, current.slot, name) }
  }

  #depth(fused: MapSlot, channels: number, leastDepth: number): MapSlot {
    const builder = this.#builder
    const project = this.#conv(fused, 'project', `${HEAD}.project.conv`, channels)
    const names = [0, 2, 4].map((module) => `${HEAD}.conv_depth.head.${module}`)
    const [first = '', second = '', last = ''] = names
    const narrow = this.#conv(this.#relu(project, 'project.relu'), 'head.0', first, channels / 2)
    const fine = this.#resize(narrow, 'head.1', [2 * narrow.height, 2 * narrow.width], true)
    const inner = this.#relu(this.#conv(fine, 'head.2', second, 32), 'head.3')
    const map = this.#relu({ ...inner, slot: this.#single(inner.slot, 'head.4', last, 1) }, 'head.relu')
    const pixels = map.height * map.width
    const values = new Float32Array(pixels).fill(leastDepth)
    builder.constants.set('least depth', { shape: [pixels, 1], values })
    return { ...map, slot: this.#add(map.slot, 'least depth', 'depth.grid', [pixels, 1]) }
  }

  /** A kernel of one pixel is a layer on each. */
  #single(input: SlotName, output: SlotName, name: string, columns: number): SlotName {
    return this.#builder.linear(input, output, name, columns)
  }

  #conv(
    { slot: input, height, width }: MapSlot,
    output: SlotName,
    name: string,
    columns: number,
    { stride = 1, bias = true }: { readonly stride?: number; readonly bias?: boolean } = {},
  ): MapSlot {
    const builder = this.#builder
    const channels = sizeAt(builder.shapeOf(input), 1)
    const weight = builder.weight(`${name}.weight`, [columns, 9 * channels])
    this.#readers.set(weight, async (checkpoint) =>
      kernelRows(toFloat32(await checkpoint.read(weight, [columns, channels, 3, 3])), 3, channels),
    )
    const biasName = bias ? builder.weight(`${name}.bias`, [columns]) : null
    const pass = { height, width, kernel: 3, stride, padding: 1 } as const
    const [down = 0, across = 0] = [height, width].map((side) => placesOf(side + 2, 3, stride))
    const step = { op: 'conv2d', input, output, weight, bias: biasName, ...pass } as const
    return { slot: builder.step(step, [down * across, columns]), height: down, width: across }
  }

  #transposed(map: MapSlot, output: SlotName, name: string, channels: number, kernel: number): MapSlot {
    const builder = this.#builder
    const weight = builder.weight(`${name}.weight`, [kernel ** 2 * channels, channels])
    this.#readers.set(weight, async (checkpoint) =>
      transposedKernelRows(
        toFloat32(await checkpoint.read(weight, [channels, channels, kernel, kernel])),
        kernel,
        channels,
      ),
    )
    const [height, width] = [kernel * map.height, kernel * map.width]
    const bias = builder.weight(`${name}.bias`, [channels])
    const pass = { height, width, kernel, stride: kernel, padding: 0 } as const
    const step = { op: 'transposedConv2d', input: map.slot, output, weight, bias, ...pass } as const
    return { slot: builder.step(step, [height * width, channels]), height, width }
  }

  #resize(
    { slot: input, height, width }: MapSlot,
    output: SlotName,
    size: readonly [number, number],
    corners: boolean,
  ): MapSlot {
    const builder = this.#builder
    const table = (side: number, to: number) => {
      const name = `taps ${side} ${to} ${corners}`
      const taps = interpolationTaps(side, { size: to }, { mode: 'bilinear', corners })
      builder.constants.set(name, { shape: [to, 2 * mostTaps(taps)], values: tableOfTaps(taps) })
      return name
    }
    const [rows, columns] = [table(height, size[0]), table(width, size[1])]
    const shape = [size[0] * size[1], sizeAt(builder.shapeOf(input), 1)]
    const slot = builder.step({ op: 'resize', input, output, height, width, rows, columns }, shape)
    return { slot, height: size[0], width: size[1] }
  }

  #relu(map: MapSlot, output: SlotName): MapSlot {
    const shape = this.#builder.shapeOf(map.slot)
    const step = { op: 'activation', input: map.slot, output, kind: 'relu' } as const
    return { ...map, slot: this.#builder.step(step, shape) }
  }

  #add(input: SlotName, branch: SlotName, output: SlotName, shape = this.#builder.shapeOf(input)): SlotName {
    return this.#builder.step({ op: 'add', input, branch, output }, shape)
  }
}
