"""What deploy/check.sh demands of the deployment files beyond their schemas. Prints what is wrong; exit code 1 then.

usage: check.py chart RENDERED.yaml [EXTERNAL-SECRET...] | compose RENDERED.yaml | dockerfile DOCKERFILE

TANDEM names the program; without it, or without openssl, what needs them says SKIPPED.
"""

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

KUBERNETES = "1.35"
# The node's own limit after SIGTERM, in seconds.
STOPS_WITHIN = 30
SECRET_KEYS = {"urls", "access_key_id", "secret_access_key"}

failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)
    return bool(holds)


def guarded(check, *arguments):
    """What is missing where a check looks for it is one failure more, not the end of the others."""
    try:
        check(*arguments)
    except (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError, OSError) as error:
        failures.append(f"{check.__name__}: {error!r}")


def skip(what, why):
    print(f"check: SKIPPED {what} ({why})")
    if os.environ.get("TANDEM_REQUIRE_SERVICES") == "1":
        failures.append(f"{what} was skipped: {why}")


def matches(selector, labels):
    wanted = (selector or {}).get("matchLabels", selector) or {}
    return bool(wanted) and wanted.items() <= labels.items()


def accepts(what, toml, environment):
    """Whether the program takes this configuration."""
    program = os.environ.get("TANDEM", "")
    if not program:
        return skip(f"{what}: tandem config --check", "the program is not built")
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(toml)
        file.flush()
        done = subprocess.run(
            [program, "--config", file.name, "config", "--check"],
            env={name: str(value) for name, value in environment.items() if name != "TANDEM_CONFIG"},
            capture_output=True, text=True, timeout=60, check=False,
        )
    expect(done.returncode == 0, f"{what}: the program refuses the configuration: {done.stderr.strip()}")


# --- Chart ---


class Chart:
    def __init__(self, documents, external):
        self.documents, self.external = documents, external
        self.nodes = self.only("StatefulSet")
        self.pod = self.nodes["spec"]["template"]
        self.labels = self.pod["metadata"]["labels"]
        self.node = next(c for c in self.pod["spec"]["containers"] if c["name"] == "tandem")
        self.environment = {e["name"]: e for e in self.node["env"]}

    def all(self, kind):
        return [d for d in self.documents if d["kind"] == kind]

    def only(self, kind):
        found = self.all(kind)
        expect(len(found) == 1, f"there are {len(found)} objects of the kind {kind}, not 1")
        return found[0]

    def named(self, kind, name):
        return next((d for d in self.all(kind) if d["metadata"]["name"] == name), None)

    def value(self, name, node):
        """The value of a variable in the pod of this name."""
        entry = self.environment[name]
        if entry.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") == "metadata.name":
            return node
        if "value" in entry:
            refer = re.sub(r"\$\((\w+)\)", lambda m: self.value(m[1], node), str(entry["value"]))
            return refer
        source = entry["valueFrom"]["secretKeyRef"]
        secret = self.named("Secret", source["name"])
        return secret["stringData"][source["key"]] if secret else "amqp://user:password@host:5672/%2f"


def check_schemas(chart):
    import kubernetes_validate

    for document in chart.documents:
        what = f"{document['kind']}/{document['metadata']['name']}"
        if document["apiVersion"].startswith("monitoring.coreos.com/"):
            # Not one of Kubernetes' own: check_service looks at it.
            continue
        try:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        except Exception as error:
            expect(False, f"{what} does not fit the schema of Kubernetes {KUBERNETES}: {str(error).splitlines()[0]}")


def check_pods(chart):
    jobs = [(j["metadata"]["name"], j["spec"]["template"], False) for j in chart.all("Job")]
    for name, pod, lasting in [("nodes", chart.pod, True), *jobs]:
        spec = pod["spec"]
        security = spec.get("securityContext", {})
        claims = chart.nodes["spec"]["volumeClaimTemplates"] if lasting else []
        volumes = {v["name"]: v for v in spec.get("volumes", [])}
        volumes |= {c["metadata"]["name"]: c for c in claims}
        shared = [k for k in ("hostNetwork", "hostPID", "hostIPC") if spec.get(k)]
        expect(not shared, f"{name}: shares the host's namespaces")
        expect(not any("hostPath" in v for v in volumes.values()), f"{name}: mounts a path of the host")
        expect(spec.get("automountServiceAccountToken") is False, f"{name}: gets a token of Kubernetes")
        expect(security.get("seccompProfile", {}).get("type") == "RuntimeDefault", f"{name}: no seccomp profile")
        for volume in volumes.values():
            check_source(chart, name, volume)
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            check_container(chart, f"{name}/{container['name']}", container, security, volumes, lasting)


