#!/bin/sh
# Runs workerd, the Workers runtime, so that it ends with its parent and with nothing else.
#
# A terminal's Ctrl-C goes to all processes of a group: workerd would die of it at once, and with it the local queue,
# which is kept in memory and which the parent still wants to drain. So it gets a session of its own. And a parent that
# is killed outright cannot end it: it would go on holding the port and the state. So a watcher does.
trap '' INT HUP
parent=$PPID
self=$$
(
  while kill -0 "$parent" && kill -0 "$self"; do sleep 0.5; done
  kill -9 "$self"
) </dev/null >/dev/null 2>&1 3>&- &
# `setsid` keeps the pid, since a child of Node leads no group; where there is none (macOS), the trap has to do.
if command -v setsid >/dev/null 2>&1; then exec setsid "$MILLRACE_WORKERD" "$@"; fi
exec "$MILLRACE_WORKERD" "$@"
