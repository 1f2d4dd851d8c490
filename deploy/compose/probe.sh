#!/usr/bin/env bash
# Asks the node of this container: exit code 0 if PATH answers 200. The image has no curl.
set -euo pipefail

path="${1:-/readyz}" listen="${TANDEM_EDGE__LISTEN:-127.0.0.1:8080}"
{ exec 3<>"/dev/tcp/${listen%:*}/${listen##*:}"; } 2>/dev/null || { echo "nothing listens on $listen"; exit 1; }
printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$path" "$listen" >&3
read -r -t 4 _ code _ <&3 || { echo "no answer from $listen"; exit 1; }
echo "$path: $code"
[ "$code" = 200 ]
