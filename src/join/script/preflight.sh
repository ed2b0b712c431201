# What a machine must have. Each fault is a sentence; all are looked for before the first is told, so that one walk mends them.

faults=
fault() {
  faults="$faults${faults:+
}$*"
}

# Without these the machine cannot even say who it is, so they are looked at before the first contact.
check_basics() {
  [ "$(id -u)" = 0 ] || { complain 'This script must be run as root. Nothing was changed.'; exit 1; }
  missing=
  for tool in curl sha256sum ip awk sed grep mktemp od tee cmp base64 find setsid mount umount; do
    command -v "$tool" > /dev/null || missing="$missing $tool"
  done
  [ -z "$missing" ] || { complain "This machine lacks:$missing. Install that and run the script again. Nothing was changed."; exit 1; }
}

preflight() {
  check_kernel
  check_cgroups
  check_other_kubelet
  check_ports
  if is_outside; then check_overlay; else check_reach; fi
  check_disk
  check_clock
  [ -z "$faults" ]
}

check_kernel() {
  release=$(uname -r)
  major=${release%%.*}
  rest=${release#*.}
  minor=${rest%%[!0-9]*}
  if [ "$major" -lt 5 ] || { [ "$major" -eq 5 ] && [ "$minor" -lt 13 ]; }; then
    fault "The kernel is $release; kube-proxy's nftables mode needs 5.13 or newer."
  fi
  if ! command -v nft > /dev/null; then
    fault 'The program nft is missing; install the package nftables.'
  elif ! nft list tables > /dev/null 2>&1; then
    fault "The kernel has no nftables: $(nft list tables 2>&1 | head -n 1)"
  fi
  if command -v modprobe > /dev/null; then
    for module in overlay vxlan br_netfilter; do [ -d "/sys/module/$module" ] || modprobe "$module" 2> /dev/null || true; done
  fi
  grep -qw overlay /proc/filesystems || fault 'The kernel has no overlay file system; containers need it.'
}

check_cgroups() {
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    for controller in cpu cpuset memory pids; do
      grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers || fault "The cgroup controller $controller is not available here (/sys/fs/cgroup/cgroup.controllers)."
    done
  else
    for controller in cpu cpuset memory pids; do
      grep -Eq " cgroup [^ ]*(^|,)$controller(,| )" /proc/mounts || fault "The cgroup controller $controller is not mounted under /sys/fs/cgroup."
    done
  fi
}

# listens tcp|udp PORT: somebody on this machine has that port.
listens() {
  hex=$(printf '%04X' "$2")
  state=0A
  [ "$1" = udp ] && state=07
  cat "/proc/net/$1" "/proc/net/${1}6" 2> /dev/null | awk -v port=":$hex" -v state="$state" 'substr($2, length($2) - 4) == port && $4 == state { found = 1 } END { exit !found }'
}

check_ports() {
  runs_here && return # they are our own
  for port in 10248 10250 10256; do
    ! listens tcp "$port" || fault "Port $port is taken by another program on this machine; the kubelet or kube-proxy needs it."
  done
  ! listens udp 8472 || fault 'UDP port 8472 is taken by another program on this machine; the pod network needs it.'
}

# What the way into the region's network from outside needs of this machine; whether it leads in shows once it is there.
check_overlay() {
  if command -v modprobe > /dev/null; then [ -c /dev/net/tun ] || modprobe tun 2> /dev/null || true; fi
  [ -c /dev/net/tun ] || fault 'There is no /dev/net/tun on this machine, which the way into the region needs; load the kernel module tun (modprobe tun).'
  for range in $EH_OVERLAY_RANGES; do
    for used in $({ ip -4 route show to match "$range"; ip -4 route show to root "$range"; } | grep -v -e '^default' -e ' dev edgehold0' | awk '{ print $1 }' | sort -u); do
      fault "This machine uses $used for something else, and the region has the addresses $range; free them here, or let the server choose others (EDGEHOLD_BRIDGE_RANGE, EDGEHOLD_OVERLAY_RANGE)."
    done
  done
}

# A machine has one kubelet. That of another cluster counts also while it does not run: it would start one day, in the same folder.
check_other_kubelet() {
  for file in /etc/kubernetes/kubelet.conf /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env; do
    if [ -e "$file" ]; then
      fault "This machine is set up as a node of another cluster ($file is there), even if its kubelet does not run now; leave that cluster first (kubeadm reset), and remove that file."
      return
    fi
  done
  # Installers that keep their settings elsewhere leave pods in this folder all the same.
  [ -e "$EH_FOUND" ] || installed_here || runs_here || [ -z "$(ls -A /var/lib/kubelet/pods 2> /dev/null)" ] ||
    fault 'The folder /var/lib/kubelet/pods holds pods of another kubelet, even if it does not run now; take the machine out of its cluster first, and empty that folder.'
}

# All ways are tried together: each is mostly waiting.
check_reach() {
  curl -sk --connect-timeout 5 --max-time 10 -o /dev/null "$EH_API_URL/readyz" &
  api_job=$!
  curl -s --connect-timeout 5 --max-time 10 -o /dev/null "http://$EH_REGISTRY/v2/" &
  registry_job=$!
  # The other way: the cluster reaches the kubelet for logs and exec.
  other_way=ok
  if node_network; then
    ask /join/reach "address=$node_ip"
    [ "$http_status" != 200 ] || other_way=$answer
  fi
  wait "$api_job" || fault "The cluster's API at $EH_API_URL is not reached from this machine; open that port."
  wait "$registry_job" || fault "The image registry at $EH_REGISTRY is not reached from this machine; open that port."
  [ "$other_way" = ok ] || fault "$other_way"
}

check_disk() {
  for folder in /opt /var/lib; do
    free_kib=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
    wanted_kib=1572864
    ! installed_here || wanted_kib=262144
    [ "$free_kib" -ge "$wanted_kib" ] || fault "$folder has $((free_kib / 1024)) MiB free; $((wanted_kib / 1024)) MiB are needed."
  done
}

check_clock() {
  skew=$(($(date +%s) - EH_NOW))
  [ "$skew" -ge 0 ] || skew=$((-skew))
  [ "$skew" -le 120 ] || fault "The clock of this machine is $skew s away from the server's; set it, or certificates will not hold."
}

# Programs of ours run, also those of a run that was cut off before it knew that it had succeeded.
runs_here() { installed_here || ls -l /proc/[0-9]*/exe 2> /dev/null | grep -q -- "-> $EH_BIN/"; }

installed_here() { [ -f "$EH_CONF.joined" ]; }
