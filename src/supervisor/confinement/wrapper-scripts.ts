/**
 * Shell scripts that run before a module's program. The texts are constant; values from a manifest are passed
 * as parameters. Each ends in `exec "$@"`, so that the pid does not change.
 */

/** Joins cgroups: writes the shell's pid to each `cgroup.procs` file before `--`. */
export const JOIN_CGROUPS =
  'while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done; shift; exec "$@"';

/**
 * Ignores stop signals in the wrapper, because the program receives them as a member of the process group.
 */
export const IGNORE_SIGNALS = 'trap "" HUP INT QUIT TERM USR1 USR2; exec "$@"';

/**
 * Sets up a mount namespace: empty /tmp and /dev/shm of at most `$2` bytes; the folders before the first `--`
 * hidden, except the module's folder `$1` and the folders before the second `--`; all other mounts read-only
 * except the module's folder, /dev and /proc. If `$3` is `none`, it brings up the loopback interface of a
 * network namespace, if `ip` is installed.
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
