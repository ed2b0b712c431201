import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import type { WorkloadSeen } from '#model/addon/health.ts'
import { AddonConflict, type AddonInstaller, type AddonSeen } from '#ports/addon-installer.ts'
import { TenantClusterUnreachable, type TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { until } from '#test/harness/waiting.ts'

interface Named { readonly name: string; readonly version: string }

/** What only those can show that install what users ask for. */
export interface InstallsForUsers {
  /** An add-on with definitions of its own and a Deployment of two pods or more, and the version after its own. */
  readonly addon: Named & { readonly newer: string }
  readonly other: Named
  /** A configuration that asks for one pod. */
  readonly onePod: string
  /** Somebody makes an object as the add-on would make it, or takes it away again. */
  squat(there: boolean): Promise<void>
  /** A user makes a custom resource of the add-on's kind that waits for a finalizer which nobody serves; or nothing holds it any more. The answer is its name. */
  hold(held: boolean): Promise<string>
  /** The add-on's definitions that are there. */
  definitions(): Promise<number>
}

export interface AddonInstallerUnderTest {
  readonly addons: AddonInstaller
  /** A cluster without nodes whose API answers, with its base. */
  readonly cluster: TenantClusterAddress
  /** One whose API does not answer. */
  readonly unreachable: TenantClusterAddress
  /** An add-on of the catalogue that it can see to be there. */
  readonly addon: Named
  /** Or the sentence why it installs nothing for users. */
  readonly forUsers: InstallsForUsers | string
  pass?(ms: number): Promise<void>
  close(): Promise<void>
}

const PATIENCE_MS = 30_000
const NEVER = 'never-heard-of'

/** The promises of what installs add-ons, told of one cluster without nodes. */
export function addonInstallerContract(name: string, open: () => Promise<AddonInstallerUnderTest>, options: { readonly skip?: string | false } = {}): void {
  describe(`add-on installer contract: ${name}`, { skip: options.skip ?? false, timeout: 10 * PATIENCE_MS }, () => {
    let parts: AddonInstallerUnderTest, addons: AddonInstaller, cluster: TenantClusterAddress
    before(async () => {
      parts = await open()
      ;({ addons, cluster } = parts)
    })
    after(() => parts.close())
    const seen = async (addon: string): Promise<AddonSeen> => await addons.look(cluster, addon) ?? assert.fail(`nothing of ${addon} is there`)
    const only = async (addon: string): Promise<WorkloadSeen> => (await seen(addon)).workloads[0] ?? assert.fail(`${addon} has no workload`)

    test('the catalogue names each add-on once, each with versions, and each version with the Kubernetes that it is for', () => {
      const names = addons.catalogue().map(addon => addon.name)
      assert.ok(names.includes(parts.addon.name))
      assert.deepEqual(names, [...new Set(names)])
      for (const { name: addon, versions } of addons.catalogue()) {
        assert.ok(versions.length > 0 && versions.every(({ kubernetes }) => kubernetes.length > 0 && kubernetes.every(minor => /^\d+\.\d+$/.test(minor))), addon)
        assert.equal(new Set(versions.map(({ version }) => version)).size, versions.length, addon)
      }
    })

    test('one that is there is seen in its version and with its workloads, and ensuring it, twice, leaves it so', async () => {
      for (let times = 0; times < 2; times++) {
        await addons.ensure(cluster, parts.addon)
        assert.equal((await seen(parts.addon.name)).version, parts.addon.version)
        const { name: workload, desired } = await only(parts.addon.name)
        assert.match(workload, /^(Deployment|DaemonSet|StatefulSet)\/[a-z0-9-]+$/)
        assert.ok(desired > 0)
      }
    })

    test('where there is no node the scheduler says of its pods that they find none', async () => {
      await addons.ensure(cluster, parts.addon)
      await parts.pass?.(1_000)
      await until(async () => (await only(parts.addon.name)).pods.some(({ unschedulable }) => unschedulable !== undefined), PATIENCE_MS)
      assert.deepEqual([(await seen(parts.addon.name)).schedulableNodes, (await only(parts.addon.name)).available], [0, 0])
    })

    test('what no catalogue names is not there, cannot be installed, and nothing else is told in its place', async () => {
      assert.equal(await addons.look(cluster, NEVER), undefined)
      await assert.rejects(addons.ensure(cluster, { name: NEVER, version: 'v1.0.0' }))
      assert.equal(await addons.look(cluster, NEVER), undefined)
      await addons.ensureGone(cluster, NEVER, { crds: 'Retain' })
    })

    test('where nobody answers nothing is concluded', async () => {
      for (const call of [() => addons.ensure(parts.unreachable, parts.addon), () => addons.look(parts.unreachable, parts.addon.name)]) {
        await assert.rejects(call(), (error: unknown) => error instanceof TenantClusterUnreachable && error.kind === 'TenantClusterUnreachable')
      }
    })

    /** A promise of those that install what users ask for; of others it is printed why it is not kept. */
    function promise(title: string, keep: (forUsers: InstallsForUsers) => Promise<void>): void {
      test(title, async (context: TestContext) => {
        const { forUsers } = parts
        if (typeof forUsers === 'string') context.skip(forUsers)
        else await keep(forUsers)
      })
    }

    promise('nothing becomes one, which changes its version and its configuration, and becomes nothing, twice; others are left alone', async ({ addon, other, onePod }) => {
      assert.equal(await addons.look(cluster, addon.name), undefined)
      await addons.ensure(cluster, other)
      await addons.ensure(cluster, addon)
      const { desired } = await only(addon.name)
      assert.deepEqual([(await seen(addon.name)).version, desired > 1], [addon.version, true])
      await addons.ensure(cluster, { ...addon, version: addon.newer })
      assert.deepEqual([(await seen(addon.name)).version, (await only(addon.name)).desired], [addon.newer, desired])
      await addons.ensure(cluster, { ...addon, version: addon.newer, config: onePod })
      assert.equal((await only(addon.name)).desired, 1)
      for (let times = 0; times < 2; times++) {
        await addons.ensureGone(cluster, addon.name, { crds: 'Delete' })
        assert.equal(await addons.look(cluster, addon.name), undefined)
      }
      assert.equal((await seen(other.name)).version, other.version)
    })

    promise('its definitions go where that is asked for, and stay where it is not', async forUsers => {
      const { addon } = forUsers
      for (const crds of ['Retain', 'Delete'] as const) {
        await addons.ensure(cluster, addon)
        assert.ok(await forUsers.definitions() > 0)
        await addons.ensureGone(cluster, addon.name, { crds })
        assert.deepEqual([await addons.look(cluster, addon.name), await forUsers.definitions() > 0], [undefined, crds === 'Retain'])
      }
    })

    promise('an object of its name that belongs to somebody else is a conflict that names it, and nothing is made beside it', async forUsers => {
      const { addon } = forUsers
      await forUsers.squat(true)
      await assert.rejects(addons.ensure(cluster, addon), (error: unknown) => error instanceof AddonConflict && error.kind === 'AddonConflict' && error.message.includes(addon.name))
      assert.equal(await addons.look(cluster, addon.name), undefined)
      await forUsers.squat(false)
      await addons.ensure(cluster, addon)
      await addons.ensureGone(cluster, addon.name, { crds: 'Delete' })
    })

    promise('what holds its removal is named in one error of all that stayed, and once it is held no more all is gone', async forUsers => {
      const { addon } = forUsers
      await addons.ensure(cluster, addon)
      const held = await forUsers.hold(true)
      await assert.rejects(addons.ensureGone(cluster, addon.name, { crds: 'Delete' }), (error: unknown) => error instanceof AggregateError && error.errors.some(each => each instanceof Error && each.message.includes(held)))
      assert.ok(await forUsers.definitions() > 0)
      await forUsers.hold(false)
      await addons.ensureGone(cluster, addon.name, { crds: 'Delete' })
      assert.deepEqual([await addons.look(cluster, addon.name), await forUsers.definitions()], [undefined, 0])
    })

    promise('where nobody answers nothing is removed', async ({ addon }) => {
      await assert.rejects(addons.ensureGone(parts.unreachable, addon.name, { crds: 'Retain' }), TenantClusterUnreachable)
    })
  })
}
