#!/bin/sh
# Process 1 of a box: starts what the machine's owner put into /etc/rc.local, reaps what loses its parent, and ends in good order on SIGTERM.
umount -l /.old

power_off() {
  trap '' TERM
  kill -TERM -1 2> /dev/null
  tries=0
  while [ "$tries" -lt 20 ]; do
    # Only we ourselves are left: the pattern matches one folder.
    set -- /proc/[0-9]*
    [ $# -le 1 ] && break
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -KILL -1 2> /dev/null
  sync -f /.disk
  exit 0
}
trap power_off TERM

if [ -x /etc/rc.local ]; then /etc/rc.local & fi

# Whoever ordered the machine gave it a line to run once. What that line's own script ends with (0 or 1) is told by it; only a server that could not be
# reached (curl's codes are others) is asked again.
first_boot() {
  tries=0
  while [ ! -e /.disk/first-boot-done ] && [ "$tries" -lt 120 ]; do
    /bin/sh /run/first-boot-line > /var/log/first-boot.log 2>&1
    code=$?
    if [ "$code" -le 1 ]; then
      touch /.disk/first-boot-done
      break
    fi
    tries=$((tries + 1))
    sleep 5
  done
}
if [ -s /run/first-boot-line ]; then first_boot & fi

# `wait` collects every child, also those that were handed to process 1.
while :; do
  sleep 2147483647 &
  wait $!
done
