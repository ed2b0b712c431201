# Who keeps the programs alive: systemd where it runs, else one tree of processes that /etc/rc.local starts at each boot.

# start [overlay] [changed]: the overlay, or all others; those that run already are started again if their settings changed.
start() {
  read_conf
  # A reset that was cut off is taken back by a join.
  if [ -e "$EH_ETC/leaving" ]; then
    rm -f "$EH_ETC/leaving"
    forget_reset
  fi
  start_names="$EH_COMPONENTS agent"
  if [ "${1:-}" = overlay ]; then
    start_names=overlay
    shift
  fi
  is_outside || forget_overlay
  if uses_systemd; then start_units "$@"; else start_tree "$@"; fi
}

# This machine is on the region's own network now, and was outside before.
forget_overlay() {
  [ -e "$EH_OVERLAY" ] || return 0
  if uses_systemd; then
    systemctl disable --quiet --now edgehold-overlay.service 2> /dev/null || true
    rm -f /etc/systemd/system/edgehold-overlay.service
  fi
  ! runs "$(cat "$EH_RUN/overlay.keeper" 2> /dev/null)" 'edgehold-node keep overlay' || kill "$(cat "$EH_RUN/overlay.keeper")"
  stop_program overlay
  rm -rf "$EH_OVERLAY"
}

start_units() {
  for name in $start_names; do
    cat > "/etc/systemd/system/edgehold-$name.service" << UNIT
[Unit]
Description=Edgehold node: $name
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=$EH_BIN/edgehold-node run $name
Restart=always
RestartSec=1
KillMode=process
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
UNIT
  done
  systemctl daemon-reload
  for name in $start_names; do
    systemctl enable --quiet --no-block "edgehold-$name.service"
    if [ "${1:-}" = changed ]; then systemctl restart --no-block "edgehold-$name.service"; else systemctl start --no-block "edgehold-$name.service"; fi
  done
}

start_tree() {
  if [ ! -f /etc/rc.local ]; then
    printf '#!/bin/sh\n' > /etc/rc.local
  fi
  chmod +x /etc/rc.local
  # The first line after the interpreter's: what stands there may end with `exit 0`.
  grep -q "$EH_BIN/edgehold-node boot" /etc/rc.local || sed -i "1a $EH_BIN/edgehold-node boot" /etc/rc.local
  if tree_runs; then
    [ "${1:-}" != changed ] || for name in $start_names; do stop_program "$name"; done # the tree starts them again, with the new settings
    kill "$(cat "$EH_RUN/tree.nap" 2> /dev/null)" 2> /dev/null || true # it looks at once
  else
    boot
  fi
}

boot() {
  if [ -e "$EH_ETC/leaving" ]; then
    setsid "$EH_BIN/edgehold-node" reset "$(cat "$EH_ETC/leaving")" < /dev/null > /run/edgehold-reset.log 2>&1 9>&- &
    return
  fi
  mkdir -p "$EH_LOGS" "$EH_RUN"
  tree_runs && return
  setsid "$EH_BIN/edgehold-node" tree < /dev/null >> "$EH_LOGS/tree.log" 2>&1 9>&- &
}

tree_runs() { [ -f "$EH_RUN/tree.pid" ] && runs "$(cat "$EH_RUN/tree.pid")" edgehold-node; }

# runs PID WORD: that process is there and is ours, not another one that got its number.
runs() { [ -n "$1" ] && tr '\0' ' ' < "/proc/$1/cmdline" 2> /dev/null | grep -q "$2"; }

tree() {
  echo $$ > "$EH_RUN/tree.pid"
  while :; do
    for name in $(programs_due); do
      keeper=$(cat "$EH_RUN/$name.keeper" 2> /dev/null)
      if ! runs "$keeper" "edgehold-node keep $name"; then
        stop_program "$name" # left over from a keeper that was killed
        "$EH_BIN/edgehold-node" keep "$name" &
        echo $! > "$EH_RUN/$name.keeper"
      fi
    done
    sleep 5 &
    echo $! > "$EH_RUN/tree.nap"
    wait $!
    shorten_logs
  done
}

# While the machine is still on its way in, the overlay comes before all others.
programs_due() {
  read_conf
  if [ -e "$EH_ETC/kubelet.yaml" ]; then programs; else echo overlay; fi
}

# keep NAME: starts it again whenever it ends; at once the first time, then later and later up to half a minute, until it has run for one minute.
keep() {
  pause=0
  while :; do
    began=$(date +%s)
    "$EH_BIN/edgehold-node" run "$1" >> "$EH_LOGS/$1.log" 2>&1 &
    echo $! > "$EH_RUN/$1.pid"
    wait $! && code=0 || code=$?
    if [ $(($(date +%s) - began)) -gt 60 ]; then pause=0; fi
    echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $1 ended with $code; it is started again in $pause s" >> "$EH_LOGS/tree.log"
    [ "$pause" -eq 0 ] || sleep "$pause"
    pause=$((pause == 0 ? 1 : pause * 2))
    [ "$pause" -le 30 ] || pause=30
  done
}

stop_program() {
  pid=$(cat "$EH_RUN/$1.pid" 2> /dev/null)
  ! runs "$pid" "$1" || kill "$pid" 2> /dev/null || true
}

restart_program() {
  if uses_systemd; then systemctl restart --no-block "edgehold-$1.service"; else stop_program "$1"; fi
}

shorten_logs() {
  for log in "$EH_LOGS"/*.log; do
    [ "$(wc -c < "$log")" -gt 33554432 ] || continue
    tail -c 1048576 "$log" > "$log.part"
    cat "$log.part" > "$log" # writers hold it open for appending
    rm -f "$log.part"
  done
}
