import { MEMBERS, SYSTEM_NAMESPACE } from './names.ts'
import type { Manifest } from './rights.ts'

/**
 * Only members may have Node objects. Without it a removed machine comes back with its kubelet's next restart, because its certificate still holds.
 * The members are the keys of a ConfigMap; a missing list lets nobody in.
 */
export const MEMBERSHIP_POLICY: readonly Manifest[] = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', metadata: { name: MEMBERS },
    spec: {
      failurePolicy: 'Fail',
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nodes'] }] },
      validations: [{
        expression: 'has(params.data) && object.metadata.name in params.data',
        message: 'This machine is no member of the cluster.',
        messageExpression: '"The machine " + object.metadata.name + " is no member of this cluster: it was removed, or never joined. Run the onboarding script of one of its node pools on it."',
        reason: 'Forbidden',
      }],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding', metadata: { name: MEMBERS },
    spec: {
      policyName: MEMBERS,
      validationActions: ['Deny'],
      paramRef: { name: MEMBERS, namespace: SYSTEM_NAMESPACE, parameterNotFoundAction: 'Deny' },
    },
  },
]
