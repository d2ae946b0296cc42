/*
 * Shell scripts that run before a module's program. The scripts are constant: values from a manifest are only
 * passed as parameters. Each script ends with `exec "$@"`, so that the program has the pid of the shell.
 */

/**
 * Script that joins cgroups. Writes the shell's pid to each `cgroup.procs` file before the parameter `--`.
 */
export const JOIN_CGROUPS =
  'while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done; shift; exec "$@"';

/**
 * Script that ignores stop signals, so that they do not end the wrapper program. The module's program still
 * receives the signals, because it is in the same process group.
 */
export const IGNORE_SIGNALS = 'trap "" HUP INT QUIT TERM USR1 USR2; exec "$@"';

/**
 * Script that sets up a mount namespace. Creates an empty /tmp and an empty /dev/shm of at most `$2` bytes
 * each. Hides the folders that are listed before the first `--`. The module's folder `$1` and the folders
 * between the first and the second `--` stay visible. Makes all mounts read-only, except the module's folder,
 * /dev and /proc. If `$3` is `none`, enables the loopback interface of the network namespace, provided that
 * `ip` is installed.
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
