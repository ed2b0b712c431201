import { optionalFlag, optionalWhole, optionalWord, refuseMember, type Members } from '../request.ts'
import type { Scaling } from './record.ts'

/** What a pool has where its caller says nothing (api.md 3 and 4). */
export const DEFAULT_SCALING: Scaling = { enabled: false, minReplicas: 0, maxReplicas: 10, desiredReplicas: 0, sentDesiredReplicas: 0, priority: 10 }

export const MOST_REPLICAS = 2000
/** ScaleUpEdgeNodePool's own limit; what a pool makes of it ends at its MaxReplicas. */
export const MOST_DESIRED_REPLICAS = 65_535

/**
 * `AutoScaleConfig` of an elastic pool, `AutoScaling` of a central one: what is not given stays as it was. Clients send all members every time, so a DesiredReplicas
 * that equals the one last sent is no request, and whatever has moved the target since then holds (status-rules.md, "Who owns DesiredReplicas").
 */
export function parseScaling(config: Members, before: Scaling = DEFAULT_SCALING): Scaling {
  const minReplicas = optionalWhole(config, 'MinReplicas', { min: 0, max: MOST_REPLICAS }) ?? before.minReplicas
  const maxReplicas = optionalWhole(config, 'MaxReplicas', { min: 1, max: MOST_REPLICAS }) ?? before.maxReplicas
  if (minReplicas > maxReplicas) refuseMember(config, 'MinReplicas', `${minReplicas} is more than MaxReplicas, ${maxReplicas}`)
  const mode = optionalWord(config, 'Mode', ['Release', 'Recycle']) ?? before.mode
  return {
    enabled: optionalFlag(config, 'Enabled') ?? before.enabled, minReplicas, maxReplicas,
    ...desiredAsSent(before, optionalWhole(config, 'DesiredReplicas', { min: 0, max: MOST_DESIRED_REPLICAS })),
    priority: optionalWhole(config, 'Priority', { min: 0, max: 100 }) ?? before.priority, ...(mode === undefined ? {} : { mode }),
  }
}

function desiredAsSent({ desiredReplicas, sentDesiredReplicas }: Scaling, sent: number | undefined): Pick<Scaling, 'desiredReplicas' | 'sentDesiredReplicas'> {
  return sent === undefined || sent === sentDesiredReplicas ? { desiredReplicas, sentDesiredReplicas } : { desiredReplicas: sent, sentDesiredReplicas: sent }
}

/** ScaleUpEdgeNodePool sets the target, whatever was sent before. */
export function scaledTo(scaling: Scaling, desiredReplicas: number): Scaling {
  return { ...scaling, desiredReplicas, sentDesiredReplicas: desiredReplicas }
}

/**
 * Nodes that a caller adds or takes away by hand move the target by their number, so that the pool neither gives them back nor replaces them. Those taken away are taken from what it holds, pods' need
 * included: what came for need alone is nothing that callers wanted. Answers go on showing what was last sent.
 */
export function movedBy(scaling: Scaling, nodes: number, need = 0): Scaling {
  const moved = Math.max(0, targetOf(scaling, nodes < 0 ? need : 0) + nodes)
  return { ...scaling, desiredReplicas: nodes < 0 ? Math.min(scaling.desiredReplicas, moved) : moved }
}

/** The number of machines that a pool is to have: what callers want or pods need, whichever is more, within the pool's bounds. */
export function targetOf({ desiredReplicas, minReplicas, maxReplicas }: Scaling, need = 0): number {
  return Math.min(Math.max(desiredReplicas, need, minReplicas), maxReplicas)
}

/** As answers show it: DesiredReplicas as a caller last sent it, Mode only if one did. */
export function scalingToWire(scaling: Scaling) {
  return {
    Enabled: scaling.enabled, MinReplicas: scaling.minReplicas, MaxReplicas: scaling.maxReplicas, DesiredReplicas: scaling.sentDesiredReplicas, Priority: scaling.priority,
    ...(scaling.mode === undefined ? {} : { Mode: scaling.mode }),
  }
}
