/**
 * What the shell does before a module's program takes its place. The texts are fixed; all that comes from a manifest
 * is a parameter. Each ends in `exec "$@"`, so that the pid stays the module's.
 */

/** Goes into control groups by the doors before `--`. */
export const JOIN = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done; shift; exec "$@"';

/** Lets the signals pass by what merely waits for the program: they reach it as a member of the group. */
export const STAND_BY = 'trap "" HUP INT QUIT TERM USR1 USR2; exec "$@"';

/**
 * Within mounts of its own: an empty /tmp and /dev/shm of `$2` bytes at most; the folders up to the first `--` hidden, but for
 * the module's own folder, `$1`, and those up to the second `--`; all that can be written made read-only but for the module's
 * own folder, /dev and /proc. If `$3` is `none`, it is in a network of its own, whose loopback begins to work where `ip` is installed.
 */
export const PRIVATE_MOUNTS = `set -e
own=$1 size=$2 network=$3 path=$PATH at=$(pwd)
shift 3
PATH=/usr/sbin:/usr/bin:/sbin:/bin
if [ "$network" = none ]; then ip link set lo up 2>/dev/null || :; fi
mount -t tmpfs -o "mode=1777,nosuid,nodev,size=$size" skerry /tmp
mkdir /tmp/own
mount --bind "$own" /tmp/own
ends=0 number=0
for one; do
  if [ "$one" = -- ]; then
    ends=$((ends + 1))
    if [ "$ends" = 2 ]; then break; fi
  elif [ "$ends" = 1 ]; then
    number=$((number + 1))
    mkdir "/tmp/$number"
    mount --bind "$one" "/tmp/$number"
  fi
done
if [ -d /dev/shm ]; then mount -t tmpfs -o "mode=1777,nosuid,nodev,size=$size" skerry /dev/shm; fi
while [ "$1" != -- ]; do
  (umask 022; mkdir -p "$1")
  mount -t tmpfs -o mode=755,nosuid,nodev,size=64k skerry "$1"
  shift
done
shift
(umask 022; mkdir -p "$own")
mount --bind /tmp/own "$own"
umount /tmp/own
rmdir /tmp/own
number=0
while [ "$1" != -- ]; do
  number=$((number + 1))
  (umask 022; mkdir -p "$1")
  mount --bind "/tmp/$number" "$1"
  mount -o remount,bind,ro "$1"
  umount "/tmp/$number"
  rmdir "/tmp/$number"
  shift
done
shift
while read -r _ _ _ _ point options _; do
  point=$(printf %b "$point")
  case $point in /proc | /proc/* | /dev | /dev/* | /tmp | /tmp/* | "$own" | "$own"/*) continue ;; esac
  case $options in ro | ro,*) continue ;; esac
  mount -o "remount,bind,$options,ro" "$point"
done </proc/self/mountinfo
PATH=$path
cd "$at"
exec "$@"`;
