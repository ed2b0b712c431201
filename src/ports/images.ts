/** A region's own image registry: the only place from which its machines pull. */
export interface ImageRegistry {
  /** `HOST:PORT` as machines reach it. */
  address(): string
  /** Starts the registry if it is not running (it outlives the server and is adopted) and fills it from the installed components. Safe to repeat. */
  ensure(signal: AbortSignal): Promise<void>
  ensureGone(): Promise<void>
  /** `{name, tags}` of what is there. */
  list(): Promise<readonly { name: string; tags: readonly string[] }[]>
  /** Pushes an image: either one static executable with its entrypoint, or an OCI/docker archive. */
  push(image: { name: string; tag: string; executable: string; entrypoint?: readonly string[] } | { name: string; tag: string; archive: string }): Promise<void>
}
