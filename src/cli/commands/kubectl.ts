import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterSeparator } from '../after-separator.ts'
import { connect } from '../credentials.ts'
import { findKubectl } from '../find-kubectl.ts'
import { flag, parseSpan, withCommon, type Common } from '../flags.ts'
import { anyKubeconfig, makeKubeconfig } from '../kubeconfigs.ts'
import { print, printJson } from '../print.ts'
import { findCluster } from '../resolve.ts'

const HOUR_MS = 3_600_000

export function addKubectlCommands(program: Command): void {
  withCommon(program.command('kubeconfig <cluster>'))
    .description('print a new kubeconfig; deleting it later revokes it')
    .addOption(flag('--valid <span>', 'how long it holds, in whole hours; three years by default').argParser(parseSpan))
    .action(async (name: string, flags: Common & { valid?: number }) => {
      const client = connect(flags)
      const text = await makeKubeconfig(client, (await findCluster(client, name)).Id, flags.valid === undefined ? undefined : Math.ceil(flags.valid / HOUR_MS))
      if (flags.output === 'json') printJson({ Kubeconfig: text })
      else print(text)
    })

  withCommon(program.command('kubectl <cluster> [arguments...]'))
    .description('run kubectl as the administrator of a cluster; its exit code becomes ours. Options of ours stand before the cluster')
    .addOption(flag('--kubectl <file>', 'the kubectl to run, instead of the one on PATH or among the components'))
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (name: string, args: readonly string[], flags: Common & { kubectl?: string }) => {
      const kubectl = findKubectl(flags.kubectl)
      const client = connect(flags)
      process.exitCode = await runWith(await anyKubeconfig(client, (await findCluster(client, name)).Id), kubectl, afterSeparator(args))
    })
}

/** The kubeconfig lies in a folder of ours for as long as the program runs. */
async function runWith(kubeconfig: string, kubectl: string, args: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-'))
  const file = join(folder, 'kubeconfig.yaml')
  // We stay until the program has ended, so that the file goes. The terminal sends these to it, too; only the last two may come to us alone.
  let passOn = (_signal: NodeJS.Signals) => {}
  const stay = () => {}, end = (signal: NodeJS.Signals) => { passOn(signal) }
  process.on('SIGINT', stay).on('SIGQUIT', stay).on('SIGTERM', end).on('SIGHUP', end)
  try {
    writeFileSync(file, kubeconfig, { mode: 0o600 })
    return await new Promise((resolve, reject) => {
      const child = spawn(kubectl, args, { stdio: 'inherit', env: { ...process.env, KUBECONFIG: file } })
      child.once('error', reject)
      passOn = signal => { child.kill(signal) }
      child.once('exit', (code, signal) => { resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)) })
    })
  } finally {
    process.off('SIGINT', stay).off('SIGQUIT', stay).off('SIGTERM', end).off('SIGHUP', end)
    rmSync(folder, { recursive: true, force: true })
  }
}
