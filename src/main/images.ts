import type { Configuration } from './configuration.ts'
import { openComponents } from './components.ts'
import { rememberedNetwork } from './local/remembered-network.ts'
import { localParts } from './local/parts.ts'
import { pinoLog } from './pino-log.ts'
import type { ImageRegistry } from '#ports/images.ts'

function registryOf(configuration: Configuration): ImageRegistry {
  const network = rememberedNetwork(configuration.stateDir)
  if (!network) throw new Error(`There is no region registry yet for ${configuration.stateDir}; ./edgehold up makes it.`)
  return localParts(configuration, network, openComponents(configuration), pinoLog({ fd: 2 }, 'warn')).registry
}

/** `images list`. */
export async function listImages(configuration: Configuration, output: 'table' | 'json'): Promise<number> {
  const registry = registryOf(configuration)
  const images = await registry.list()
  if (output === 'json') process.stdout.write(`${JSON.stringify({ registry: registry.address(), images }, undefined, 2)}\n`)
  else for (const image of images) for (const tag of image.tags) process.stdout.write(`${registry.address()}/${image.name}:${tag}\n`)
  return 0
}

/** `images push NAME:TAG FILE`: an OCI or Docker archive, or one static program. */
export async function pushImage(configuration: Configuration, reference: string, file: string, isExecutable: boolean): Promise<number> {
  const match = /^(?<name>[a-z0-9]+(?:[._/-][a-z0-9]+)*):(?<tag>[\w][\w.-]{0,127})$/.exec(reference)
  if (!match?.groups) {
    process.stderr.write(`edgehold: an image is named NAME:TAG, e.g. shop/till:1.0; it is ${reference}\n`)
    return 2
  }
  const { name = '', tag = '' } = match.groups
  const registry = registryOf(configuration)
  await registry.push(isExecutable ? { name, tag, executable: file } : { name, tag, archive: file })
  process.stdout.write(`${registry.address()}/${name}:${tag}\n`)
  return 0
}
