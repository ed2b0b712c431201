#!/bin/sh
# Keeps one component of a control plane running, outlives whoever started it, and tells all it knows in files:
#
#   STATUS/NAME       key=value lines, replaced as a whole at every start and end
#   FOLDER/starts     one time a line (epoch ms) for each of the last hundred starts
#   FOLDER/last-words the last twenty lines of the run that ended last
#   FOLDER/log*       what the component writes now, at most three files of 2 MiB; log.before: the end of the run before
#
# One of it a component: a second one ends at once, because the first holds the lock. The component dies with it (its parent-death
# signal), so that nothing ever runs unsupervised. It ends by being killed.
#
# usage: supervisor.sh NAME FOLDER STATUS CGROUP... -- PROGRAM ARGUMENT...
set -u
name=$1 folder=$2 status=$3
shift 3
while [ "$1" != -- ]; do
  echo $$ >"$1/cgroup.procs" || exit 71
  shift
done
shift
exec 9>"$folder/lock"
flock -n 9 || exit 0
umask 077
ulimit -n 65536 2>/dev/null

pid= started= ended= code= delay=0

tell() {
  printf 'supervisor=%s\npid=%s\nstartedAt=%s\nendedAt=%s\nexitCode=%s\n' $$ "$pid" "$started" "$ended" "$code" >"$folder/status.new"
  mv -f "$folder/status.new" "$status/$name"
}

[ -p "$folder/pipe" ] || mkfifo "$folder/pipe"
while :; do
  # Opened for both first: opening one end of a named pipe waits for the other.
  exec 4<>"$folder/pipe" 3<"$folder/pipe" 5>"$folder/pipe" 4>&-
  [ -e "$folder/log.1" ] && mv -f "$folder/log.1" "$folder/log.before"
  rm -f "$folder/log.2"
  started=$(date +%s%3N)
  setpriv --pdeathsig KILL -- "$@" </dev/null >&5 2>&5 3<&- 5>&- 9>&- &
  pid=$!
  exec 5>&-
  { tail -n 99 "$folder/starts" 2>/dev/null; echo "$started"; } >"$folder/starts.new"
  mv -f "$folder/starts.new" "$folder/starts"
  tell
  # dd ends after so many reads or when the component has gone; each round fills one file. An empty one means the end.
  while :; do
    dd bs=512 count=4096 <&3 >"$folder/log" 2>/dev/null 9>&-
    # No room to write: what it says is lost, but it must not stand still because nobody reads.
    [ $? -eq 1 ] && cat <&3 >/dev/null 9>&-
    [ -s "$folder/log" ] || break
    [ -e "$folder/log.1" ] && mv -f "$folder/log.1" "$folder/log.2"
    mv -f "$folder/log" "$folder/log.1"
  done
  wait "$pid"
  code=$?
  exec 3<&-
  [ -e "$folder/stopping" ] && exit 0
  ended=$(date +%s%3N)
  cat "$folder/log.2" "$folder/log.1" 2>/dev/null | tail -n 20 >"$folder/last-words.new"
  mv -f "$folder/last-words.new" "$folder/last-words"
  pid=
  tell
  # At once the first time, then 1, 2, 4 … 30 s; a run of a minute earns a fresh start.
  [ $((ended - started)) -gt 60000 ] && delay=0
  [ "$delay" -gt 0 ] && sleep "$delay" 9>&-
  delay=$((delay == 0 ? 1 : delay * 2))
  [ "$delay" -gt 30 ] && delay=30
done
