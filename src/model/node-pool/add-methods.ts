import type { NodePoolType } from './record.ts'

/** `NodeAddMethods`: how nodes come into a pool. By an onboarding script that a machine runs, by a list of servers that a call names, or by the pool's own orders. */
export const ADD_METHODS = {
  'edge-machine-set': ['script', 'list'],
  'edge-machine-pool': ['auto', 'list'],
  'machine-set': ['auto', 'list'],
} as const satisfies Readonly<Record<NodePoolType, readonly ('script' | 'list' | 'auto')[]>>

/** The types of pools that take nodes in each of these ways; undefined where none is asked for. */
export function typesThatTake(wanted: { readonly script?: boolean; readonly list?: boolean; readonly auto?: boolean }): readonly NodePoolType[] | undefined {
  const methods = (['script', 'list', 'auto'] as const).filter(method => wanted[method])
  if (methods.length === 0) return undefined
  return (Object.keys(ADD_METHODS) as NodePoolType[]).filter(type => methods.every(method => (ADD_METHODS[type] as readonly string[]).includes(method)))
}
