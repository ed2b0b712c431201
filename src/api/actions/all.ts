import type { Action } from '../action.ts'
import { AddMachine } from './AddMachine.ts'
import { CreateAddon } from './CreateAddon.ts'
import { DeleteAddon } from './DeleteAddon.ts'
import { ListAddons } from './ListAddons.ts'
import { ListSupportedAddons } from './ListSupportedAddons.ts'
import { UpdateAddonConfig } from './UpdateAddonConfig.ts'
import { UpdateAddonVersion } from './UpdateAddonVersion.ts'
import { CreateBatchEdgeMachine } from './CreateBatchEdgeMachine.ts'
import { CreateCluster } from './CreateCluster.ts'
import { CreateDefaultNodePool } from './CreateDefaultNodePool.ts'
import { CreateEdgeNode } from './CreateEdgeNode.ts'
import { CreateEdgeNodePool } from './CreateEdgeNodePool.ts'
import { CreateRegion } from './CreateRegion.ts'
import { DeleteRegion } from './DeleteRegion.ts'
import { GetClock } from './GetClock.ts'
import { SetClock } from './SetClock.ts'
import { CreateKubeconfig } from './CreateKubeconfig.ts'
import { CreateNodePool } from './CreateNodePool.ts'
import { CreateNodes } from './CreateNodes.ts'
import { DeleteBatchEdgeMachine } from './DeleteBatchEdgeMachine.ts'
import { DeleteCluster } from './DeleteCluster.ts'
import { DeleteEdgeNodes } from './DeleteEdgeNodes.ts'
import { DeleteKubeconfigs } from './DeleteKubeconfigs.ts'
import { DeleteNodePool } from './DeleteNodePool.ts'
import { DeleteNodes } from './DeleteNodes.ts'
import { ExecInMachine } from './ExecInMachine.ts'
import { ExplainStatus } from './ExplainStatus.ts'
import { ListScenarios } from './ListScenarios.ts'
import { RunScenario } from './RunScenario.ts'
import { GetBalance } from './GetBalance.ts'
import { ListBatchEdgeMachine } from './ListBatchEdgeMachine.ts'
import { ListClusters } from './ListClusters.ts'
import { ListEdgeNodePools } from './ListEdgeNodePools.ts'
import { ListEdgeNodes } from './ListEdgeNodes.ts'
import { ListKubeconfigs } from './ListKubeconfigs.ts'
import { ListLedger } from './ListLedger.ts'
import { ListMachines } from './ListMachines.ts'
import { ListNodePools } from './ListNodePools.ts'
import { ListNodes } from './ListNodes.ts'
import { ListRegions } from './ListRegions.ts'
import { ListStatusHistory } from './ListStatusHistory.ts'
import { ListSupportedResourceTypes } from './ListSupportedResourceTypes.ts'
import { RemoveMachine } from './RemoveMachine.ts'
import { ScaleDownEdgeNodePool } from './ScaleDownEdgeNodePool.ts'
import { ScaleUpEdgeNodePool } from './ScaleUpEdgeNodePool.ts'
import { SetBalance } from './SetBalance.ts'
import { SetMachine } from './SetMachine.ts'
import { SetNodeSchedulable } from './SetNodeSchedulable.ts'
import { UpdateBatchEdgeMachine } from './UpdateBatchEdgeMachine.ts'
import { UpdateClusterConfig } from './UpdateClusterConfig.ts'
import { UpdateEdgeNodePoolConfig } from './UpdateEdgeNodePoolConfig.ts'
import { UpdateNodePoolConfig } from './UpdateNodePoolConfig.ts'
import { InjectFault } from './InjectFault.ts'
import { ListFaults } from './ListFaults.ts'
import { ClearFault } from './ClearFault.ts'
import { SetStock } from './SetStock.ts'
import { ListStock } from './ListStock.ts'
import { SetQuota } from './SetQuota.ts'
import { ListQuotas } from './ListQuotas.ts'
import { PutObject } from './PutObject.ts'
import { DeleteObject } from './DeleteObject.ts'
import { SetWorkload } from './SetWorkload.ts'
import { SetImage } from './SetImage.ts'

/** Every action that is served, the product's and our own. */
export const ACTIONS: readonly Action[] = [
  CreateCluster, ListClusters, UpdateClusterConfig, DeleteCluster,
  CreateEdgeNodePool, ListEdgeNodePools, UpdateEdgeNodePoolConfig, DeleteNodePool,
  ScaleUpEdgeNodePool, ScaleDownEdgeNodePool, CreateEdgeNode,
  CreateNodePool, CreateDefaultNodePool, ListNodePools, UpdateNodePoolConfig, CreateNodes, ListNodes, DeleteNodes, ListSupportedResourceTypes,
  CreateBatchEdgeMachine, ListBatchEdgeMachine, UpdateBatchEdgeMachine, DeleteBatchEdgeMachine,
  ListEdgeNodes, DeleteEdgeNodes,
  CreateAddon, ListAddons, ListSupportedAddons, UpdateAddonConfig, UpdateAddonVersion, DeleteAddon,
  CreateKubeconfig, ListKubeconfigs, DeleteKubeconfigs,
  ExplainStatus, ListStatusHistory, ListLedger, GetBalance, SetBalance, ListScenarios, RunScenario, ListRegions, CreateRegion, DeleteRegion, GetClock, SetClock,
  AddMachine, ListMachines, SetMachine, RemoveMachine, ExecInMachine, SetNodeSchedulable,
  InjectFault, ListFaults, ClearFault, SetStock, ListStock, SetQuota, ListQuotas, PutObject, DeleteObject, SetWorkload, SetImage,
]
