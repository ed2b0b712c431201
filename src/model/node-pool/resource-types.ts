/** What ListSupportedResourceTypes offers of a region: its one zone, and in it the types of servers. Pools take any type by name: all of them are made alike here. */
export interface ResourceType {
  readonly scope: 'Region' | 'Zone'
  readonly zoneId: string
  readonly type: 'Zone' | 'Ecs'
  readonly specifications: readonly string[]
}

/** Names that the product's own examples use. */
const SERVER_TYPES = ['ecs.c1ie.large', 'ecs.c1ie.xlarge', 'ecs.c1ie.2xlarge', 'ecs.g1ie.large', 'ecs.g1ie.xlarge', 'ecs.g1ie.2xlarge']

/** All of a region is one zone, and every node of it is there. */
export function zoneOf(region: string): string {
  return `${region}-a`
}

export function resourceTypesOf(region: string): readonly ResourceType[] {
  const zoneId = zoneOf(region)
  return [
    { scope: 'Zone', zoneId, type: 'Ecs', specifications: SERVER_TYPES },
    { scope: 'Region', zoneId, type: 'Zone', specifications: [zoneId] },
  ]
}
