#!/bin/bash
# Runs one service like a container, in namespaces of its own: the root of this machine under a layer that is thrown away,
# the service's volumes, and its name and neighbours in /etc/hosts. test/deploy/compose/containers.ts starts it.
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$CONTAINER_FOLDER"
mkdir "$CONTAINER_FOLDER/upper" "$CONTAINER_FOLDER/work" "$CONTAINER_FOLDER/root"
root=$CONTAINER_FOLDER/root
mount -t overlay overlay \
  -o "lowerdir=/,upperdir=$CONTAINER_FOLDER/upper,workdir=$CONTAINER_FOLDER/work" "$root"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"
hostname "$CONTAINER_NAME"
printf '127.0.0.1 localhost\n%s\n' "$CONTAINER_HOSTS" > "$root/etc/hosts"
while IFS='|' read -r from to mode; do
  [ -n "$from" ] || continue
  mkdir -p "$root/$(dirname "$to")"
  if [ -d "$from" ]; then mkdir -p "$root/$to"; else touch "$root/$to"; fi
  mount --bind "$from" "$root/$to"
  if [ "$mode" = ro ]; then mount -o remount,ro,bind "$root/$to"; fi
done <<< "$CONTAINER_MOUNTS"
folder=$CONTAINER_WORKDIR
unset CONTAINER_FOLDER CONTAINER_NAME CONTAINER_HOSTS CONTAINER_MOUNTS CONTAINER_WORKDIR
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
