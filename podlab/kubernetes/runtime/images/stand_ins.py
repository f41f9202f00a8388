"""Stand-ins for public images that books and the documentation name: each starts, listens where the real one does, and stays.

What runs inside is one small program, told by the table what it says and where it listens, or a shell script where the real image
is one. A stand-in answers every HTTP request with its one sentence and keeps any other connection open. The tags are not listed:
whatever looks like a version is there (`VERSIONS` in image.py).
"""

from __future__ import annotations

from typing import NamedTuple

from ...times import stamp
from .. import grpc_health, http
from ..http import text_answer
from ..image import VERSIONS, Entry, Image, Tree, add, canonical
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Program, register
from ..serving import Answer, ends_at_once, feed_http, listen_on, secured, serve
from ..system import Sys
from .base import PATH, base_tree, merge

ENV = {"PATH": PATH}
SIZE = 60_000_000  # of a pull, about a slim image with one program
ENTRY = "stand-in"
SECURE = {port: {"name": "localhost"} for port in (443, 10250, 10257, 10259)}
"""Where Kubernetes' own components and an ingress controller speak TLS, with a certificate that nobody has a reason to trust."""
GRPC = (2379,)  # etcd's client port answers health checks
EXTRA = ("curl", "ncat", "mysqladmin", "mysql")
LISTENING = ("--listen-address", "--listen-port", "--port", "--http-port", "--agent-port", "--admin-port", "--health-port", "--admin-server-port",
             "--health-server-port")  # fmt: skip


class Kind(NamedTuple):
    """What one stand-in does."""

    name: str
    ports: tuple[int, ...]
    says: str


STAND_INS: dict[str, Kind] = {}
"""By repository."""


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    if grpc_health.is_check(request):
        return grpc_health.reply() if port in GRPC else text_answer("404 page not found\n", 404)
    text = _kind(sys).says.format(host=sys.hostname, ip=sys.sandbox["ip"], peer=peer, tag=canonical(sys.container["image"])[1])
    return text_answer(text + "\n", kind="application/json" if text.startswith("{") else "text/plain; charset=utf-8")


def _kind(sys: Sys) -> Kind:
    return STAND_INS[canonical(sys.container["image"])[0]]


def _ports(proc: Process, sys: Sys) -> list[int]:
    """The image's ports, or those that the command line asks for (--listen-address :80, --port=8080)."""
    asked: dict[int, None] = {}
    for at, word in enumerate(proc["argv"][1:], start=1):
        option, _, value = word.partition("=")
        value = value or (proc["argv"][at + 1] if at + 1 < len(proc["argv"]) else "")
        port = value.rpartition(":")[2]
        if option in LISTENING and port.isdigit() and 0 < int(port) < 65536:
            asked[int(port)] = None
    return list(asked) or list(_kind(sys).ports)


def _run(proc: Process, sys: Sys, event: Data | None) -> int:
    if "listening" not in proc["data"]:
        ports = _ports(proc, sys)
        try:
            listen_on(proc, sys, ports)
        except Errno as error:
            sys.err(f"listen tcp: bind: {error.text.lower()}\n")
            return 1
        shown = f", listening on {', '.join(str(port) for port in ports)}" if ports else ""
        sys.out(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} {_kind(sys).name} started{shown}\n")
    return serve(proc, sys, secured(lambda proc, sys, fd, connection, closed: feed_http(proc, sys, fd, connection, _answer), SECURE))


register(Program(ENTRY, lambda proc, sys: _run(proc, sys, None), _run, ends_at_once, 24 * MEBIBYTE))

