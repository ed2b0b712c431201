import type { Architecture, ComponentName } from '#ports/components.ts'

/** Where upstream publishes a program. `{version}`, `{number}` (without the `v`), `{arch}`, `{name}` are filled in. */
export interface Release {
  readonly url: string
  /** A file of SHA-256 sums beside it: one bare sum, or lines of `SUM  FILE`. What has no published sum is built instead. */
  readonly sums: string
  /** For archives: the program's path in it. */
  readonly member?: string
  /** What upstream calls the architectures, where it is not amd64 and arm64. */
  readonly architectures?: Readonly<Record<Architecture, string>>
}

export interface Program {
  readonly name: ComponentName
  /** The Go package that is its `main`. */
  readonly package: string
  /** It runs on machines, by itself or in a container, so it is made for architectures other than this host's too. */
  readonly onMachines?: true
  readonly release?: Release
}

/** Programs that share a Go module, a version and the way in which they are built. */
export interface Group {
  /** Folder under `components/`. */
  readonly folder: string
  readonly title: string
  readonly version: string
  /** Kubernetes' own programs: there is one of each for every minor. */
  readonly perKubernetesVersion?: true
  /** Cold build on two cores, measured. */
  readonly minutes: number
  readonly tags?: string
  readonly ldflags: string
  /** `static`: needs a C compiler; linked without shared libraries, so that it runs on any machine. */
  readonly cgo?: 'static'
  /** A C library whose headers the build needs, by its pkg-config name. */
  readonly library?: 'libseccomp'
  readonly programs: readonly Program[]
}

/** Where Go itself is published. */
export const GO_HOME = 'https://go.dev/dl/'

const github = (repository: string) => `https://github.com/${repository}/releases/download/{version}`

function kubernetes(version: string): Group {
  const [major, minor] = version.slice(1).split('.')
  const stamps = [
    ['k8s.io/component-base/version.gitVersion', version],
    ['k8s.io/component-base/version.gitMajor', major],
    ['k8s.io/component-base/version.gitMinor', minor],
    ['k8s.io/component-base/version.gitTreeState', 'clean'],
    ['k8s.io/component-base/version.gitCommit', 'unknown'],
    ['k8s.io/component-base/version.buildDate', '1970-01-01T00:00:00Z'],
    ['k8s.io/client-go/pkg/version.gitVersion', version],
  ]
  const release: Release = {
    url: 'https://dl.k8s.io/release/{version}/bin/linux/{arch}/{name}',
    sums: 'https://dl.k8s.io/release/{version}/bin/linux/{arch}/{name}.sha256',
  }
  const program = (name: string): Program => ({ name, package: `k8s.io/kubernetes/cmd/${name}`, release })
  return {
    folder: `kubernetes-${major}.${minor}`,
    title: 'Kubernetes',
    version,
    perKubernetesVersion: true,
    minutes: 6,
    ldflags: ['-s -w', ...stamps.map(([name, value]) => `-X ${name}=${value}`)].join(' '),
    programs: [
      program('kube-apiserver'),
      program('kube-controller-manager'),
      program('kube-scheduler'),
      { ...program('kubelet'), onMachines: true },
      { ...program('kube-proxy'), onMachines: true },
      program('kubectl'),
      // The Kubernetes project's own test server; published as an image only. Its `pause` subcommand is the sandbox of every pod.
      { name: 'agnhost', package: 'k8s.io/kubernetes/test/images/agnhost', onMachines: true },
    ],
  }
}

const etcdRelease: Release = {
  url: `${github('etcd-io/etcd')}/etcd-{version}-linux-{arch}.tar.gz`,
  sums: `${github('etcd-io/etcd')}/SHA256SUMS`,
  member: 'etcd-{version}-linux-{arch}/{name}',
}

const containerdRelease: Release = {
  url: `${github('containerd/containerd')}/containerd-static-{number}-linux-{arch}.tar.gz`,
  sums: `${github('containerd/containerd')}/containerd-static-{number}-linux-{arch}.tar.gz.sha256sum`,
  member: 'bin/{name}',
}

const cniRelease: Release = {
  url: `${github('containernetworking/plugins')}/cni-plugins-linux-{arch}-{version}.tgz`,
  sums: `${github('containernetworking/plugins')}/cni-plugins-linux-{arch}-{version}.tgz.sha256`,
  member: './{name}',
}

const cni = (kind: string, name: string): Program => ({
  name,
  package: `github.com/containernetworking/plugins/plugins/${kind}/${name}`,
  onMachines: true,
  release: cniRelease,
})

/**
 * Every program, in the order in which a first cluster becomes possible soonest: control plane, machine, network, images; the second minor last.
 * Versions are those of `components/<folder>/go.mod`; a test holds the two together.
 */