def check_container(chart, what, container, pod_security, volumes, lasting):
    own = container.get("securityContext", {})
    security = pod_security | own
    expect(security.get("runAsNonRoot") is True and security.get("runAsUser", 0) > 0, f"{what}: may run as root")
    expect(own.get("allowPrivilegeEscalation") is False, f"{what}: may gain privileges")
    expect(own.get("readOnlyRootFilesystem") is True, f"{what}: may write to its image")
    expect("ALL" in own.get("capabilities", {}).get("drop", []), f"{what}: keeps capabilities")
    expect(not own.get("privileged"), f"{what}: is privileged")
    resources = container.get("resources", {})
    for part in ("requests", "limits"):
        expect({"cpu", "memory"} <= resources.get(part, {}).keys(), f"{what}: no {part} of cpu and memory")
    mounts = container.get("volumeMounts", [])
    expect(all(m["name"] in volumes for m in mounts), f"{what}: mounts what is no volume")
    expect(len({m["mountPath"] for m in mounts}) == len(mounts), f"{what}: mounts two volumes at one place")
    tmp = [m["name"] for m in mounts if m["mountPath"] == "/tmp"]
    expect(tmp and "emptyDir" in volumes.get(tmp[0], {}), f"{what}: no /tmp to write to")
    names = [e["name"] for e in container.get("env", [])]
    expect(len(set(names)) == len(names), f"{what}: sets a variable twice")
    for entry in container.get("env", []):
        if source := entry.get("valueFrom", {}).get("secretKeyRef"):
            check_key(chart, what, "Secret", source["name"], [source["key"]])
    if lasting:
        expect({"readinessProbe", "livenessProbe"} <= container.keys(), f"{what}: no readiness or no liveness probe")
    if container["name"] == "tandem":
        wanted = {"startupProbe": "/livez", "readinessProbe": "/readyz", "livenessProbe": "/livez"}
        for probe, path in wanted.items():
            asks = container.get(probe, {}).get("httpGet")
            expect(asks == {"path": path, "port": "http"}, f"{what}: the {probe} does not ask {path}")


def check_source(chart, what, volume):
    """A volume's Secret or ConfigMap is there, with the keys it takes."""
    for kind, part, name in (("Secret", "secret", "secretName"), ("ConfigMap", "configMap", "name")):
        if source := volume.get(part):
            check_key(chart, what, kind, source[name], [i["key"] for i in source.get("items", [])])


def check_key(chart, what, kind, name, keys):
    if kind == "Secret" and name in chart.external:
        return
    found = chart.named(kind, name)
    if expect(found, f"{what}: there is no {kind} {name}"):
        held = found.get("data", {}).keys() | found.get("stringData", {}).keys()
        expect(set(keys) <= held, f"{what}: {kind} {name} lacks one of {keys}")


def check_service(chart):
    spec = chart.nodes["spec"]
    expect(matches(spec["selector"], chart.labels), "the StatefulSet does not select its pods")
    service = chart.named("Service", spec["serviceName"])
    if not expect(service, "the StatefulSet's Service is not there"):
        return
    expect(service["spec"].get("clusterIP") == "None", "the mesh's Service is not headless")
    expect(service["spec"].get("publishNotReadyAddresses") is True, "nodes are found only once they are ready")
    expect(matches(service["spec"]["selector"], chart.labels), "the Service does not select the pods")
    api = chart.named("Service", chart.nodes["metadata"]["name"])
    expect(matches({"matchLabels": api["spec"]["selector"]}, chart.labels), "the API's Service selects no node")
    ports = {p["name"] for p in chart.node["ports"]}
    expect({p["targetPort"] for p in api["spec"]["ports"]} <= ports, "the API's Service leads to no port")
    for monitor in chart.all("ServiceMonitor"):
        selects = [matches(monitor["spec"]["selector"], s["metadata"]["labels"]) for s in (api, service)]
        expect(selects == [True, False], "the ServiceMonitor selects another Service than the API's")
        served = {p["name"] for p in api["spec"]["ports"]}
        read = {e["port"] for e in monitor["spec"]["endpoints"]}
        expect(read and read <= served, "the ServiceMonitor reads a port that is not there")
        signed = all("credentials" in e.get("authorization", {}) for e in monitor["spec"]["endpoints"])
        expect(signed, "the ServiceMonitor does not say who asks")


