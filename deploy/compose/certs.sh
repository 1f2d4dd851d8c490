#!/usr/bin/env bash
# Makes the mesh's CA, cookie and certificates in /mesh, once: what is there stays.
#   certs.sh NODE...    each node is reached under its own name
set -euo pipefail

[ -e /mesh/ca.pem ] || tandem certs ca --dir /mesh
for node in "$@"; do
  [ -e "/mesh/$node.pem" ] || tandem certs node --dir /mesh --host "$node" "$node"
done
