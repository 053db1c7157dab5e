import { expect, test } from 'vitest'
import { metaLeftOver } from './dialects/meta-names.js'
import { leftOver } from './left-over.js'

test('what lies beside a network is sorted by the words in its name', () => {
  const ignored = new Map([
    ['mask_token', 'training'],
    ['head.weight', 'head'],
    ['text_model.final_layer_norm.weight', 'text-tower'],
    ['blocks.0.attn.relative_position_index', 'derived'],
  ] as const)
  const dropped = [
    'text_encoder.ln_final.bias',
    'token_embedding.weight',
    'logit_scale',
    'decode_head.conv_seg.weight',
    'neck.convs.0.weight',
    'mask_decoder.iou_token.weight',
    'head.depth.weight',
    'optimizer',
    'dino_head.mlp.0.weight',
    'student.backbone.',
    'decoder.decoder_norm.bias',
    'something_else.weight',
  ]
  expect(leftOver(ignored, dropped)).toEqual({
    textTower: [
      'text_model.final_layer_norm.weight',
      'text_encoder.ln_final.bias',
      'token_embedding.weight',
      'logit_scale',
    ],
    heads: [
      'head.weight',
      'decode_head.conv_seg.weight',
      'neck.convs.0.weight',
      'mask_decoder.iou_token.weight',
      'head.depth.weight',
    ],
    training: [
      'mask_token',
      'optimizer',
      'dino_head.mlp.0.weight',
      'student.backbone.',
      'decoder.decoder_norm.bias',
    ],
    derived: ['blocks.0.attn.relative_position_index'],
    others: ['something_else.weight'],
  })
})

test('of what stands behind a backbone of Meta one matrix is a classifier, and several are for a loss', () => {
  const names = [
    'head.weight',
    'head.bias',
    'head.mlp.0.weight',
    'head.last_layer.weight_v',
    'mask_token',
    'x',
  ]
  expect(names.map(metaLeftOver)).toEqual(['head', 'head', 'training', 'training', 'training', null])
})