def check_policies(chart):
    budget = chart.only("PodDisruptionBudget")
    expect(matches(budget["spec"]["selector"], chart.labels), "the PodDisruptionBudget does not select the pods")
    expect(budget["spec"].get("maxUnavailable") not in (None, 0, "0%"), "the PodDisruptionBudget lets no node move")
    for job in chart.all("Job"):
        labels = job["spec"]["template"]["metadata"]["labels"]
        expect(not matches(budget["spec"]["selector"], labels), "a job's pod passes for a node")
    policy = chart.only("NetworkPolicy")
    expect(matches(policy["spec"]["podSelector"], chart.labels), "the NetworkPolicy does not select the pods")
    ports = {p["name"] for c in chart.pod["spec"]["containers"] for p in c.get("ports", [])}
    allowed = {p["port"] for rule in policy["spec"]["ingress"] for p in rule["ports"]}
    expect(allowed == ports, f"the NetworkPolicy opens {allowed}, the pods have {ports}")
    mesh = [r for r in policy["spec"]["ingress"] if any(p["port"] == "mesh" for p in r["ports"])]
    peers = [p.get("podSelector") for r in mesh for p in r.get("from", [{}])]
    expect(peers and all(matches(p, chart.labels) for p in peers), "strangers reach the mesh")


def check_scaling(chart):
    name, spec = chart.nodes["metadata"]["name"], chart.nodes["spec"]
    spread = [s["labelSelector"] for s in chart.pod["spec"].get("topologySpreadConstraints", [])]
    expect(len(spread) == 2 and all(matches(s, chart.labels) for s in spread), "the pods are not spread")
    scalers = chart.all("HorizontalPodAutoscaler")
    expect(bool(scalers) != ("replicas" in spec), "both or neither of autoscaler and StatefulSet count the nodes")
    for scaler in scalers:
        target = scaler["spec"]["scaleTargetRef"]
        scaled = (target["apiVersion"], target["kind"], target["name"])
        expect(scaled == ("apps/v1", "StatefulSet", name), "the autoscaler scales something else")
        most = scaler["spec"]["maxReplicas"]
        expect(most <= count_certificates(chart), "the autoscaler makes nodes without certificates")


def check_nodes(chart):
    spec = chart.nodes["spec"]
    folder = chart.value("TANDEM_NODE__DATA_DIR", "any")
    mounts = {m["mountPath"]: m["name"] for m in chart.node["volumeMounts"]}
    claims = {c["metadata"]["name"] for c in spec["volumeClaimTemplates"]}
    expect(mounts.get(folder) in claims, f"no volume claim is mounted at the data folder {folder}")
    grace = chart.pod["spec"].get("terminationGracePeriodSeconds", 30)
    expect(grace >= STOPS_WITHIN + 5, f"{grace} s are too few to stop in")
    for variable in ("CA", "CERT", "KEY", "COOKIE_FILE"):
        path = chart.value(f"TANDEM_MESH__{variable}", "any")
        expect(path in mounts, f"{path} of mesh.{variable.lower()} is not mounted")
    listen = chart.value("TANDEM_EDGE__LISTEN", "any")
    accounts = chart.value("TANDEM_AUTH__ENABLED", "any") == "true"
    expect(listen.startswith("127.") or accounts, f"the edge listens on {listen} without accounts")


def count_certificates(chart):
    secret = chart.named("Secret", f"{chart.nodes['metadata']['name']}-mesh")
    return sum(key.endswith(".crt") and key != "ca.crt" for key in secret["data"])


def check_mesh(chart):
    name = chart.nodes["metadata"]["name"]
    data = chart.named("Secret", f"{name}-mesh")["data"]
    count = count_certificates(chart)
    expect(count >= chart.nodes["spec"].get("replicas", 1), "there are more nodes than certificates")
    expect(len(base64.b64decode(data["cookie"])) >= 32, "the cookie is too short")
    nodes = [f"{name}-{n}" for n in range(count)]
    addresses = [chart.value("TANDEM_MESH__ADVERTISE", node) for node in nodes]
    for node, address in zip(nodes, addresses):
        named = address.startswith(f"{node}.{chart.nodes['spec']['serviceName']}.")
        expect(named, f"{address} is not the name that the Service gives {node}")
    seeds = chart.value("TANDEM_MESH__SEEDS", "any").split(",")
    expect(seeds and set(seeds) <= set(addresses), f"the seeds {seeds} are not among the nodes")
    if not shutil.which("openssl"):
        return skip("the mesh's certificates", "there is no openssl")
    with tempfile.TemporaryDirectory() as folder:
        for file, text in data.items():
            Path(folder, file).write_bytes(base64.b64decode(text))
        for node, address in zip(nodes, addresses):
            check_certificate(folder, node, address.rsplit(":", 1)[0])


