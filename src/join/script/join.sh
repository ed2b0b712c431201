# The way of a machine into its cluster.

step=start
main() {
  check_basics
  one_at_a_time
  trap 'leave $?' EXIT
  mkdir -p "$EH_ETC"
  chmod 700 "$EH_ETC"
  printf '%s\n' "$EH_CA" > "$EH_CA_FILE"

  step=contact
  make_secret
  contact
  check_earlier_install
  step=preflight
  preflight || tell_faults

  step=download
  make_folders
  save_conf
  ! is_outside || enter_region
  fetch_node_program &
  program_job=$!
  fetch_runtime > "$EH_RUN/fetch-runtime.log" 2>&1 &
  runtime_job=$!
  fetch_file kubelet "$EH_BIN" > "$EH_RUN/fetch-kubelet.log" 2>&1 &
  kubelet_job=$!
  write_settings
  wait "$program_job" || give_up download 'The program edgehold-node could not be fetched from the join endpoint.'
  # Each program is started as soon as its file is there.
  "$EH_BIN/edgehold-node" start ${changed:+changed}
  report_progress download 'the machine fetches its programs'
  wait "$runtime_job" || give_up download "$(tail -n 1 "$EH_RUN/fetch-runtime.log")"
  wait "$kubelet_job" || give_up download "$(tail -n 1 "$EH_RUN/fetch-kubelet.log")"
  report_progress join 'the kubelet was started'
  for name in kube-proxy flanneld; do
    fetch_file "$name" "$EH_BIN" > "$EH_RUN/fetch.log" 2>&1 || give_up download "$(tail -n 1 "$EH_RUN/fetch.log")"
  done
  : > "$EH_CONF.joined"

  step=join
  wait_until 300 test -s "$EH_LIB/kubelet.kubeconfig" || give_up join "No certificate was given to the kubelet within 5 minutes. It says last: $(last_words kubelet)"
  wait_pause=0.25 # this asks the cluster's API, just when it and the machine have most to do
  wait_until 300 node_is_ready || give_up join "The node did not become Ready within 5 minutes. Its kubelet says last: $(last_words kubelet)"
  step=
  say "This machine is the node $EH_NODE_NAME of the cluster $EH_CLUSTER_NAME, and it is Ready. \`$EH_BIN/edgehold-node reset\` undoes it."
}

tell_faults() {
  printf '%s\n' "$faults" | while IFS= read -r line; do complain "$line"; done
  give_up "$step" "$(printf '%s' "$faults" | tr '\n' ' ')"
}

# From outside of the region's network: the overlay first, and then what can be seen only through it.
enter_region() {
  step=overlay
  report_progress overlay "the machine enters the region's network from outside"
  fetch_node_program || give_up overlay 'The program edgehold-node could not be fetched from the join endpoint.'
  for name in nebula nebula-cert; do
    fetch_file "$name" "$EH_BIN" > "$EH_RUN/fetch.log" 2>&1 || give_up overlay "$(tail -n 1 "$EH_RUN/fetch.log")"
  done
  make_overlay_key > "$EH_RUN/fetch.log" 2>&1 || give_up overlay "No key was made: $(tail -n 1 "$EH_RUN/fetch.log")"
  # 503: the server's end is just being started.
  wait_pause=1
  wait_until 20 papers_or_refusal
  wait_pause=
  [ "$http_status" = 200 ] || give_up overlay "$answer"
  # One that runs already, and has other papers now, is started again.
  "$EH_BIN/edgehold-node" start overlay ${overlay_changed:+changed}
  wait_until 20 overlay_leads_in || {
    fault "Through the overlay the region is not reached from this machine. UDP packets from here to $EH_OVERLAY_SERVER, or the answers to them, do not come through: open that port at the server's host and its router, and let UDP out, and its answers in, here. nebula says last: $(last_words overlay)"
    tell_faults
  }
  check_reach
  [ -z "$faults" ] || tell_faults
  step=download
}

papers_or_refusal() { renew_overlay_papers || [ "$http_status" != 503 ]; }

one_at_a_time() {
  command -v flock > /dev/null || return 0
  mkdir -p "$EH_RUN"
  exec 9> "$EH_RUN/join.lock"
  flock -n 9 || { complain 'The script runs on this machine already; it was not started a second time.'; exit 1; }
}

