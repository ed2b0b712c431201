# Asks now and then whether this machine is still a member, and brings it back when its certificate ran out. Only the explicit answer `removed` makes
# it clean up: an error, silence or an unknown secret mean that it carries on.

agent() {
  while :; do
    ask /join/membership
    if [ "$http_status" = 200 ] && [ "$answer" = removed ]; then leave_cluster; fi
    ! is_outside || refresh_overlay
    if credentials_refused; then renew; fi
    # Half a minute, and up to ten seconds more, so that a thousand machines do not ask together.
    sleep $((30 + $(od -An -N1 -tu1 /dev/urandom) % 10)) &
    wait $!
  done
}

# The papers of the overlay end by themselves, and who was removed is told to the others. nebula reads its settings again without losing a connection.
refresh_overlay() {
  if ! renew_overlay_papers; then
    [ "$http_status" = 000 ] || complain "The papers of the overlay were not looked at: $answer"
    return
  fi
  [ -n "$overlay_changed" ] || return 0
  if uses_systemd; then systemctl kill --signal=HUP edgehold-overlay.service; else kill -HUP "$(cat "$EH_RUN/overlay.pid")"; fi
}

# True only if the cluster's API itself says that it does not know our certificate any more.
credentials_refused() {
  [ -s "$EH_LIB/pki/kubelet-client-current.pem" ] || return 1
  api_status=$(curl -s --max-time 10 --cacert "$EH_ETC/cluster-ca.pem" --cert "$EH_LIB/pki/kubelet-client-current.pem" -o /dev/null -w '%{http_code}' \
    "$EH_API_URL/api/v1/nodes/$EH_NODE_NAME") || return 1
  [ "$api_status" = 401 ]
}

renew() {
  ask /join/renew
  [ "$http_status" = 200 ] || { complain "The server gave no new token: $answer"; return; }
  eval "$answer" # EH_BOOTSTRAP_TOKEN
  write_bootstrap_kubeconfig
  rm -f "$EH_LIB/kubelet.kubeconfig" "$EH_LIB"/pki/kubelet-client-*
  for name in kubelet kube-proxy flanneld; do restart_program "$name"; done
}

leave_cluster() {
  say 'This machine was removed from its cluster; it cleans up.'
  # The cleaning ends this very process, so it is done by another one.
  setsid "$EH_BIN/edgehold-node" reset --confirm < /dev/null > /run/edgehold-reset.log 2>&1 &
  wait $!
}
