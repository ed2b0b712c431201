#!/bin/sh
# Starts a box and waits for its end, so that the end is written down even when no server is there to see it.
# It is the parent of the box's first process and lives outside the box, in cgroups of its own.
# Environment: see power.ts, which fills it.
set -eu

for folder in $WAITER_CGROUPS; do echo 0 > "$folder/cgroup.procs"; done
rm -f "$BOX/go"
mkfifo -m 600 "$BOX/go"

exec 4>&1
(
  # A cgroup namespace has as its root the cgroup in which it is made.
  for folder in $BOX_CGROUPS; do echo 0 > "$folder/cgroup.procs"; done
  # Not `ip netns exec`: it would mount a fresh /sys and hide the cgroups.
  exec nsenter --net="/run/netns/$NETNS" unshare --cgroup --mount --pid --uts --ipc --fork --propagation private \
    /bin/sh "$SCRIPTS/box-boot.sh" 3>&1 >&4 4>&-
) | (
  # The box's cgroups hold the box's processes only (on v2 a stranger in the root would even forbid controllers below): unshare, whose pid the
  # boot script sends, comes back out. Only we can move it; in the box's pid namespace it has no number.
  if read -r unshare_pid; then
    for folder in $WAITER_CGROUPS; do echo "$unshare_pid" > "$folder/cgroup.procs"; done
    echo go > "$BOX/go"
  fi
) || true

# The empty file wakes whoever watches, before any program has to be started; who sees the end first writes down when.
: > "$STATE.end"
started=0
[ -f "$STATE.run" ] && read -r _ _ _ started < "$STATE.run"
ended=$(date +%s%3N)
[ -s "$STATE.end" ] || echo "$started $ended" > "$STATE.end"
# A machine without power answers no ping.
ip link delete "$VETH" 2> /dev/null || true
ip netns delete "$NETNS" 2> /dev/null || true