# repositories | ports | what it says to a request ({host}, {ip}, {peer}, {tag} are filled in)
SERVERS = """
docker.io/luksa/quote-api | 8080 | Quote of the moment from {host}
docker.io/nginxdemos/hello docker.io/nginxdemos/nginx-hello | 80 8080 | Server address: {ip}:80
gcr.io/kuar-demo/kuard-amd64 | 8080 | KUAR Demo {tag} on {host}
docker.io/bitnami/wordpress | 8080 | WordPress
docker.io/library/ghost | 2368 | Ghost
docker.io/library/tomcat docker.io/bitnami/tomcat docker.io/jenkins/jenkins | 8080 50000 | {host}
docker.io/library/drupal docker.io/library/joomla docker.io/library/nextcloud docker.io/library/phpmyadmin | 80 | {host}
docker.io/library/caddy | 80 | {host}
docker.io/library/adminer docker.io/library/traefik | 8080 | {host}
docker.io/library/registry | 5000 | {{}}
docker.io/grafana/grafana | 3000 | Grafana
docker.io/prom/prometheus quay.io/prometheus/prometheus | 9090 | Prometheus Server is Ready.
docker.io/prom/node-exporter quay.io/prometheus/node-exporter | 9100 | Node Exporter
docker.io/prom/alertmanager quay.io/prometheus/alertmanager | 9093 | Alertmanager
docker.io/kicbase/echo-server docker.io/jmalloc/echo-server | 8080 | Request served by {host}
docker.io/ealen/echo-server docker.io/mendhak/http-https-echo | 80 8080 | {{"host":"{host}"}}
docker.io/paulbouwer/hello-kubernetes | 8080 | Hello Kubernetes! {host}
docker.io/stefanprodan/podinfo ghcr.io/stefanprodan/podinfo | 9898 9999 | {{"hostname":"{host}","version":"{tag}"}}
docker.io/istio/examples-bookinfo-productpage-v1 docker.io/istio/examples-bookinfo-details-v1 | 9080 | {{}}
docker.io/istio/examples-bookinfo-ratings-v1 | 9080 | {{}}
docker.io/istio/examples-bookinfo-reviews-v1 docker.io/istio/examples-bookinfo-reviews-v2 docker.io/istio/examples-bookinfo-reviews-v3 | 9080 | {{}}
gcr.io/google-samples/gb-frontend gcr.io/google_samples/gb-frontend us-docker.pkg.dev/google-samples/containers/gke/gb-frontend | 80 | Guestbook
docker.io/corelab/gb-frontend | 80 | Guestbook
registry.k8s.io/guestbook k8s.gcr.io/guestbook | 3000 | Guestbook
gcr.io/google-samples/hello-go-gke us-docker.pkg.dev/google-samples/containers/gke/hello-go-gke | 80 | {{"message":"Hello"}}
gcr.io/google-samples/hello-frontend us-docker.pkg.dev/google-samples/containers/gke/hello-frontend | 80 | {{"message":"Hello"}}
us-docker.pkg.dev/google-samples/containers/gke/whereami gcr.io/google-samples/whereami | 8080 | {{"pod_name":"{host}"}}
registry.k8s.io/goproxy k8s.gcr.io/goproxy | 8080 |
registry.k8s.io/serve_hostname k8s.gcr.io/serve_hostname gcr.io/google_containers/serve_hostname | 9376 | {host}
registry.k8s.io/test-webserver k8s.gcr.io/test-webserver gcr.io/google_containers/test-webserver | 80 | {host}
registry.k8s.io/etcd k8s.gcr.io/etcd quay.io/coreos/etcd gcr.io/etcd-development/etcd | 2379 2380 | {{"health":"true"}}
registry.k8s.io/coredns/coredns docker.io/coredns/coredns | 8080 8181 9153 | OK
registry.k8s.io/metrics-server/metrics-server | 10250 | ok
registry.k8s.io/ingress-nginx/controller | 80 443 10254 | ok
registry.k8s.io/kube-scheduler registry.k8s.io/kube-controller-manager registry.k8s.io/cloud-controller-manager | 10259 | ok
k8s.gcr.io/cloud-controller-manager | 10258 | ok
registry.k8s.io/kas-network-proxy/proxy-server | 8090 8091 8095 8134 8132 8133 8092 | ok
registry.k8s.io/kas-network-proxy/proxy-agent us.gcr.io/k8s-artifacts-prod/kas-network-proxy/proxy-agent | 8093 8094 | ok
docker.io/library/cassandra gcr.io/google-samples/cassandra | 9042 7000 7001 7199 |
docker.io/library/zookeeper docker.io/bitnami/zookeeper docker.io/confluentinc/cp-zookeeper | 2181 2888 3888 |
docker.io/apache/kafka docker.io/bitnami/kafka docker.io/confluentinc/cp-kafka | 9092 |
docker.io/library/influxdb | 8086 | {{}}
docker.io/library/couchdb | 5984 | {{"couchdb":"Welcome"}}
docker.io/library/nats | 4222 8222 | {{}}
docker.io/library/eclipse-mosquitto | 1883 |
docker.io/bitnami/nginx | 8080 | Welcome to nginx!
docker.io/bitnami/postgresql | 5432 |
docker.io/bitnami/mysql docker.io/bitnami/mariadb | 3306 |
docker.io/bitnami/mongodb | 27017 |
docker.io/minio/minio quay.io/minio/minio | 9000 9001 | MinIO
docker.io/hashicorp/vault docker.io/library/vault | 8200 | {{}}
docker.io/hashicorp/consul docker.io/library/consul | 8500 8600 | {{}}
docker.io/selenium/hub | 4444 | {{}}
registry.k8s.io/volume-nfs k8s.gcr.io/volume-nfs gcr.io/google_containers/volume-nfs docker.io/itsthenetwork/nfs-server-alpine | 2049 20048 111 |
registry.k8s.io/fluentd-gcp k8s.gcr.io/fluentd-gcp quay.io/fluentd_elasticsearch/fluentd k8s.gcr.io/fluentd-elasticsearch | |
registry.k8s.io/fluentd-elasticsearch gcr.io/google-containers/fluentd-elasticsearch registry.k8s.io/prometheus-to-sd | |
registry.k8s.io/node-problem-detector k8s.gcr.io/node-problem-detector registry.k8s.io/event-exporter k8s.gcr.io/event-exporter | |
registry.k8s.io/kube-proxy registry.k8s.io/node-problem-detector/node-problem-detector registry.k8s.io/dra-example-driver/dra-example-driver | |
registry.k8s.io/cpa/cluster-proportional-autoscaler k8s.gcr.io/cluster-proportional-autoscaler-amd64 | |
registry.k8s.io/cluster-proportional-autoscaler-amd64 registry.k8s.io/git-sync/git-sync docker.io/luksa/website-controller | |
quay.io/mhausenblas/yages | 9000 |
"""

