import type { KeyObject } from 'node:crypto'

import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import type { Listing, Page, Scope, Store } from '#ports/store.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { KUBECONFIG_COLUMNS, kubeconfigOf, type KubeconfigRow } from '../records/kubeconfig-row.ts'
import { listPage } from './list-page.ts'

export function listKubeconfigs(connection: Queryable, key: KeyObject, scope: Scope, filter: Parameters<Store['listKubeconfigs']>[1], page: Page): Promise<Listing<KubeconfigRecord>> {
  const conditions = Conditions.inScope(scope)
    .oneOf('id', filter.ids)
    .oneOf('cluster_id', filter.clusterIds)
    .oneOf('type', filter.types)
    .oneOf('user_id', filter.userIds, 'bigint')
    .oneOf('role_id', filter.roleIds, 'bigint')
  return listPage(connection, 'kubeconfig', KUBECONFIG_COLUMNS, conditions, page, (row: KubeconfigRow) => kubeconfigOf(row, key))
}
