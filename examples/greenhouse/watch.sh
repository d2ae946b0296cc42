#!/bin/sh
# Receives what the routes "calm" and "busy" select, a message a line, and says so in its log.
while read -r message; do
  echo "a route selected $message" >&2
done