# repositories | a script that the image runs
SCRIPTS = {
    # TCP-LISTEN:PORT[,fork] TCP:HOST:PORT and their other spellings (socat's manual, address types)
    "docker.io/alpine/socat": 'from=${1%%,*}\ncase $1 in *,fork*) keep=--keep-open ;; esac\nto=${2#*:}\n'
    'exec ncat --listen $keep ${from##*:} -c "ncat ${to%%:*} ${to##*:}"\n',
    "registry.k8s.io/cuda-vector-add": 'echo "[Vector addition of 50000 elements]"\necho "Test PASSED"\necho "Done"\n',
    "registry.k8s.io/ingress-nginx/kube-webhook-certgen": 'echo "secret created"\n',
}

# images with a shell and tools, and nothing that they do by themselves | distribution
SHELLS = {
    "docker.io/library/fedora": "ubuntu", "docker.io/library/centos": "ubuntu", "docker.io/library/rockylinux": "ubuntu",
    "docker.io/library/almalinux": "ubuntu", "docker.io/library/amazonlinux": "ubuntu", "docker.io/library/oraclelinux": "ubuntu",
    "docker.io/library/archlinux": "ubuntu", "docker.io/library/opensuse": "ubuntu", "registry.access.redhat.com/ubi8/ubi": "ubuntu",
    "registry.access.redhat.com/ubi9/ubi": "ubuntu", "docker.io/library/golang": "debian", "docker.io/library/ruby": "debian",
    "docker.io/library/php": "debian", "docker.io/library/openjdk": "debian", "docker.io/library/eclipse-temurin": "ubuntu",
    "docker.io/library/maven": "ubuntu", "docker.io/library/gradle": "ubuntu", "docker.io/library/rust": "debian",
    "docker.io/library/gcc": "debian", "docker.io/library/buildpack-deps": "debian", "docker.io/library/docker": "alpine",
    "docker.io/alpine/git": "alpine", "docker.io/alpine/curl": "alpine", "docker.io/tutum/curl": "ubuntu",
    "docker.io/amazon/aws-cli": "ubuntu",
    "docker.io/google/cloud-sdk": "debian", "gcr.io/google-samples/xtrabackup": "debian", "docker.io/library/ubuntu-upstart": "ubuntu",
}  # fmt: skip