def check_certificate(folder, node, host):
    def openssl(*arguments):
        return subprocess.run(
            ["openssl", *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        )

    chain = openssl("verify", "-CAfile", "ca.crt", "-purpose", "sslserver", "-verify_hostname", host, f"{node}.crt")
    expect(chain.returncode == 0, f"the certificate of {node} is not valid for {host}: {chain.stderr.strip()}")
    client = openssl("verify", "-CAfile", "ca.crt", "-purpose", "sslclient", f"{node}.crt")
    expect(client.returncode == 0, f"the certificate of {node} is none for clients")
    of_certificate = openssl("x509", "-in", f"{node}.crt", "-noout", "-pubkey").stdout
    of_key = openssl("pkey", "-in", f"{node}.key", "-pubout").stdout
    expect(of_certificate and of_certificate == of_key, f"key and certificate of {node} do not belong together")


def check_hooks(chart):
    def weight(document):
        annotations = document["metadata"].get("annotations", {})
        return int(annotations["helm.sh/hook-weight"]) if "helm.sh/hook" in annotations else None

    job = chart.only("Job")
    if not expect(weight(job) is not None, "the migration is no hook"):
        return
    for volume in job["spec"]["template"]["spec"]["volumes"]:
        if "configMap" in volume:
            needed = chart.named("ConfigMap", volume["configMap"]["name"])
            before = weight(needed) is not None and weight(needed) < weight(job)
            expect(before, "the migration's ConfigMap is not there when it runs")


def check_config(chart):
    def leaves(table, path=""):
        for key, value in table.items():
            yield from leaves(value, f"{path}{key}.") if isinstance(value, dict) else [(f"{path}{key}", value)]

    toml = chart.named("ConfigMap", chart.nodes["metadata"]["name"])["data"]["tandem.toml"]
    for key, value in leaves(tomllib.loads(toml)):
        expect(not isinstance(value, float), f"{key} = {value} became a float")
        expect(key.rsplit(".", 1)[-1] not in SECRET_KEYS, f"the secret {key} stands in the ConfigMap")
    node = f"{chart.nodes['metadata']['name']}-0"
    accepts("the chart's nodes", toml, {name: chart.value(name, node) for name in chart.environment})
    job = chart.only("Job")
    container = job["spec"]["template"]["spec"]["containers"][0]
    toml = chart.named("ConfigMap", job["metadata"]["name"])["data"]["tandem.toml"]
    accepts("the chart's migration", toml, {e["name"]: e["value"] for e in container["env"]})


def check_chart(rendered, *external):
    documents = [d for d in yaml.safe_load_all(Path(rendered).read_text(encoding="utf-8")) if d]
    chart = Chart(documents, set(external))
    for check in (
        check_schemas, check_pods, check_service, check_policies, check_scaling,
        check_nodes, check_mesh, check_hooks, check_config,
    ):
        guarded(check, chart)


# --- Compose ---


def mounted(service):
    """Target -> source of a service's volumes; docker-compose writes them in a short or a long form."""
    result = {}
    for volume in service.get("volumes", []):
        if isinstance(volume, str):
            source, target = volume.split(":")[:2]
        else:
            source, target = volume["source"], volume["target"]
        result[target] = source
    return result


def check_node_service(name, service, services):
    environment, volumes = service["environment"], mounted(service)
    accounts = str(environment.get("TANDEM_AUTH__ENABLED", "")).lower() == "true"
    expect(not service.get("ports") or accounts, f"{name}: publishes a port of a node without accounts")
    expect(service.get("read_only") is True, f"{name}: may write to its image")
    expect("ALL" in service.get("cap_drop", []), f"{name}: keeps capabilities")
    expect("no-new-privileges:true" in service.get("security_opt", []), f"{name}: may gain privileges")
    expect(service.get("restart") == "unless-stopped", f"{name}: is not started again")
    health = service.get("healthcheck", {})
    expect(not health.get("disable") and health.get("test") != ["NONE"], f"{name}: its health is not checked")
    grace = int(re.fullmatch(r"(\d+)s", service.get("stop_grace_period", "10s"))[1])
    expect(grace >= STOPS_WITHIN + 5, f"{name}: {grace} s are too few to stop in")
    for other, condition in {
        "certs": "service_completed_successfully", "migrate": "service_completed_successfully",
        "rabbitmq": "service_healthy", "scylla": "service_healthy",
    }.items():
        waits = service.get("depends_on", {}).get(other, {}).get("condition")
        expect(waits == condition, f"{name}: does not wait for {other}")
    expect(environment["TANDEM_NODE__NAME"] == name, f"{name}: has another name inside")
    expect(name in services["certs"]["command"], f"{name}: gets no certificate")
    for variable in ("CERT", "KEY"):
        expect(Path(environment[f"TANDEM_MESH__{variable}"]).stem == name, f"{name}: takes another's {variable}")
    config = Path(volumes["/etc/tandem/tandem.toml"]).read_text(encoding="utf-8")
    toml = tomllib.loads(config)
    address = environment["TANDEM_MESH__ADVERTISE"]
    expect(address.split(":")[0] == name and address in toml["mesh"]["seeds"], f"{name}: is not found at {address}")
    for folder in ("/data", toml["objects"]["folder"], str(Path(toml["mesh"]["ca"]).parent)):
        expect(folder in volumes, f"{name}: nothing is mounted at {folder}")
    accepts(name, config, environment)


def check_compose(rendered):
    services = yaml.safe_load(Path(rendered).read_text(encoding="utf-8"))["services"]
    nodes = {n: s for n, s in services.items() if "TANDEM_NODE__NAME" in (s.get("environment") or {})}
    expect(len(nodes) == 3, f"there are {len(nodes)} nodes, not 3")
    for name, service in nodes.items():
        check_node_service(name, service, services)
    expect(len({mounted(s).get("/data") for s in nodes.values()}) == len(nodes), "nodes share a data folder")
    expect(len({mounted(s).get("/objects") for s in nodes.values()}) == 1, "nodes have different originals")
    for name in ("rabbitmq", "scylla"):
        expect(services[name].get("healthcheck", {}).get("test"), f"{name}: its health is not checked")
    for name in ("certs", "migrate"):
        expect(services[name].get("restart") == "no", f"{name}: runs more than once")
    migrate = services["migrate"]
    config = Path(mounted(migrate)["/etc/tandem/tandem.toml"]).read_text(encoding="utf-8")
    accepts("migrate", config, migrate["environment"])
    for name, service in services.items():
        tag = service["image"].rpartition(":")[2]
        expect(":" in service["image"] and tag != "latest", f"{name}: the image {service['image']} is not pinned")


# --- Dockerfile ---


def numbers(version):
    return [int(part) for part in version.split(".")]


def check_dockerfile(path):
    text = re.sub(r"\\\n\s*", " ", Path(path).read_text(encoding="utf-8"))
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    bases = [rest.split()[0] for word, rest in lines if word == "FROM"]
    for base in bases:
        expect(":" in base and not base.endswith(":latest"), f"the base {base} is not pinned")
    releases = {re.search(r"bookworm|trixie|bullseye|alpine", base)[0] for base in bases}
    expect(len(releases) == 1, f"the stages are of different systems: {releases}")
    last = next(n for n in reversed(range(len(lines))) if lines[n][0] == "FROM")
    final = lines[last + 1:]
    users = [rest for word, rest in final if word == "USER"]
    expect(users and not users[-1].startswith(("0", "root")), "the image runs as root")
    demanded = {"STOPSIGNAL": "SIGTERM", "HEALTHCHECK": "/readyz", "VOLUME": "/data", "ENTRYPOINT": "tandem"}
    for word, wanted in demanded.items():
        expect(any(w == word and wanted in rest for w, rest in final), f"the image has no {word} with {wanted}")
    needed = re.search(r'^rust-version = "([\d.]+)"', Path("Cargo.toml").read_text(encoding="utf-8"), re.M)[1]
    rust = next(b for b in bases if b.startswith("rust:")).split(":")[1].split("-")[0]
    expect(numbers(rust) >= numbers(needed), f"Rust {rust} is older than {needed}")
    ignored = [l.rstrip("/") for l in Path(".dockerignore").read_text(encoding="utf-8").split()]
    for word, rest in lines:
        parts = [p for p in rest.split() if not p.startswith("--")]
        if word != "COPY" or "--from=" in rest:
            continue
        for source in parts[:-1]:
            expect(Path(source).exists(), f"COPY {source}: it is not there")
            hidden = any(source == i or source.startswith(f"{i}/") for i in ignored)
            expect(not hidden, f"COPY {source}: .dockerignore hides it")


def main():
    checks = {"chart": check_chart, "compose": check_compose, "dockerfile": check_dockerfile}
    if len(sys.argv) < 3 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    guarded(checks[sys.argv[1]], *sys.argv[2:])
    for failure in failures:
        print(f"check: {sys.argv[1]}: {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


main()
