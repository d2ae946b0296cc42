/**
 * What the shell does before a module's program takes its place. The texts are fixed; all that comes from a manifest
 * is a parameter. Each ends in `exec "$@"`, so that the pid stays the module's.
 */

/** Goes into control groups by the doors before `--`. */
export const JOIN = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done; shift; exec "$@"';

/** Lets the signals pass by what merely waits for the program: they reach it as a member of the group. */
export const STAND_BY = 'trap "" HUP INT QUIT TERM USR1 USR2; exec "$@"';

/**
 * Within mounts of its own: an empty /tmp and /dev/shm of `$3` bytes at most, the folder `$2` hidden but for the
 * module's own within it, `$1`, and those up to `--`; all that can be written made read-only but for the first, /dev and /proc.
 */
export const PRIVATE_MOUNTS = `set -e
own=$1 hidden=$2 size=$3 path=$PATH at=$(pwd)
shift 3
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs -o "mode=1777,nosuid,nodev,size=$size" skerry /tmp
mkdir /tmp/own
mount --bind "$own" /tmp/own
number=0
for shown; do
  if [ "$shown" = -- ]; then break; fi
  number=$((number + 1))
  mkdir "/tmp/$number"
  mount --bind "$shown" "/tmp/$number"
done
mount -t tmpfs -o mode=755,nosuid,nodev,size=64k skerry "$hidden"
(umask 022; mkdir -p "$own")
mount --bind /tmp/own "$own"
umount /tmp/own
rmdir /tmp/own
number=0
while [ "$1" != -- ]; do
  number=$((number + 1))
  (umask 022; mkdir -p "$1")
  mount --bind "/tmp/$number" "$1"
  umount "/tmp/$number"
  rmdir "/tmp/$number"
  shift
done
shift
if [ -d /dev/shm ]; then mount -t tmpfs -o "mode=1777,nosuid,nodev,size=$size" skerry /dev/shm; fi
mount -o remount,bind,ro "$hidden"
while read -r _ _ _ _ point options _; do
  point=$(printf %b "$point")
  case $point in /proc | /proc/* | /dev | /dev/* | /tmp | /tmp/* | "$own" | "$own"/*) continue ;; esac
  case $options in ro | ro,*) continue ;; esac
  mount -o "remount,bind,$options,ro" "$point"
done </proc/self/mountinfo
PATH=$path
cd "$at"
exec "$@"`;