# Who is in the ring is who the seeds' Service names; what a node holds is not kept count of (the Cassandra tutorial shows this table)
NODETOOL = r"""#!/bin/bash
case $1 in
  status)
    printf 'Datacenter: %s\n%s\n' "${CASSANDRA_DC:-datacenter1}" "$(echo "Datacenter: ${CASSANDRA_DC:-datacenter1}" | sed 's/./=/g')"
    printf 'Status=Up/Down\n|/ State=Normal/Leaving/Joining/Moving\n'
    printf '%-2s  %-12s %-10s %-12s %-17s %-37s %s\n' -- Address Load Tokens 'Owns (effective)' 'Host ID' Rack
    ring=$(getent ahostsv4 "${CASSANDRA_SEEDS#*.}" | cut -d' ' -f1 | sort -u)
    set -- ${ring:-$(hostname -i)}
    share=$((1000 / $#))
    for address; do
      id=$(echo "$address" | md5sum | cut -c1-32 | sed 's/\(.\{8\}\)\(.\{4\}\)\(.\{4\}\)\(.\{4\}\)/\1-\2-\3-\4-/')
      printf '%-2s  %-12s %-10s %-12s %-17s %-37s %s\n' UN $address '103.8 KiB' 32 "$((share / 10)).$((share % 10))%" $id "${CASSANDRA_RACK:-rack1}"
    done ;;
  version) echo "ReleaseVersion: 3.11.2" ;;
  drain|flush|cleanup|repair) ;;
  *) echo "nodetool: Found unexpected parameters: [$*]" >&2; exit 1 ;;
esac
"""

# What readiness checks and start commands of these images call
TOOLS: dict[str, Tree] = {
    # writes where its configuration has the buffers, by whose age the add-on's liveness probe judges it
    "registry.k8s.io/fluentd-gcp": {"run.sh": Entry("#!/bin/sh\nmkdir -p /var/log/fluentd-buffers\nexec fluentd-gcp\n", mode=0o755)},
    "gcr.io/google-samples/cassandra": {"ready-probe.sh": Entry("#!/bin/sh\nnodetool status | grep -q '^UN'\n", mode=0o755),
                                        "usr": {"bin": {"nodetool": Entry(NODETOOL, mode=0o755)}}},
    "docker.io/library/cassandra": {"usr": {"bin": {"nodetool": Entry(NODETOOL, mode=0o755)}}},
    "registry.k8s.io/etcd": {"usr": {"local": {"bin": {"etcd": Entry(program=ENTRY, size=25_000_000)}}}},
    "gcr.io/google-samples/xtrabackup": {"usr": {"bin": {name: Entry(program=name, size=9_000_000) for name in ("xtrabackup", "xbstream", "mysql")}}},
    "registry.k8s.io/dra-example-driver/dra-example-driver": {"usr": {"bin": {"dra-example-kubeletplugin": Entry(program=ENTRY, size=40_000_000)}}},
    "registry.k8s.io/kube-scheduler": {"usr": {"local": {"bin": {"kube-scheduler": Entry(program=ENTRY, size=60_000_000)}}}},
    "registry.k8s.io/cloud-controller-manager": {"bin": {"cloud-controller-manager": Entry(program=ENTRY, size=60_000_000)}},
}  # fmt: skip

for _name in ("fluentd-gcp", "cloud-controller-manager"):  # the registry's name until 2023
    TOOLS[f"k8s.gcr.io/{_name}"] = TOOLS[f"registry.k8s.io/{_name}"]


def _fill() -> None:
    for line in SERVERS.strip().splitlines():
        repositories, ports, says = (part.strip() for part in line.split("|"))
        for repository in repositories.split():
            name = repository.rpartition("/")[2]
            found = STAND_INS[repository] = Kind(name, tuple(int(port) for port in ports.split()), says)
            program = Entry(program=ENTRY, size=20_000_000)
            own: Tree = {name: program, "usr": {"local": {"bin": {name: program}}}}  # images of one Go program have it in /
            tree = merge(base_tree("debian", own, extra=EXTRA), TOOLS.get(repository, {}))
            add(Image(repository, (VERSIONS,), tree, SIZE, entrypoint=(name,), env=ENV, ports=found.ports))
    for repository, script in SCRIPTS.items():
        name = repository.rpartition("/")[2]
        tree = base_tree("debian", {"bin": {name: Entry(f"#!/bin/sh\n{script}", mode=0o755)}}, extra=EXTRA)
        add(Image(repository, (VERSIONS,), tree, SIZE, entrypoint=(f"/bin/{name}",), env=ENV))
    for repository, distribution in SHELLS.items():
        tree = merge(base_tree(distribution, extra=EXTRA), TOOLS.get(repository, {}))
        add(Image(repository, (VERSIONS,), tree, SIZE, cmd=("sh",), env=ENV))


# The artifact that the documentation of image volumes mounts: files without a program
ARTIFACT: Tree = {"dir": {"file": "1\n"}, "file": "2\n"}
add(Image("quay.io/crio/artifact", (VERSIONS,), ARTIFACT, 20_480, cmd=("none",), env={}))
_fill()
