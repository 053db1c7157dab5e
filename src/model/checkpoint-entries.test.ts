import { expect, test } from 'vitest'
import { TINY_NETWORKS, tinyCheckpoint } from '../../test/support/tiny-networks.js'
import { CHECKPOINT_ENTRIES, ENTRY_WORDS, judgeBeside } from './checkpoint-entries.js'

const judge = (...dropped: string[]) =>
  judgeBeside({ ...tinyCheckpoint(TINY_NETWORKS.birder), dropped }, { own: null })

test('what trainers are known to write passes, and so does what has one of the words', () => {
  for (const [name, { use }] of Object.entries(CHECKPOINT_ENTRIES.fields))
    if (use === 'nothing') expect(() => judge(name)).not.toThrow()
  for (const { words } of ENTRY_WORDS)
    for (const word of words) expect(() => judge(`my_${word}`)).not.toThrow()
})

test('an average that is no network is refused, and numbers of one are not', () => {
  for (const name of ['ema', 'model_ema', 'shadow_params', 'swaModel'])
    expect(() => judge(name)).toThrow(/moving average whose tensors have no names/)
  for (const name of ['ema_decay', 'n_averaged', 'ema_optimizer', 'averaging_state'])
    expect(() => judge(name)).not.toThrow()
})

test.each(['train_resolution', 'model.lora.A', 'frobnicate', 'pixel_mean', 'teacher_norm'])(
  '%s is refused by name',
  (name) => {
    expect(() => judge(name)).toThrow(
      expect.objectContaining({ code: 'unknown-field', message: expect.stringContaining(name) }),
    )
  },
)

test.each(['best_acc1', 'wandbRunId', 'teacher.dino_head.norm.weight', 'logit_scale', 'ln_final.weight'])(
  '%s changes no feature',
  (name) => {
    expect(() => judge(name)).not.toThrow()
  },
)
