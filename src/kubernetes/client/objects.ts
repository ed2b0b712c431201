/** The parts of Kubernetes' objects that we read, as they come in JSON. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly generation?: number
  readonly resourceVersion?: string
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly controller?: boolean }[]
}

export interface KubernetesObject {
  readonly metadata: ObjectMeta
}

export interface KubernetesList<T> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items: readonly T[] | null
}

export interface NodeTaint { readonly key: string; readonly value?: string; readonly effect: string }

export interface NodeObject extends KubernetesObject {
  readonly spec?: { readonly unschedulable?: boolean; readonly podCIDR?: string; readonly taints?: readonly NodeTaint[] }
  readonly status?: {
    /** Quantities as Kubernetes writes them, e.g. `cpu: "2"`, `memory: 4038524Ki`. */
    readonly allocatable?: Readonly<Record<string, string>>
    readonly addresses?: readonly { readonly type: string; readonly address: string }[]
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string; readonly lastTransitionTime?: string; readonly lastHeartbeatTime?: string }[]
  }
}

export interface LeaseObject extends KubernetesObject {
  readonly spec?: { readonly renewTime?: string }
}

export interface SelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[]
}

export interface NodeTermObject {
  readonly matchExpressions?: SelectorObject['matchExpressions']
  readonly matchFields?: SelectorObject['matchExpressions']
}

export interface PodTermObject {
  readonly topologyKey: string
  readonly labelSelector?: SelectorObject
  readonly namespaces?: readonly string[]
  readonly namespaceSelector?: SelectorObject
}

export interface ContainerObject {
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> }
  readonly ports?: readonly { readonly hostPort?: number; readonly hostIP?: string; readonly protocol?: string }[]
  /** `Always` makes a sidecar of an init container. */
  readonly restartPolicy?: string
}

export interface PodSpecObject {
  readonly nodeName?: string
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly tolerations?: readonly { readonly key?: string; readonly operator?: string; readonly value?: string; readonly effect?: string }[]
  readonly affinity?: {
    readonly nodeAffinity?: { readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms?: readonly NodeTermObject[] } }
    readonly podAffinity?: { readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodTermObject[] }
    readonly podAntiAffinity?: { readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodTermObject[] }
  }
  readonly topologySpreadConstraints?: readonly {
    readonly topologyKey: string; readonly maxSkew: number; readonly whenUnsatisfiable: string; readonly labelSelector?: SelectorObject; readonly matchLabelKeys?: readonly string[]
    readonly minDomains?: number; readonly nodeAffinityPolicy?: string; readonly nodeTaintsPolicy?: string
  }[]
  readonly containers?: readonly ContainerObject[]
  readonly initContainers?: readonly ContainerObject[]
  readonly overhead?: Readonly<Record<string, string>>
  /** Of the pod as a whole, in place of what its containers ask for. */
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> }
  readonly volumes?: readonly { readonly persistentVolumeClaim?: object; readonly ephemeral?: object }[]
  readonly resourceClaims?: readonly object[]
  readonly schedulerName?: string
}

export interface DaemonSetObject extends KubernetesObject {
  readonly spec?: { readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }; readonly spec?: PodSpecObject } }
}

export interface PodObject extends KubernetesObject {
  readonly spec?: PodSpecObject
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }[]
    readonly containerStatuses?: readonly {
      readonly restartCount?: number
      readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string }; readonly running?: { readonly startedAt?: string } }
    }[]
  }
}

export type ReplicaSetObject = KubernetesObject

export interface ConfigMapObject extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>
}

export interface DeploymentObject extends KubernetesObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> } }
  readonly status?: { readonly availableReplicas?: number; readonly updatedReplicas?: number; readonly observedGeneration?: number }
}

export interface CertificateRequestObject extends KubernetesObject {
  readonly spec: {
    readonly signerName: string
    /** PEM, base64. */
    readonly request: string
    readonly username?: string
    readonly groups?: readonly string[]
    readonly usages?: readonly string[]
  }
  readonly status?: { readonly conditions?: readonly { readonly type: string }[]; readonly certificate?: string }
}
