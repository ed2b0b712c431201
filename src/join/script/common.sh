# Shared by the onboarding script and by edgehold-node: where things are, how it speaks, how it reaches the join endpoint.
# POSIX sh. Everything lives in folders of our own, so that a container engine that is there already stays untouched.

EH_ETC=/etc/edgehold
EH_BIN=/opt/edgehold/bin
EH_CNI=/opt/edgehold/cni
EH_SUMS=/opt/edgehold/sums
EH_LIB=/var/lib/edgehold-node
# Not the server's own /run/edgehold: the server's host may be a machine too, and a reset clears these folders.
EH_RUN=/run/edgehold-node
EH_LOGS=/var/log/edgehold
EH_SECRET_FILE=$EH_ETC/machine.secret
EH_CONF=$EH_ETC/node.conf
EH_CA_FILE=$EH_ETC/join-ca.pem
# Folders that have their names from Kubernetes, so that something may be in them already; and what was there before us.
EH_SHARED='/var/lib/kubelet /var/log/pods /var/log/containers'
EH_FOUND=$EH_ETC/found-before
EH_COMPONENTS='containerd kubelet kube-proxy flanneld'

say() { printf 'edgehold: %s\n' "$*"; }
complain() { printf 'edgehold: %s\n' "$*" >&2; }

# wait_until SECONDS COMMAND…: asks again after $wait_pause (0.05 s) until the command succeeds; fails when the time is over.
wait_until() {
  wait_end=$(($(date +%s) + $1))
  shift
  until "$@"; do
    [ "$(date +%s)" -lt "$wait_end" ] || return 1
    sleep "${wait_pause:-0.05}" 2> /dev/null || sleep 1 # not every sleep knows fractions
  done
}

# ask PATH NAME=VALUE…: posts to the join endpoint. The answer's text is in $answer, its HTTP status in $http_status (000: nobody was reached).
# Secret and token go in through standard input, never through the process list.
ask() {
  ask_path=$1
  shift
  for pair in "$@"; do
    set -- "$@" --data-urlencode "$pair"
    shift
  done
  ask_file=$(mktemp)
  http_status=$(printf 'secret=%s%s' "$(cat "$EH_SECRET_FILE")" "${EH_TOKEN:+&token=$EH_TOKEN}" |
    curl -sS --max-time 60 --connect-timeout 10 --cacert "$EH_CA_FILE" -o "$ask_file" -w '%{http_code}' --data @- "$@" "$EH_URL$ask_path" 2> "$ask_file.error") || http_status=000
  answer=$(cat "$ask_file")
  [ "$http_status" != 000 ] || answer=$(sed 's/^curl: ([0-9]*) //' "$ask_file.error")
  rm -f "$ask_file" "$ask_file.error"
}

# Progress goes out in the background: nobody waits for it.
report_progress() {
  (ask /join/report kind=progress "step=$1" "text=$2") > /dev/null 2>&1 &
}

# restarted programs find their settings here
read_conf() {
  # shellcheck source=/dev/null
  . "$EH_CONF"
}

# node_network: sets $node_ip and $node_iface to the way by which this machine reaches its cluster.
node_network() {
  api_host=${EH_API_URL#https://}
  api_host=${api_host%:*}
  node_route=$(ip -4 -o route get "$api_host" 2> /dev/null) || return 1
  node_ip=$(printf '%s\n' "$node_route" | sed -n 's/.* src \([0-9.]*\).*/\1/p')
  node_iface=$(printf '%s\n' "$node_route" | sed -n 's/.* dev \([^ ]*\).*/\1/p')
  [ -n "$node_ip" ] && [ -n "$node_iface" ] || return 1
  # Until the overlay is up, another way seems to lead there.
  [ "$node_ip" = "${EH_OVERLAY_ADDRESS:-$node_ip}" ]
}

uses_systemd() { [ -d /run/systemd/system ]; }

# Not through `put`: each join brings a new token, and that alone restarts nothing.
write_bootstrap_kubeconfig() {
  (umask 077 && cat > "$EH_LIB/bootstrap.kubeconfig") << YAML
apiVersion: v1
kind: Config
clusters:
- {name: cluster, cluster: {server: "$EH_API_URL", certificate-authority: $EH_ETC/cluster-ca.pem}}
users:
- {name: machine, user: {token: "$EH_BOOTSTRAP_TOKEN"}}
contexts:
- {name: machine, context: {cluster: cluster, user: machine}}
current-context: machine
YAML
}