export const GROUPS: readonly Group[] = [
  {
    folder: 'etcd', title: 'etcd', version: 'v3.6.16', minutes: 1, ldflags: '-s -w',
    programs: [
      { name: 'etcd', package: 'go.etcd.io/etcd/server/v3', release: etcdRelease },
      { name: 'etcdctl', package: 'go.etcd.io/etcd/etcdctl/v3', release: etcdRelease },
    ],
  },
  kubernetes('v1.34.4'),
  {
    folder: 'runtime', title: 'containerd', version: 'v2.4.2', minutes: 1,
    tags: 'no_btrfs,no_devmapper,no_zfs',
    ldflags: '-s -w -X github.com/containerd/containerd/v2/version.Version=v2.4.2',
    programs: ['containerd', 'containerd-shim-runc-v2', 'ctr'].map((name) => ({
      name, package: `github.com/containerd/containerd/v2/cmd/${name}`, onMachines: true, release: containerdRelease,
    })),
  },
  {
    folder: 'runc', title: 'runc', version: 'v1.3.3', minutes: 1,
    tags: 'netgo,osusergo,seccomp', // without seccomp every pod fails
    ldflags: '-s -w -extldflags -static', cgo: 'static', library: 'libseccomp',
    programs: [{
      name: 'runc', package: 'github.com/opencontainers/runc', onMachines: true,
      release: { url: `${github('opencontainers/runc')}/runc.{arch}`, sums: `${github('opencontainers/runc')}/runc.sha256sum` },
    }],
  },
  {
    folder: 'network', title: 'CNI plugins', version: 'v1.10.0', minutes: 1,
    ldflags: '-s -w -X github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v1.10.0',
    programs: [
      cni('main', 'bridge'), cni('main', 'loopback'), cni('main', 'ptp'), cni('ipam', 'host-local'),
      cni('meta', 'portmap'), cni('meta', 'firewall'), cni('meta', 'bandwidth'), cni('meta', 'tuning'),
    ],
  },
  {
    // Upstream publishes archives without sums, so it is always built. Without cgo its udp backend does not compile on amd64.
    folder: 'flannel', title: 'flannel', version: 'v0.26.7', minutes: 1,
    tags: 'netgo,osusergo', // where that backend has no C (arm64), nothing else may bring a shared library in
    ldflags: '-s -w -X github.com/flannel-io/flannel/pkg/version.Version=v0.26.7 -extldflags -static', cgo: 'static',
    programs: [{ name: 'flanneld', package: 'github.com/flannel-io/flannel', onMachines: true }],
  },
  {
    folder: 'overlay', title: 'nebula', version: 'v1.10.3', minutes: 1,
    ldflags: '-s -w -X main.Build=1.10.3',
    programs: ['nebula', 'nebula-cert'].map((name) => ({
      name, package: `github.com/slackhq/nebula/cmd/${name}`, onMachines: true,
      release: { url: `${github('slackhq/nebula')}/nebula-linux-{arch}.tar.gz`, sums: `${github('slackhq/nebula')}/SHASUM256.txt`, member: '{name}' },
    })),
  },
  {
    folder: 'images', title: 'registry', version: 'v3.1.2', minutes: 1, ldflags: '-s -w',
    programs: [{
      name: 'registry', package: 'github.com/distribution/distribution/v3/cmd/registry',
      release: {
        url: `${github('distribution/distribution')}/registry_{number}_linux_{arch}.tar.gz`,
        sums: `${github('distribution/distribution')}/registry_{number}_linux_{arch}.tar.gz.sha256`,
        member: 'registry',
      },
    }],
  },
  {
    folder: 'crane', title: 'crane', version: 'v0.22.1', minutes: 1, ldflags: '-s -w',
    programs: [{
      name: 'crane', package: 'github.com/google/go-containerregistry/cmd/crane',
      release: {
        url: `${github('google/go-containerregistry')}/go-containerregistry_Linux_{arch}.tar.gz`,
        sums: `${github('google/go-containerregistry')}/checksums.txt`,
        member: 'crane', architectures: { amd64: 'x86_64', arm64: 'arm64' },
      },
    }],
  },
  {
    folder: 'dns', title: 'CoreDNS', version: 'v1.15.0', minutes: 2, ldflags: '-s -w',
    programs: [{
      name: 'coredns', package: 'github.com/coredns/coredns', onMachines: true,
      release: {
        url: `${github('coredns/coredns')}/coredns_{number}_linux_{arch}.tgz`,
        sums: `${github('coredns/coredns')}/coredns_{number}_linux_{arch}.tgz.sha256`,
        member: 'coredns',
      },
    }],
  },
  {
    folder: 'crictl', title: 'crictl', version: 'v1.34.0', minutes: 1,
    ldflags: '-s -w -X sigs.k8s.io/cri-tools/pkg/version.Version=v1.34.0',
    programs: [{
      name: 'crictl', package: 'sigs.k8s.io/cri-tools/cmd/crictl', onMachines: true,
      release: {
        url: `${github('kubernetes-sigs/cri-tools')}/crictl-{version}-linux-{arch}.tar.gz`,
        sums: `${github('kubernetes-sigs/cri-tools')}/crictl-{version}-linux-{arch}.tar.gz.sha256`,
        member: 'crictl',
      },
    }],
  },
  {
    folder: 'addons', title: 'metrics-server', version: 'v0.8.0', minutes: 2,
    ldflags: '-s -w -X k8s.io/client-go/pkg/version.gitVersion=v0.8.0 -X k8s.io/component-base/version.gitVersion=v0.8.0',
    programs: [{ name: 'metrics-server', package: 'sigs.k8s.io/metrics-server/cmd/metrics-server', onMachines: true }],
  },
  kubernetes('v1.35.4'),
]
