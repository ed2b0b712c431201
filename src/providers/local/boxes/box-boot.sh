#!/bin/sh
# The first process of a box until it hands over to box-init.sh: makes the box's own root, devices and cgroup view out of the namespaces it was
# started in. Everything mounted here is private to the box and goes with its last process.
# Environment: see power.ts, which fills it.
set -eu

# /proc is still the host's: this is how the host sees us, and who our parent (unshare) is there. Read by the shell itself: a program started
# for it would read its own numbers. The name in the second field is `(sh)`, without spaces.
read -r host_stat < /proc/self/stat
# shellcheck disable=SC2086
set -- $host_stat
host_pid=$1
host_parent=$4
shift 21
start_time=$1
boot_id=$(cat /proc/sys/kernel/random/boot_id)
echo "$host_parent" >&3
exec 3>&-
read -r _ < "$BOX/go" # the launcher has taken unshare out of our cgroups

disk="$BOX/disk"
root="$BOX/root"
mkdir -p "$disk" "$root"
mount -t ext4 -o loop,noatime "$BOX/disk.img" "$disk"
loop=$(awk -v at="$disk" '$5 == at { print $(NF-1) }' /proc/self/mountinfo)

upper="$disk/upper"
if [ ! -e "$disk/made" ]; then
  rm -rf "$upper" "$disk/work"
  mkdir -p "$upper" "$disk/work" "$disk/kubelet" "$disk/node" "$disk/containerd"
  # A character device 0/0 in the upper layer hides what the host has at that path: its secrets, and whatever would make this machine not empty.
  for path in $HIDDEN; do
    [ -e "$path" ] || continue
    parent=${path%/*}
    built=
    for part in $(echo "$parent" | tr / ' '); do
      built="$built/$part"
      [ -d "$upper$built" ] && continue
      [ -c "$upper$built" ] && continue 2 # an ancestor is hidden already
      mkdir -m "$(stat -c %a "$built")" "$upper$built"
      chown "$(stat -c %u:%g "$built")" "$upper$built"
    done
    mknod "$upper$path" c 0 0
  done
fi
mount -t overlay -o "lowerdir=/,upperdir=$upper,workdir=$disk/work,index=off" overlay "$root"
if [ ! -e "$disk/made" ]; then
  mkdir -p -m 700 "$root/root"
  mkdir -p "$root/home" "$root/etc/ssh" "$root/.disk" "$root/.old"
  mkdir -p "$root/var/lib/kubelet" "$root/var/lib/containerd" "$root/var/lib/edgehold-node"
  (umask 077; printf 'root:*:19000:0:99999:7:::\n' > "$root/etc/shadow")
  sync -f "$disk"
  touch "$disk/made"
fi

cd "$root"
# The whole disk first: the kubelet's accounting knows a file system by its first mount.
mount --move "$disk" .disk
chmod 700 .disk
# What containers write needs a file system that is not an overlay.
mount --bind .disk/kubelet var/lib/kubelet
mount --bind .disk/containerd var/lib/containerd
mount --bind .disk/node var/lib/edgehold-node

mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755,size=64m tmpfs run
mkdir -p run/lock run/shm
mount -t tmpfs -o mode=1777 tmpfs tmp

mount -t tmpfs -o mode=755,size=1m tmpfs dev
make_node() { mknod -m "$2" "dev/$1" c "$3" "$4"; }
make_node null 666 1 3
make_node zero 666 1 5
make_node full 666 1 7
make_node random 666 1 8
make_node urandom 666 1 9
make_node tty 666 5 0
make_node kmsg 600 1 11
make_node fuse 666 10 229
mkdir dev/net dev/pts dev/shm dev/mqueue
make_node net/tun 666 10 200
if [ -n "$loop" ] && [ -b "$loop" ]; then cp -a "$loop" dev/; fi
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

# In a cgroup namespace each hierarchy mounted again shows the box's own folder as its root.
if [ "$CGROUP_VERSION" = 2 ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mkdir -p sys/fs/cgroup/init
  echo 1 > sys/fs/cgroup/init/cgroup.procs
  for controller in $(cat sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" > sys/fs/cgroup/cgroup.subtree_control || true # e.g. cpu while real-time processes exist
  done
else
  mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  for hierarchy in $CGROUP_HIERARCHIES; do
    folder=${hierarchy%%=*}
    options=${hierarchy#*=}
    mkdir "sys/fs/cgroup/$folder"
    if [ "$options" = cgroup2 ]; then
      mount -t cgroup2 cgroup2 "sys/fs/cgroup/$folder"
    else
      mount -t cgroup -o "$options" cgroup "sys/fs/cgroup/$folder"
      case $folder in
        *,*) for controller in $(echo "$folder" | tr , ' '); do ln -s "$folder" "sys/fs/cgroup/$controller"; done ;;
      esac
    fi
  done
  mount -o remount,ro sys/fs/cgroup
fi

echo "$NAME" > /proc/sys/kernel/hostname
echo "$NAME" > etc/hostname
echo "$MACHINE_ID" > etc/machine-id
printf '127.0.0.1 localhost\n::1 localhost\n%s %s\n' "$ADDRESS" "$NAME" > etc/hosts
# Nobody listens there, so a look-up is refused at once and asks nobody outside.
rm -f etc/resolv.conf
printf 'nameserver %s\noptions timeout:1 attempts:1\n' "$ADDRESS" > etc/resolv.conf

cp "$SCRIPTS/box-init.sh" run/box-init
if [ -n "$FIRST_BOOT" ] && [ ! -e .disk/first-boot-done ]; then (umask 077; printf '%s\n' "$FIRST_BOOT" > run/first-boot-line); fi
echo "$host_pid $start_time $boot_id $(date +%s%3N)" > "$STATE.run.part"
mkdir -p .old
run_file="$STATE.run"
pivot_root . .old
mv "/.old$run_file.part" "/.old$run_file" # from here on the machine is on
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 container=edgehold-box \
  /bin/sh /run/box-init < /dev/null
