import { expect, test } from 'vitest'
import type { PlainRecord } from '../../plain-value.js'
import { hashedCheckpoint } from '../../verify/hashed-checkpoint.js'
import { readVit } from '../read-vit.js'
import { readRoutedExperts } from './birder-experts.js'
import { ConfigReader } from './config-reader.js'

const trunk = { depth: 12, hidden: 32, mlp: 'ffn', special: 1 }
const read = (config: PlainRecord) =>
  readRoutedExperts(new ConfigReader({ moe_last_n_layers: 1, ...config }, 'a.pt'), trunk)

// The numbers are those of Birder's _resolve_moe_layers.
test.each<readonly [PlainRecord, readonly number[]]>([
  [{ moe_last_n_layers: null, moe_layers: [7, 2] }, [2, 7]],
  [{ moe_last_n_layers: null, moe_every_n_layers: 5 }, [4, 9]],
  [{ moe_last_n_layers: 3 }, [9, 10, 11]],
  [{ moe_last_n_layers: 3, moe_last_n_layers_stride: 2 }, [7, 9, 11]],
  [{ moe_last_n_layers: 2, moe_last_n_layers_stride: 4, moe_last_n_layers_offset: 1 }, [6, 10]],
])('%j are blocks %j', (config, blocks) => {
  expect(read(config).blocks).toEqual(blocks)
})

test.each<readonly [PlainRecord, RegExp]>([
  [{ moe_last_n_layers: null }, /moe_layers is missing; expected one of/],
  [{ moe_every_n_layers: 2 }, /expected one of moe_layers/],
  [{ moe_last_n_layers: null, moe_layers: [12] }, /blocks from 0 to 11/],
  [{ moe_last_n_layers: null, moe_layers: [1], moe_last_n_layers_offset: 1 }, /0 with moe_layers/],
  [{ moe_last_n_layers: 7, moe_last_n_layers_stride: 2 }, /no more blocks than the 12/],
  [{ moe_top_k: 9 }, /from 1 to the 8 experts/],
  [{ moe_ffn_type: 'MoE_FFN', moe_top_k: 1 }, /from 2 to the 8 experts/],
  [
    { moe_ffn_type: 'MoE_FFN', moe_routing_type: 'expert_choice', moe_expert_choice_capacity_factor: 9 },
    /at most the 8 experts/,
  ],
  [{ moe_ffn_type: 'SoftMoE_FFN' }, /one of VMoE_FFN, MoE_FFN/],
])('%j: refused', (config, message) => {
  expect(() => read(config)).toThrow(message)
})

test('room that is rounded up to no multiple is told from one of which nothing is said', () => {
  expect(read({}).routing).toMatchObject({ multipleOf: 4 })
  expect(read({ moe_capacity_multiple_of: null }).routing).toMatchObject({ multipleOf: 1 })
})

test('a file of routed experts that does not name its network is refused, with what to say', () => {
  const { tensors } = hashedCheckpoint('vit_moe_t16_4e1s_2c_last1_avg', [32, 32], 'x')
  const file = { ...hashedCheckpoint('vit_t16', [32, 32], 'x'), label: 'best.pt', tensors }
  expect(() => readVit(file, {})).toThrow(
    expect.objectContaining({
      code: 'unsupported-network',
      message: expect.stringMatching(/best\.pt holds a network of routed experts.*--network NAME/),
    }),
  )
  expect(readVit(file, { network: 'vit_moe_t16_4e1s_2c_last1_avg' }).config.experts).toMatchObject({
    count: 4,
  })
})
