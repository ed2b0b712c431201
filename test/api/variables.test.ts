import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, suite, test } from 'node:test'
import type { Command, Option } from 'commander'
import { buildProgram } from '../../src/cli/program.ts'
import { buildProgram as buildServerProgram } from '../../src/main/program.ts'
import { repository, runProgram } from '../harness/command.ts'

const PROGRAMS: Readonly<Record<string, () => Command>> = { 'the command line': buildProgram, 'the server': () => buildServerProgram(AbortSignal.any([])) }

/** What a switch that has a variable changes is how a command goes on; what it makes or destroys is said with it. */
const SWITCHES_WITH_A_VARIABLE = ['--wait', '--detach']

interface Leaf { readonly path: readonly string[]; readonly command: Command }

function leavesOf(command: Command, path: readonly string[] = []): readonly Leaf[] {
  return command.commands.length === 0 ? [{ path, command }] : command.commands.flatMap(child => leavesOf(child, [...path, child.name()]))
}

function variableOf(option: Option): string {
  return `EDGEHOLD_${(option.long ?? '').slice(2).toUpperCase().replaceAll('-', '_')}`
}

/** What a command is given when it is called by its path and no more than it must be told. */
async function optionsOf(build: () => Command, path: readonly string[]): Promise<Record<string, unknown>> {
  const program = build()
  const leaf = leavesOf(program).find(one => one.path.join(' ') === path.join(' '))
  assert.ok(leaf)
  const taken: Record<string, unknown>[] = []
  leaf.command.action(() => { taken.push(leaf.command.opts()) })
  const needed = leaf.command.options.filter(option => option.mandatory).flatMap(option => [option.long ?? '', 'x'])
  await program.parseAsync([...path, ...needed, ...leaf.command.registeredArguments.map(argument => argument.argChoices?.[0] ?? '1')], { from: 'user' })
  return taken[0] ?? {}
}

