# Programs and settings. A file that is there with the right checksum is not fetched again; a setting that did not change restarts nothing.

changed=
# put FILE MODE: standard input becomes the file, unless it is so already.
put() {
  put_part=$1.part
  umask 077
  cat > "$put_part"
  umask 022
  if [ -e "$1" ] && cmp -s "$put_part" "$1"; then
    rm -f "$put_part"
  else
    [ "$2" = 600 ] || chmod "$2" "$put_part"
    mv "$put_part" "$1"
    changed="$changed $1"
  fi
}

# read_file_facts NAME: sets $version, $sum and $size from the words `name:version:sha256:size` of the server's answer. No program is started for
# it: on a small machine those cost more than the reading.
read_file_facts() {
  for word in $EH_FILES; do
    case $word in
      "$1":*)
        word=${word#*:}
        version=${word%%:*}
        word=${word#*:}
        sum=${word%%:*}
        size=${word#*:}
        return 0
        ;;
    esac
  done
  complain "The server named no file $1."
  return 1
}

# fetch PATH: from the server to standard output. A server that is just started anew, or whose database is, is waited for.
fetch() {
  curl -sSf --connect-timeout 10 --speed-limit 1024 --speed-time 30 --retry 120 --retry-connrefused --retry-delay 1 --retry-max-time 120 --cacert "$EH_CA_FILE" "$EH_URL$1"
}

# fetch_file NAME FOLDER: fetches one program and checks it while it arrives.
fetch_file() {
  read_file_facts "$1" || return 1
  have=
  # The last line has no end, at which `read` fails though it read.
  if [ -f "$EH_SUMS/$1" ]; then read -r have < "$EH_SUMS/$1" || :; fi
  if [ -x "$2/$1" ] && [ "$have" = "$sum" ] && [ "$(wc -c < "$2/$1")" -eq "$size" ]; then return 0; fi
  part=$2/.$1.part
  for attempt in 1 2 3; do
    got=$(fetch "/join/components/$1/$version/$EH_ARCH" | tee "$part" | sha256sum)
    if [ "${got%% *}" = "$sum" ]; then
      chmod 755 "$part"
      mv "$part" "$2/$1"
      printf '%s' "$sum" > "$EH_SUMS/$1"
      return 0
    fi
    sleep "$attempt"
  done
  rm -f "$part"
  complain "$1 $version could not be fetched whole: its checksum is ${got%% *} and should be $sum."
  return 1
}

fetch_runtime() {
  for name in containerd containerd-shim-runc-v2 runc; do fetch_file "$name" "$EH_BIN" || return 1; done
  for name in loopback ptp host-local portmap; do fetch_file "$name" "$EH_CNI" || return 1; done
}

# A reset takes from folders with common names only what came after this.
remember_found() {
  [ ! -e "$EH_FOUND" ] || return 0
  # shellcheck disable=SC2086
  find $EH_SHARED -maxdepth 2 2> /dev/null > "$EH_FOUND.part"
  mv "$EH_FOUND.part" "$EH_FOUND"
}

make_folders() {
  remember_found
  mkdir -p "$EH_BIN" "$EH_CNI" "$EH_SUMS" "$EH_LIB" "$EH_RUN" "$EH_LOGS" "$EH_ETC/certs.d/$EH_REGISTRY" "$EH_ETC/cni" "$EH_LIB/pki" /var/lib/kubelet
  chmod 700 "$EH_ETC" "$EH_LIB" "$EH_LIB/pki"
}

fetch_node_program() {
  fetch /join/node-program > "$EH_BIN/.edgehold-node.part" || return 1
  chmod 755 "$EH_BIN/.edgehold-node.part"
  mv "$EH_BIN/.edgehold-node.part" "$EH_BIN/edgehold-node"
}

write_settings() {
  cgroup_driver=cgroupfs
  systemd_cgroup=false
  if uses_systemd; then
    cgroup_driver=systemd
    systemd_cgroup=true
  fi
  resolv_conf=/etc/resolv.conf
  # systemd-resolved's stub listens on a loopback address that pods do not reach.
  [ ! -f /run/systemd/resolve/resolv.conf ] || resolv_conf=/run/systemd/resolve/resolv.conf
  [ -e "$resolv_conf" ] || resolv_conf='""' # a machine without a resolver: its pods have cluster DNS only
  # containerd copies it into every pod and fails without; a minimal system may have none.
  if [ ! -e /etc/hosts ]; then
    printf '127.0.0.1 localhost\n::1 localhost\n' > /etc/hosts
    : > "$EH_ETC/made-hosts"
  fi
  node_network
  mtu=$(($(cat "/sys/class/net/$node_iface/mtu") - 50)) # vxlan's own header

  cluster_ca=$(printf '%s' "$EH_CLUSTER_CA_BASE64" | base64 -d)
  put "$EH_ETC/cluster-ca.pem" 644 << PEM
$cluster_ca
PEM
  put "$EH_ETC/containerd.toml" 644 << TOML
version = 3
root = "$EH_LIB/containerd"
state = "$EH_RUN/containerd"

[grpc]
  address = "$EH_RUN/containerd.sock"

[plugins."io.containerd.internal.v1.opt"]
  path = "$EH_LIB/opt"

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "$EH_PAUSE_IMAGE"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "$EH_ETC/certs.d"

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["$EH_CNI"]
    conf_dir = "$EH_ETC/cni"
    conf_template = "$EH_ETC/cni-template.conflist"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      BinaryName = "$EH_BIN/runc"
      SystemdCgroup = $systemd_cgroup
TOML
  put "$EH_ETC/certs.d/$EH_REGISTRY/hosts.toml" 644 << TOML
server = "http://$EH_REGISTRY"

[host."http://$EH_REGISTRY"]
  capabilities = ["pull", "resolve"]
TOML
  # containerd renders it as soon as the node has its pod range. One cable a pod and no bridge, so that no packet between pods escapes the node's rules.
  put "$EH_ETC/cni-template.conflist" 644 << JSON
{
  "cniVersion": "1.0.0",
  "name": "edgehold",
  "plugins": [
    {
      "type": "ptp",
      "mtu": $mtu,
      "ipam": {
        "type": "host-local",
        "dataDir": "$EH_RUN/cni-addresses",
        "ranges": [{{range \$i, \$range := .PodCIDRRanges}}{{if \$i}}, {{end}}[{"subnet": "{{\$range}}"}]{{end}}],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}, "backend": "nftables"}
  ]
}
JSON
  put "$EH_ETC/flannel.json" 644 << JSON
{"Network": "$EH_POD_CIDR", "EnableIPv4": true, "EnableNFTables": true, "Backend": {"Type": "vxlan"}}
JSON
  write_kubelet_settings
  write_bootstrap_kubeconfig
  put /etc/sysctl.d/99-edgehold.conf 644 << 'CONF'
net.ipv4.ip_forward = 1
CONF
}

write_kubelet_settings() {
  put "$EH_ETC/kubelet.yaml" 644 << YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $EH_ETC/cluster-ca.pem}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$EH_RUN/containerd.sock
cgroupDriver: $cgroup_driver
failSwapOn: false
failCgroupV1: false
enforceNodeAllocatable: []
serverTLSBootstrap: true
rotateCertificates: true
clusterDNS: ["$EH_DNS"]
clusterDomain: $EH_DOMAIN
resolvConf: $resolv_conf
maxPods: $EH_MAX_PODS
makeIPTablesUtilChains: false
volumePluginDir: $EH_LIB/volume-plugins
$(write_taints)
YAML
}

# Taints are there from the first moment; what the kubelet may not set on itself the server adds later.
write_taints() {
  [ -n "$EH_NODE_TAINTS" ] || return 0
  echo 'registerWithTaints:'
  printf '%s\n' "$EH_NODE_TAINTS" | tr ',' '\n' | sed 's/^\([^=]*\)=\([^:]*\):\(.*\)$/- {key: "\1", value: "\2", effect: \3}/'
}
