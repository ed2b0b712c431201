import { accountController } from '#controllers/account/reconcile.ts'
import { addonController } from '#controllers/addon/reconcile.ts'
import { clusterController } from '#controllers/cluster/reconcile.ts'
import { kubeconfigController } from '#controllers/kubeconfig/reconcile.ts'
import { machineController } from '#controllers/machine/reconcile.ts'
import { givenBackController } from '#controllers/node-pool/given-back.ts'
import { nodePoolController } from '#controllers/node-pool/reconcile.ts'
import { nodeController } from '#controllers/node/reconcile.ts'
import type { Controller } from '#ports/controller.ts'

type PortsOf<Made extends (ports: never) => Controller> = Parameters<Made>[0]

type ControllerPorts = PortsOf<typeof clusterController> & PortsOf<typeof nodePoolController> & PortsOf<typeof nodeController> & PortsOf<typeof kubeconfigController>
  & PortsOf<typeof machineController> & PortsOf<typeof accountController> & PortsOf<typeof addonController>

/** All controllers that there are: every region is run by the same ones, whatever is behind its ports. */
export function controllersOver(ports: ControllerPorts): readonly Controller[] {
  return [clusterController, nodePoolController, givenBackController, nodeController, kubeconfigController, machineController, accountController, addonController].map(controller => controller(ports))
}
