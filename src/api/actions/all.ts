import type { Action } from '../action.ts'
import { AddMachine } from './AddMachine.ts'
import { CreateBatchEdgeMachine } from './CreateBatchEdgeMachine.ts'
import { CreateCluster } from './CreateCluster.ts'
import { CreateEdgeNodePool } from './CreateEdgeNodePool.ts'
import { CreateKubeconfig } from './CreateKubeconfig.ts'
import { DeleteBatchEdgeMachine } from './DeleteBatchEdgeMachine.ts'
import { DeleteCluster } from './DeleteCluster.ts'
import { DeleteEdgeNodes } from './DeleteEdgeNodes.ts'
import { DeleteKubeconfigs } from './DeleteKubeconfigs.ts'
import { DeleteNodePool } from './DeleteNodePool.ts'
import { ExecInMachine } from './ExecInMachine.ts'
import { ExplainStatus } from './ExplainStatus.ts'
import { ListBatchEdgeMachine } from './ListBatchEdgeMachine.ts'
import { ListClusters } from './ListClusters.ts'
import { ListEdgeNodePools } from './ListEdgeNodePools.ts'
import { ListEdgeNodes } from './ListEdgeNodes.ts'
import { ListKubeconfigs } from './ListKubeconfigs.ts'
import { ListLedger } from './ListLedger.ts'
import { ListMachines } from './ListMachines.ts'
import { GetBalance } from './GetBalance.ts'
import { ListRegions } from './ListRegions.ts'
import { ListStatusHistory } from './ListStatusHistory.ts'
import { RemoveMachine } from './RemoveMachine.ts'
import { SetBalance } from './SetBalance.ts'
import { SetMachine } from './SetMachine.ts'
import { SetNodeSchedulable } from './SetNodeSchedulable.ts'
import { UpdateBatchEdgeMachine } from './UpdateBatchEdgeMachine.ts'
import { UpdateClusterConfig } from './UpdateClusterConfig.ts'
import { UpdateEdgeNodePoolConfig } from './UpdateEdgeNodePoolConfig.ts'

/** Every action that is served, the product's and our own. */
export const ACTIONS: readonly Action[] = [
  CreateCluster, ListClusters, UpdateClusterConfig, DeleteCluster,
  CreateEdgeNodePool, ListEdgeNodePools, UpdateEdgeNodePoolConfig, DeleteNodePool,
  CreateBatchEdgeMachine, ListBatchEdgeMachine, UpdateBatchEdgeMachine, DeleteBatchEdgeMachine,
  ListEdgeNodes, DeleteEdgeNodes,
  CreateKubeconfig, ListKubeconfigs, DeleteKubeconfigs,
  ExplainStatus, ListStatusHistory, ListLedger, GetBalance, SetBalance, ListRegions,
  AddMachine, ListMachines, SetMachine, RemoveMachine, ExecInMachine, SetNodeSchedulable,
]
