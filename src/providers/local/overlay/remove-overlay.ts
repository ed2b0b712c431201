import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stopOverlayProcesses } from './process.ts'
import { removeOverlayRoutes } from './routes.ts'

/** Ends the overlay of a state folder on this host: process, device, routes. `folder` as `RegionOverlayOptions`; already gone is success. */
export async function removeOverlay(hash: string, folder: string, onStopped: () => Promise<void>): Promise<void> {
  await stopOverlayProcesses(join(folder, 'run'))
  await removeOverlayRoutes(hash)
  await onStopped()
  await rm(folder, { recursive: true, force: true })
}
