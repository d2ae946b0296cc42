#!/bin/sh
# Reports this machine's load, memory and, where there is a sensor, temperature: one line a message.
every=1
[ "$1" = "--every" ] && every=$2
cores=$(grep -c '^processor' /proc/cpuinfo)
sensor=/sys/class/thermal/thermal_zone0/temp

while :; do
  read -r load1 load5 rest </proc/loadavg
  printf '{"output":"load","body":{"load1":%s,"load5":%s,"cores":%s}}\n' "$load1" "$load5" "$cores"

  total=0 available=0
  while read -r name value rest; do
    case $name in
      MemTotal:) total=$value ;;
      MemAvailable:) available=$value ;;
    esac
  done </proc/meminfo
  printf '{"output":"memory","body":{"totalMB":%s,"availableMB":%s}}\n' $((total / 1024)) $((available / 1024))

  if [ -r "$sensor" ] && read -r milli <"$sensor"; then
    printf '{"output":"temperature","body":{"celsius":%s.%03d}}\n' $((milli / 1000)) $((milli % 1000))
  fi
  sleep "$every"
done
