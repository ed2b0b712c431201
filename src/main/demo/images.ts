import { openComponents } from '../components.ts'
import type { Configuration } from '../configuration.ts'
import { rememberedNetwork } from '../local/remembered-network.ts'
import { localParts } from '../local/parts.ts'
import { pinoLog } from '../pino-log.ts'

/** The reference of an image in the region's registry, e.g. `10.210.0.1:5000/agnhost:2.57`. */
export async function imageReference(configuration: Configuration, name: string): Promise<string> {
  const network = rememberedNetwork(configuration.stateDir)
  if (!network) throw new Error('The region has no registry yet')
  const { registry } = localParts(configuration, network, openComponents(configuration), pinoLog({ fd: 2 }, 'warn'))
  const image = (await registry.list()).find(each => each.name === name)
  if (!image) throw new Error(`The region's registry has no image ${name} yet; ./edgehold images list shows what it has.`)
  return `${registry.address()}/${name}:${image.tags[0] ?? ''}`
}
