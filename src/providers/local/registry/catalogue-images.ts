import type { ComponentName } from '#ports/components.ts'

/** An image made of one component. */
export interface CatalogueImage {
  readonly name: string
  /** The component's version where none is given. */
  readonly tag?: string
  readonly component: ComponentName
  readonly entrypoint: readonly string[]
  readonly command?: readonly string[]
}

/** The images that a region's registry holds from the start, with the names that machines and the add-on catalogue use. */
export const CATALOGUE_IMAGES: readonly CatalogueImage[] = [
  // The sandbox of every pod; the tag is what Kubernetes calls the image that it replaces.
  { name: 'pause', tag: '3.10', component: 'agnhost', entrypoint: ['/agnhost', 'pause'] },
  { name: 'coredns', component: 'coredns', entrypoint: ['/coredns'] },
  { name: 'agnhost', component: 'agnhost', entrypoint: ['/agnhost'], command: ['pause'] },
  { name: 'metrics-server', component: 'metrics-server', entrypoint: ['/metrics-server'] },
]