suite('variables of options', () => {
  const variables = Object.values(PROGRAMS).flatMap(build => leavesOf(build()).flatMap(({ command }) => command.options.filter(option => option.isBoolean()).map(variableOf)))
  afterEach(() => { for (const variable of variables) Reflect.deleteProperty(process.env, variable) })

  for (const [what, build] of Object.entries(PROGRAMS)) {
    const switches = leavesOf(build()).flatMap(({ path, command }) => command.options.filter(option => option.isBoolean()).map(option => ({ path, option })))
    test(`${what}: each switch is on by its variable only where that says so`, async () => {
      assert.ok(switches.length > 4)
      for (const { path, option } of switches) {
        const variable = variableOf(option), name = `${path.join(' ')} ${option.long ?? ''}`
        const hasOne = SWITCHES_WITH_A_VARIABLE.includes(option.long ?? '')
        assert.equal(option.envVar, hasOne ? variable : undefined, name)
        for (const [text, says] of [['true', true], ['1', true], ['on', true], ['false', false], ['0', false], ['off', false], ['', false]] as const) {
          process.env[variable] = text
          assert.equal((await optionsOf(build, path))[option.attributeName()] ?? false, hasOne && says, `${name} with ${variable}=${text}`)
        }
        process.env[variable] = 'maybe'
        if (hasOne) await assert.rejects(optionsOf(build, path), { kind: 'UsageError', message: `${variable} is "maybe": write true, 1 or on for yes, and false, 0, off or nothing for no` }, name)
        else assert.equal((await optionsOf(build, path))[option.attributeName()], undefined, name)
        delete process.env[variable]
      }
    })
  }

  test('what is said on the command line wins over a variable', async () => {
    process.env['EDGEHOLD_WAIT'] = 'off'
    const program = buildProgram()
    const { command } = leavesOf(program).find(({ path }) => path.join(' ') === 'get cluster') ?? assert.fail()
    command.action(() => {})
    await program.parseAsync(['get', 'cluster', 'x', '--wait'], { from: 'user' })
    assert.equal(command.opts()['wait'], true)
  })

  for (const [file, ...args] of [['src/cli/edgehold.ts', 'get', 'cluster', 'x'], ['src/main/edgehold.ts', 'up', '--config', '/nowhere']] as const) {
    test(`${file} ends with 2 where a variable says neither yes nor no`, async () => {
      const { code, stdout, stderr } = await runProgram(process.execPath, [join(repository, file), ...args], { environment: { PATH: process.env['PATH'], EDGEHOLD_STATE: '/nowhere', EDGEHOLD_WAIT: 'maybe', EDGEHOLD_DETACH: 'maybe' } })
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, /^edgehold: EDGEHOLD_(WAIT|DETACH) is "maybe": write true, 1 or on for yes, and false, 0, off or nothing for no\n$/)
    })
  }

  test('EDGEHOLD_DEBUG is such a switch, too', async () => {
    const failed = async (EDGEHOLD_DEBUG: string) => {
      const { code, stderr } = await runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(repository, 'src/main/edgehold.ts'), 'images', 'list'], { environment: { PATH: process.env['PATH'], EDGEHOLD_STATE: '/nowhere/at/all', EDGEHOLD_DEBUG } })
      return [code, /^ +at /m.test(stderr), stderr] as const
    }
    for (const [text, isOn] of [['1', true], ['on', true], ['0', false], ['off', false], ['', false]] as const) assert.deepEqual((await failed(text)).slice(0, 2), [1, isOn], text)
    assert.deepEqual(await failed('maybe'), [2, false, 'edgehold: EDGEHOLD_DEBUG is "maybe": write true, 1 or on for yes, and false, 0, off or nothing for no\n'])
  })

  /** Of variables that several commands have: in how many ways they say one and the same. */
  const SAID_DIFFERENTLY: Readonly<Record<string, readonly string[]>> = {
    EDGEHOLD_STATE: ['state folder', 'state folder, where credentials.json is'],
    EDGEHOLD_REGION: ['region, instead of the one in credentials.json', 'where it is played: the local region where there is one, or a simulated one'],
    EDGEHOLD_CLUSTER: ['its cluster, by name or id', 'of one cluster, by name or id', "the script's cluster, by name or id"],
    EDGEHOLD_POOL: ['its pool, by name or id', 'the pool that machines join, by name or id'],
    EDGEHOLD_AREA: ['elastic: the area in which it orders them', 'only in that area; without it in all that have no stock of their own'],
    EDGEHOLD_SUBNET: ['a subnet of the VPC; may be repeated', 'central: subnet of its servers; may be repeated'],
    EDGEHOLD_SEED: ['what is drawn in it; the same seed tells the same story', 'the same seed tells the same story'],
    EDGEHOLD_TTL: ['how long it makes nodes, e.g. 1h', 'how long from now on, e.g. 1h'],
    EDGEHOLD_ADDON_VERSION: ['the newest that fits the cluster, if none is given', 'the version'],
    EDGEHOLD_WAIT: ['wait until it is Running; progress goes to standard error', 'wait until it is Running again; progress goes to standard error', 'wait until it is gone; progress goes to standard error', 'wait until it is made and on; progress goes to standard error'],
  }

  test('no variable has two meanings', () => {
    const said = new Map<string, Map<string, string>>()
    for (const build of Object.values(PROGRAMS)) for (const { path, command } of leavesOf(build())) for (const { envVar, description, flags } of command.options) {
      if (envVar === undefined) continue
      const here = said.get(envVar) ?? new Map<string, string>()
      said.set(envVar, here.set(description, `${path.join(' ')} ${flags}: ${description}`))
    }
    assert.ok(said.size > 30)
    for (const [variable, texts] of said) if (texts.size > 1) assert.deepEqual([...texts.keys()].toSorted(), [...SAID_DIFFERENTLY[variable] ?? []].toSorted(), `${variable} is said to be: ${[...texts.values()].join(' | ')}`)
    // Settings of the server and of what starts it are no options of the command line, but for where the state is.
    const settings = ['src/main/configuration.ts', 'edgehold'].flatMap(file => readFileSync(join(repository, file), 'utf8').match(/EDGEHOLD_[A-Z_]+/g) ?? [])
    const ofCommands = new Set(leavesOf(buildProgram()).flatMap(({ command }) => command.options.map(option => option.envVar)))
    assert.deepEqual([...new Set(settings)].filter(variable => ofCommands.has(variable)), ['EDGEHOLD_STATE'])
  })
})
