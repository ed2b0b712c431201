/** The line that makes a machine of the region run its onboarding script; it is what BootstrapScript shows. */
export function onboardingLine(url: string, token: string): string {
  return `F=$(mktemp) && curl -fsS --retry 4 --retry-connrefused ${url}/join/script/${token} -o "$F" && sh "$F"`
}

/** The token in such a line; undefined where the line fetches no script of a region. */
export function tokenOf(line: string): string | undefined {
  return /\/join\/script\/([A-Za-z0-9_.~-]+)/.exec(line)?.[1]
}
