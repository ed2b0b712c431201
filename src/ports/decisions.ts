/** The pure decisions of controllers and rules, by the names of their functions. */
export type DecisionName =
  | 'decideCluster' | 'decideBlind' | 'decideNodePool' | 'planScaling' | 'decideNode' | 'obstacleOf' | 'decideAddon' | 'decideKubeconfig' | 'decideMachine' | 'decideOrdered' | 'decideAccount'

/** A decision as it was made. */
export interface DecisionMade {
  readonly by: DecisionName
  /** The record's id. */
  readonly about: string
  /** All that it may depend on, as it was handed to the function. */
  readonly seen: unknown
  /** What the function answered. */
  readonly decided: unknown
}

/** Told of each decision as it is made, before anything is done about it, by those who make it again to see that nothing else decides. It must not change what it is handed. */
export type OnDecision = (made: DecisionMade) => void

/** What every controller takes besides its ports; absent where nobody asks. */
export interface DecisionPorts {
  readonly onDecision?: OnDecision | undefined
}
