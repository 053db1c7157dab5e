/** Hands dispatches to the device. */

import type { GpuPass } from './gpu.js'
import type { Dispatch } from './op-on-gpu.js'

/** Joins a dispatch with its pipeline, and says where its uniforms begin. */
export interface ReadyDispatch {
  readonly dispatch: Dispatch
  readonly pipeline: object
  readonly offset: number
}

/** @param groups one for each segment of weights */
export function encodeDispatch(
  pass: GpuPass,
  { dispatch, pipeline, offset }: ReadyDispatch,
  groups: readonly object[],
): void {
  const group = groups[dispatch.segment]
  if (group === undefined) throw new Error(`There is no segment ${dispatch.segment} of weights.`)
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, group, [offset])
  pass.dispatchWorkgroups(...dispatch.groups)
}
