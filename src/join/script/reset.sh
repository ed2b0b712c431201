# Undoes everything that the onboarding script did. What was here before, and other software's containers, stay.

reset() {
  [ "$(id -u)" = 0 ] || { complain 'Run this as root.'; exit 1; }
  [ -f "$EH_CONF" ] && read_conf
  remember_reset "${1:-}"
  stop_keepers
  kill_ours
  unmount_ours
  remove_network
  remove_cgroups
  if [ -n "${EH_URL:-}" ] && [ -s "$EH_SECRET_FILE" ]; then confirm "${1:-}"; fi
  remove_files
  say 'This machine is no node any more.'
}

# A machine that is off in the middle of it goes on at its next boot: until the server has heard the confirmation, its name stays reserved.
reset_marked=
remember_reset() {
  [ -d "$EH_ETC" ] || return 0
  printf '%s' "$1" > "$EH_ETC/leaving" || return 0
  reset_marked=1
  uses_systemd || return 0 # `boot` stands in /etc/rc.local until the end
  cat > /etc/systemd/system/edgehold-reset.service << UNIT
[Unit]
Description=Edgehold node: this machine goes on leaving its cluster
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=$EH_BIN/edgehold-node reset $1

[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl enable --quiet edgehold-reset.service 2> /dev/null || true
}

forget_reset() {
  if uses_systemd; then
    systemctl disable --quiet edgehold-reset.service 2> /dev/null || true
    rm -f /etc/systemd/system/edgehold-reset.service
    systemctl daemon-reload
  fi
  [ -f /etc/rc.local ] || return 0
  sed -i "\\#$EH_BIN/edgehold-node boot#d" /etc/rc.local
  [ "$(cat /etc/rc.local)" != '#!/bin/sh' ] || rm -f /etc/rc.local
}

stop_keepers() {
  if uses_systemd; then
    for name in agent flanneld kube-proxy kubelet containerd overlay; do
      systemctl disable --quiet --now "edgehold-$name.service" 2> /dev/null || true
      rm -f "/etc/systemd/system/edgehold-$name.service"
    done
    systemctl daemon-reload
  fi
  # The tree and its keepers are shells that run edgehold-node; this very process is one too.
  for folder in /proc/[0-9]*; do
    pid=${folder#/proc/}
    [ "$pid" != $$ ] || continue
    if tr '\0' ' ' < "$folder/cmdline" 2> /dev/null | grep -Eq "edgehold-node (tree|keep|run|boot)"; then kill -KILL "$pid" 2> /dev/null || true; fi
  done
}

# Programs by where their file lies, pods by the cgroups that our kubelet made.
kill_ours() {
  for folder in /proc/[0-9]*; do
    case $(readlink "$folder/exe" 2> /dev/null) in
      "$EH_BIN"/* | "$EH_CNI"/*) kill -KILL "${folder#/proc/}" 2> /dev/null || true ;;
    esac
  done
  wait_until 15 no_pod_left || complain 'Some processes of pods did not end.'
}

pod_cgroups() { find /sys/fs/cgroup -type d \( -path '*/kubepods*' -o -path '*/kubelet.slice*' \) 2> /dev/null; }

no_pod_left() {
  left=
  for procs in $(find /sys/fs/cgroup -path '*/kubepods*' -name cgroup.procs 2> /dev/null); do
    for pid in $(cat "$procs" 2> /dev/null); do
      left=1
      kill -KILL "$pid" 2> /dev/null || true
    done
  done
  [ -z "$left" ]
}

unmount_ours() {
  # Strictly below these folders: they may be mounts of the machine's own.
  awk '{ print $2 }' /proc/mounts | grep -E "^($EH_RUN|$EH_LIB|/var/lib/kubelet)/" | sort -r | while IFS= read -r mounted; do
    ! was_found "$mounted" || continue
    umount -l "$mounted" 2> /dev/null || true
  done
}

remove_network() {
  ip link delete flannel.1 2> /dev/null || true
  # Connections that a pod had when it was ended, and that nobody answers any more, outlive it by minutes, and its cable with them.
  if [ -n "${EH_POD_CIDR:-}" ]; then
    for link in $(ip -4 route show root "$EH_POD_CIDR" 2> /dev/null | sed -n 's/.* dev \(veth[^ ]*\).*/\1/p' | sort -u); do ip link delete "$link" 2> /dev/null || true; done
  fi
  for table in 'ip kube-proxy' 'ip6 kube-proxy' 'ip flannel-ipv4' 'ip6 flannel-ipv6' 'ip cni_hostport' 'ip6 cni_hostport' 'inet cni_hostport'; do
    # shellcheck disable=SC2086
    nft delete table $table 2> /dev/null || true
  done
  [ -n "${EH_POD_CIDR:-}" ] && command -v iptables > /dev/null || return 0
  for side in -s -d; do iptables -w -D DOCKER-USER "$side" "$EH_POD_CIDR" -j ACCEPT 2> /dev/null || true; done
}

remove_cgroups() {
  # systemd would make the groups of its slices anew when it next reads its units.
  ! uses_systemd || systemctl stop kubepods.slice 2> /dev/null || true
  # The kernel needs a moment to let go of a group whose processes have just ended.
  wait_until 15 no_pod_cgroup_left || complain 'Some cgroups of pods are busy and stay until the next boot.'
}

no_pod_cgroup_left() {
  pod_cgroups | sort -r | while IFS= read -r folder; do rmdir "$folder" 2> /dev/null || true; done
  [ -z "$(pod_cgroups)" ]
}

# By hand once; after a removal until the server has heard it, for it keeps the name until then.
confirm() {
  while :; do
    ask /join/confirm
    if [ "$http_status" = 200 ]; then
      [ "$answer" = confirmed ] || say "$answer"
      return
    fi
    [ "$1" = --confirm ] || { complain "The server was not told: $answer"; return; }
    sleep 30
    # The script was run again meanwhile: what is here now is not ours to clean up.
    [ -z "$reset_marked" ] || [ -e "$EH_ETC/leaving" ] || exit 0
  done
}

# True if that was in a folder with a common name before the script came, or if nobody knows.
was_found() {
  case $1 in "$EH_RUN"/* | "$EH_LIB"/*) return 1 ;; esac
  [ ! -e "$EH_FOUND" ] || grep -qxF -- "$1" "$EH_FOUND"
}

# Two levels: `pods/<id>` is one pod's.
empty_shared() {
  # shellcheck disable=SC2086
  find $EH_SHARED -maxdepth 2 2> /dev/null | sort -r | while IFS= read -r path; do
    ! was_found "$path" || continue
    if [ -d "$path" ] && [ ! -L "$path" ]; then
      # It may be a mount, and then its contents go only.
      find "$path" -mindepth 1 -delete 2> /dev/null || true
      rmdir "$path" 2> /dev/null || true
    else
      rm -f "$path"
    fi
  done
}

remove_files() {
  empty_shared
  [ ! -e "$EH_ETC/made-hosts" ] || rm -f /etc/hosts
  rm -rf "$EH_CNI" "$EH_SUMS" "$EH_LOGS" /etc/sysctl.d/99-edgehold.conf
  # These folders may be mounts; their contents go, and they themselves where they can.
  for folder in "$EH_LIB" "$EH_RUN"; do
    [ -d "$folder" ] || continue
    find "$folder" -mindepth 1 -delete 2> /dev/null || true
    rmdir "$folder" 2> /dev/null || true
  done
  # Last, what a boot needs to go on with it.
  forget_reset
  rm -rf "$EH_ETC" "$EH_BIN"
  rmdir /opt/edgehold 2> /dev/null || true # somebody else's files may be in it
}
