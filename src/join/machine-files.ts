import { ARCHITECTURES, type Architecture, type ComponentFile, type Components, ComponentMissing } from '#ports/components.ts'
import { JoinRefused } from './refused.ts'

/** What a machine fetches from us, in the order in which it needs it. */
const ON_MACHINES = [
  { name: 'containerd' }, { name: 'containerd-shim-runc-v2' }, { name: 'runc' },
  { name: 'loopback' }, { name: 'ptp' }, { name: 'host-local' }, { name: 'portmap' },
  { name: 'kubelet', perVersion: true }, { name: 'kube-proxy', perVersion: true }, { name: 'flanneld' },
] as const
/** Only by these is a machine outside of the region's network part of it. */
const OUTSIDE = [{ name: 'nebula' }, { name: 'nebula-cert' }] as const

/** The machine's word for itself as one of ours; refuses what nothing is made for. */
export function servedArchitecture(said: string): Architecture {
  const found = ARCHITECTURES.find((architecture) => architecture === said)
  if (!found) throw new JoinRefused(400, `This machine's architecture is ${said || 'unknown'}; nodes are made of ${ARCHITECTURES.join(' and ')} machines.`)
  return found
}

/** The files for a machine of that architecture in a cluster of that version. Throws JoinRefused with the command that brings what is missing. */
export async function machineFiles(components: Components, kubernetesVersion: string, architecture: Architecture, isOutside = false): Promise<readonly ComponentFile[]> {
  const programs = [...(isOutside ? OUTSIDE : []), ...ON_MACHINES]
  try {
    return await Promise.all(programs.map((program) => components.find(program.name, { architecture, ...('perVersion' in program ? { kubernetesVersion } : {}) })))
  } catch (error) {
    if (!(error instanceof ComponentMissing)) throw error
    throw new JoinRefused(503, `The programs for ${architecture} machines are not there yet; on the server, \`edgehold components install --arch ${architecture}\` makes them. ${error.message}`, { cause: error })
  }
}

/** One file by the names in its address; only programs that machines fetch are served. */
export async function machineFile(components: Components, name: string, version: string, architecture: string): Promise<ComponentFile> {
  const program = [...ON_MACHINES, ...OUTSIDE].find((one) => one.name === name)
  if (!program) throw new JoinRefused(404, `Machines fetch no program of the name ${name.slice(0, 64)} here.`)
  const kubernetesVersion = components.kubernetesVersions().find((served) => served === version)
  const files = 'perVersion' in program && !kubernetesVersion ? undefined : await components.find(program.name, { architecture: servedArchitecture(architecture), ...('perVersion' in program && kubernetesVersion ? { kubernetesVersion } : {}) })
  if (files?.version !== version) throw new JoinRefused(404, `${name} is served here, but not in version ${version.slice(0, 64)}.`)
  return files
}

/** `name:version:sha256:size` words, as the script reads them. */
export const fileWords = (files: readonly ComponentFile[]): string => files.map((file) => `${file.name}:${file.version}:${file.sha256}:${file.sizeBytes}`).join(' ')
