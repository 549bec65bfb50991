#!/usr/bin/env bash
# kustomize 5.7.1: a patch of a container's port that is dropped without a word.
#
# A strategic merge finds a port by its number and its protocol, and TCP is the protocol of a port that
# names none. A Deployment offers port 53 for TCP, with the protocol left out, and for UDP. A patch
# that gives the port of TCP a hostPort is accepted and changes nothing, with the protocol written in
# the patch or without. It works when the Deployment spells TCP out, and when the UDP port is not
# there. So a patch that worked is lost when a second protocol is added to the base: compare what is
# rendered, not the exit status.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
GOBIN=$dir go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1 2>/dev/null
udp='{containerPort: 53, name: udp, protocol: UDP}'

# Prints how many ports have the hostPort of the patch: the base's ports, then the patch's.
patched() {
    mkdir -p "$dir/base"
    cat >"$dir/base/web.yaml" <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: dns}
spec:
  selector: {matchLabels: {app: dns}}
  template:
    metadata: {labels: {app: dns}}
    spec:
      containers:
        - name: dns
          image: dns:1
          ports: [$1]
YAML
    cat >"$dir/base/kustomization.yaml" <<YAML
resources: [web.yaml]
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: dns}
      spec:
        template:
          spec:
            containers:
              - name: dns
                ports: [$2]
YAML
    "$dir/kustomize" build "$dir/base" >"$dir/rendered" || { echo refused; return; }
    grep -c 'hostPort: 5300' "$dir/rendered" || true
}
bare=$(patched "{containerPort: 53, name: tcp}, $udp" '{containerPort: 53, hostPort: 5300}')
named=$(patched "{containerPort: 53, name: tcp}, $udp" '{containerPort: 53, protocol: TCP, hostPort: 5300}')
spelt=$(patched "{containerPort: 53, name: tcp, protocol: TCP}, $udp" '{containerPort: 53, protocol: TCP, hostPort: 5300}')
alone=$(patched '{containerPort: 53, name: tcp}' '{containerPort: 53, hostPort: 5300}')
echo "patched of one: $bare without a protocol, $named with TCP in the patch, $spelt with TCP in both, $alone without UDP"
[[ "$bare $named $spelt $alone" == '0 0 1 1' ]]
