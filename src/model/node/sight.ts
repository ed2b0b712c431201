import type { NodeFacts } from './record.ts'

/** Everything a node's status may depend on: its own facts and the region's time. */
export interface NodeSight {
  readonly now: number
  readonly facts: NodeFacts
}

export function nodeSight(node: { readonly facts: NodeFacts }, now: number): NodeSight {
  return { now, facts: node.facts }
}
