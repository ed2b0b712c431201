#!/bin/sh
# Makes the disk of a whole virtual machine once: Debian with its own kernel, systemd and cgroup v2, and nothing of ours in it.
# Usage: make-image.sh FOLDER. Leaves disk.img, vmlinuz and initrd.img there; does nothing if they are there.
set -eu
folder=$1
release=${2:-bookworm}
mirror=${3:-http://deb.debian.org/debian}
[ -f "$folder/complete" ] && exit 0
mkdir -p "$folder"
root=$(mktemp -d "$folder/root.XXXXXX")
trap 'rm -rf "$root"' EXIT

debootstrap --variant=minbase \
  --include=systemd,systemd-sysv,dbus,udev,iproute2,kmod,ca-certificates,curl,openssl,linux-image-cloud-amd64,nftables,procps,util-linux,e2fsprogs \
  "$release" "$root" "$mirror"

# The root console logs in by itself: the test speaks to the machine over the serial line.
echo 'root::0:0:root:/root:/bin/bash' > "$root/etc/passwd.new"
grep -v '^root:' "$root/etc/passwd" >> "$root/etc/passwd.new"
mv "$root/etc/passwd.new" "$root/etc/passwd"
echo '/dev/vda / ext4 rw,relatime 0 1' > "$root/etc/fstab"
mkdir -p "$root/etc/systemd/network" "$root/etc/systemd/system"
# Address, name and what to do come from a second disk, which the test makes.
cat > "$root/etc/systemd/system/seed.service" <<'UNIT'
[Unit]
Description=Run what the seed disk says
After=systemd-udevd.service
Wants=network-online.target
[Service]
Type=exec
KillMode=process
StandardOutput=journal+console
StandardError=journal+console
ExecStart=/bin/sh -c 'mkdir -p /seed && mount -o ro /dev/vdb /seed && exec sh /seed/run'
[Install]
WantedBy=multi-user.target
UNIT
ln -sf /etc/systemd/system/seed.service "$root/etc/systemd/system/multi-user.target.wants/seed.service"
rm -f "$root/etc/machine-id"
: > "$root/etc/machine-id"

cp "$root"/boot/vmlinuz-* "$folder/vmlinuz"
cp "$root"/boot/initrd.img-* "$folder/initrd.img"
rm -rf "$root/var/cache/apt/archives" "$root/var/lib/apt/lists"
mkdir -p "$root/var/cache/apt/archives/partial" "$root/var/lib/apt/lists/partial"
truncate -s 6G "$folder/disk.img.part"
mkfs.ext4 -q -F -d "$root" "$folder/disk.img.part"
mv "$folder/disk.img.part" "$folder/disk.img"
date -u > "$folder/complete"
