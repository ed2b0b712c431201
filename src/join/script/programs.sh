# How each program of a node is started. `run NAME` becomes that program, once what it needs is there; whoever keeps it alive (systemd, or the tree
# below) only has to start it again.

run() {
  read_conf
  prepare_kernel
  case $1 in
    overlay) run_overlay ;;
    containerd) run_containerd ;;
    kubelet) run_kubelet ;;
    kube-proxy) run_kube_proxy ;;
    flanneld) run_flanneld ;;
    agent) agent ;;
    *) complain "There is no program $1."; exit 2 ;;
  esac
}

prepare_kernel() {
  if command -v modprobe > /dev/null; then
    for module in overlay vxlan br_netfilter; do [ -d "/sys/module/$module" ] || modprobe "$module" 2> /dev/null || true; done
  fi
  read -r forwards < /proc/sys/net/ipv4/ip_forward
  [ "$forwards" = 1 ] || echo 1 > /proc/sys/net/ipv4/ip_forward
  mkdir -p "$EH_RUN" "$EH_LOGS"
  # Our folders first: an older shim of the distribution's, found first, would break every pod.
  PATH=$EH_BIN:$PATH
  export PATH
}

there() { wait_until 600 test "$@" || { complain "Waited 10 minutes in vain: test $*"; exit 1; }; }

run_overlay() {
  if command -v modprobe > /dev/null; then [ -c /dev/net/tun ] || modprobe tun 2> /dev/null || true; fi
  there -x "$EH_BIN/nebula"
  there -s "$EH_OVERLAY/settings.yml"
  exec "$EH_BIN/nebula" -config "$EH_OVERLAY/settings.yml"
}

run_containerd() {
  for file in containerd containerd-shim-runc-v2 runc; do there -x "$EH_BIN/$file"; done
  for file in loopback ptp host-local portmap; do there -x "$EH_CNI/$file"; done
  exec "$EH_BIN/containerd" --config "$EH_ETC/containerd.toml" --log-level warn
}

run_kubelet() {
  there -x "$EH_BIN/kubelet"
  wait_until 60 node_network || { complain "There is no way to the cluster's API at $EH_API_URL."; exit 1; }
  there -S "$EH_RUN/containerd.sock"
  exec "$EH_BIN/kubelet" --config="$EH_ETC/kubelet.yaml" --bootstrap-kubeconfig="$EH_LIB/bootstrap.kubeconfig" --kubeconfig="$EH_LIB/kubelet.kubeconfig" \
    --cert-dir="$EH_LIB/pki" --hostname-override="$EH_NODE_NAME" --node-ip="$node_ip" --node-labels="$EH_NODE_LABELS" --v=1
}

# kube-proxy and flanneld use the kubelet's own certificate, which follows its renewals.
run_kube_proxy() {
  there -x "$EH_BIN/kube-proxy"
  there -s "$EH_LIB/kubelet.kubeconfig"
  wait_until 60 node_network || exit 1
  exec "$EH_BIN/kube-proxy" --kubeconfig="$EH_LIB/kubelet.kubeconfig" --hostname-override="$EH_NODE_NAME" --proxy-mode=nftables --cluster-cidr="$EH_POD_CIDR" \
    --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0s --conntrack-tcp-timeout-close-wait=0s --v=1
}

run_flanneld() {
  there -x "$EH_BIN/flanneld"
  there -s "$EH_LIB/kubelet.kubeconfig"
  wait_until 60 node_network || exit 1
  let_pods_pass
  NODE_NAME=$EH_NODE_NAME
  export NODE_NAME
  exec "$EH_BIN/flanneld" --kube-subnet-mgr --kubeconfig-file="$EH_LIB/kubelet.kubeconfig" --net-config-path="$EH_ETC/flannel.json" --subnet-file="$EH_RUN/flannel.env" \
    --ip-masq --iface="$node_iface" --public-ip="$node_ip"
}

# Docker drops whatever is forwarded and not its own; its chain for exceptions is DOCKER-USER.
let_pods_pass() {
  command -v iptables > /dev/null && iptables -w -n -L DOCKER-USER > /dev/null 2>&1 || return 0
  for side in -s -d; do
    iptables -w -C DOCKER-USER "$side" "$EH_POD_CIDR" -j ACCEPT 2> /dev/null || iptables -w -I DOCKER-USER "$side" "$EH_POD_CIDR" -j ACCEPT
  done
}