# The secret by which the server knows this machine again; made once, kept until a reset.
secret_is_new=
make_secret() {
  [ ! -s "$EH_SECRET_FILE" ] || return 0
  secret_is_new=1
  (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$EH_SECRET_FILE")
}

# All tries of one run say that they are of one: the server counts the time of an installation from the first that it heard. After the last nobody comes again.
ask_to_join() {
  ask /join/join "hostname=$(uname -n)" "architecture=$EH_ARCH" "machine-id=$(cat /etc/machine-id 2> /dev/null)" "kernel=$(uname -r)" "run=$this_run" "tries-left=$((5 - tries))"
}

contact() {
  this_run=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  case $(uname -m) in
    x86_64) EH_ARCH=amd64 ;;
    aarch64) EH_ARCH=arm64 ;;
    *) EH_ARCH=$(uname -m) ;;
  esac
  tries=1
  ask_to_join
  # 503: the cluster's API does not answer at the moment; 000: the way to us is broken. Both may pass.
  while { [ "$http_status" = 503 ] || [ "$http_status" = 000 ]; } && [ "$tries" -lt 5 ]; do
    complain "$answer Trying again."
    sleep "$tries"
    tries=$((tries + 1))
    ask_to_join
  done
  if [ "$http_status" = 410 ] && forget_removed; then
    mkdir -p "$EH_ETC" "$EH_RUN"
    printf '%s\n' "$EH_CA" > "$EH_CA_FILE"
    make_secret
    tries=5
    ask_to_join
  fi
  if [ "$http_status" != 200 ]; then
    complain "$answer"
    complain 'Nothing was installed.'
    # A stranger that was refused keeps no trace; one that could not be answered, or that may be known, keeps its secret for when it comes again.
    case $http_status in 400 | 403 | 409) [ -z "$secret_is_new" ] || rm -rf "$EH_ETC" ;; esac
    step=
    exit 1
  fi
  settings=$answer
  eval "$settings"
  say "This machine is to become the node $EH_NODE_NAME of the cluster $EH_CLUSTER_NAME."
}

# This machine was removed and did not know yet: it cleans up first and then comes as a new one.
forget_removed() {
  say "$answer"
  if [ -x "$EH_BIN/edgehold-node" ]; then
    "$EH_BIN/edgehold-node" reset
    return
  fi
  # Nothing was installed so far; but its name is free only once the server has heard that.
  ask /join/confirm
  [ "$http_status" = 200 ] || return 1
  rm -f "$EH_SECRET_FILE"
}

check_earlier_install() {
  [ -f "$EH_CONF" ] || return 0
  earlier=$(sed -n "s/^EH_CLUSTER_ID='\(.*\)'$/\1/p" "$EH_CONF")
  [ "$earlier" = "$EH_CLUSTER_ID" ] || fault "This machine is set up for another cluster ($earlier); run \`$EH_BIN/edgehold-node reset\` first."
}

# What stays on the machine: everything but the two tokens.
save_conf() {
  printf '%s\n' "$settings" | grep -v '^EH_BOOTSTRAP_TOKEN=' > "$EH_CONF.part"
  printf "EH_URL='%s'\nEH_ARCH='%s'\n" "$EH_URL" "$EH_ARCH" >> "$EH_CONF.part"
  chmod 600 "$EH_CONF.part"
  if ! grep -v '^EH_NOW=' "$EH_CONF.part" | cmp -s - "$EH_CONF"; then
    grep -v '^EH_NOW=' "$EH_CONF.part" > "$EH_CONF"
    changed="$changed $EH_CONF"
  fi
  rm -f "$EH_CONF.part"
  chmod 600 "$EH_CONF"
}

node_is_ready() {
  curl -s --max-time 5 --cacert "$EH_ETC/cluster-ca.pem" --cert "$EH_LIB/pki/kubelet-client-current.pem" \
    "$EH_API_URL/api/v1/nodes/$EH_NODE_NAME" 2> /dev/null | tr -d ' \n' | grep -q '"type":"Ready","status":"True"'
}

last_words() {
  if uses_systemd; then
    journalctl -q -n 1 -o cat -u "edgehold-$1" 2> /dev/null | cut -c 1-300
  else
    tail -n 1 "$EH_LOGS/$1.log" 2> /dev/null | cut -c 1-300
  fi
}

give_up() {
  ask /join/report kind=failure "step=$1" "text=$2"
  complain "$2"
  complain "The step \`$1\` failed; mend that and run the script again: it goes on with the same node."
  step=
  exit 1
}

# An end that nobody planned is told too.
leave() {
  [ -z "$step" ] && return
  [ "$1" -ne 0 ] || return
  case $step in start | contact) return ;; esac
  (ask /join/report kind=failure "step=$step" "text=The script ended in the middle of the step $step.") > /dev/null 2>&1
}

main
exit
