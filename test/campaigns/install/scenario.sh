#!/bin/sh
# Runs in the virtual machine, once for each boot: installs the package, deploys a module, and after a reboot
# upgrades, downgrades and purges. Prints "ok <step>" or "FAILED <step>" for each step.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive
cd /scenario || exit 1

check() {
  step=$1
  shift
  if "$@" >/scenario/output 2>&1; then
    echo "ok $step"
  else
    echo "FAILED $step"
    cat /scenario/output
    journalctl -u skerry -n 20 --no-pager -o cat
  fi
}

runs() {
  for _ in $(seq 120); do
    skerry ps --json 2>/dev/null | tr -d ' \n' | grep -q '"state":"running"' && return 0
    sleep 1
  done
  skerry ps
  return 1
}

version_is() {
  skerry version
  [ "$(dpkg-query -W -f '${Version}' skerry)" = "$1" ]
}

pid_changes() {
  before=$(systemctl show -p MainPID --value skerry)
  kill -9 "$before"
  for _ in $(seq 60); do
    sleep 1
    after=$(systemctl show -p MainPID --value skerry)
    [ "$after" != 0 ] && [ "$after" != "$before" ] && return 0
  done
  return 1
}

limit_holds() {
  group=$(find /sys/fs/cgroup/system.slice/skerry.service -name 'memory.max' -exec grep -lx 33554432 {} +)
  echo "groups with 32 MB: $group"
  [ -n "$group" ]
}

sandboxed() {
  skerry logs "$1"
  skerry logs "$1" | grep -q 'the data folder is hidden'
}

own_user() {
  pid=$(pgrep -f 'sleep 1111')
  grep Uid "/proc/$pid/status"
  [ "$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")" = "$(id -u greenhouse)" ]
}

if [ ! -e installed ]; then
  touch installed
  useradd --system greenhouse
  check 'apt installs the package' apt-get install -y ./old.deb
  check 'the service is active' systemctl is-active skerry
  check 'the service is enabled' systemctl is-enabled skerry
  check 'a manifest is applied' skerry apply manifest.json
  check 'the module runs' runs
  check 'the memory limit of the module is set' limit_holds
  check 'the standard sandbox holds' sandboxed standard
  check 'the strict sandbox holds' sandboxed strict
  check 'the module has a user of its own' own_user
  systemd-analyze security skerry --no-pager | tail -n 1
  systemctl reboot
else
  check 'the module runs after a reboot' runs
  check 'systemd restarts a killed hub' pid_changes
  check 'the module runs after the kill' runs
  check 'apt upgrades' apt-get install -y ./new.deb
  check 'the new version is installed' version_is 9.0.0
  check 'the module runs after the upgrade' runs
  check 'apt downgrades' apt-get install -y --allow-downgrades ./old.deb
  check 'the module runs after the downgrade' runs
  check 'apt purges' apt-get purge -y skerry
  check 'the binary is removed' test ! -e /usr/bin/skerry
  check 'the data folder stays' test -e /var/lib/skerry/store
  check 'no module runs after the purge' sh -c '! pgrep -f "^sleep 1111"'
  echo 'The scenario ends.'
  systemctl poweroff
fi
