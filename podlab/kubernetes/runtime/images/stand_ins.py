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
from ..image import VERSIONS, Entry, Image, Tree, add, canonical, find
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Program, register
from ..serving import Answer, ends_at_once, feed_http, listen_on, secured, serve
from ..system import Sys
from .base import PATH, base_tree, merge
from .stand_in_files import ENTRY, SCRIPTS, TOOLS

ENV = {"PATH": PATH}
SIZE = 60_000_000  # of a pull, about a slim image with one program
SECURE = {port: {"name": "localhost"} for port in (443, 10250, 10257, 10259)}
"""Where Kubernetes' own components and an ingress controller speak TLS, with a certificate that nobody has a reason to trust."""
GRPC = (2379,)  # etcd's client port answers health checks
EXTRA = ("curl", "ncat", "mysqladmin", "mysql")
LISTENING = ("--listen-address", "--listen-port", "--port", "--http-port", "--agent-port", "--admin-port", "--health-port", "--admin-server-port",
             "--health-server-port", "--rest_api_port", "-port", "--http_port")  # fmt: skip


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
    found = find(sys.container["image"])  # under its own name, whatever registry's name it was asked for by
    return STAND_INS[found.name if found is not None else canonical(sys.container["image"])[0]]


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
docker.io/selenium/hub docker.io/selenium/standalone-chrome docker.io/selenium/standalone-firefox | 4444 | {{"value":{{"ready":true}}}}
docker.io/selenium/node-chrome docker.io/selenium/node-chrome-debug docker.io/selenium/node-firefox | 5555 5900 | {{}}
docker.io/selenium/node-firefox-debug docker.io/selenium/node-edge | 5555 5900 | {{}}
quay.io/pires/hazelcast-kubernetes docker.io/hazelcast/hazelcast docker.io/hazelcast/hazelcast-kubernetes | 5701 | {{"nodeState":"ACTIVE"}}
registry.k8s.io/rethinkdb docker.io/library/rethinkdb | 8080 28015 29015 | RethinkDB Administration Console
registry.k8s.io/spark docker.io/apache/spark docker.io/bitnami/spark | 7077 8080 | Spark Master at spark://{host}:7077
registry.k8s.io/zeppelin docker.io/apache/zeppelin | 8080 | Zeppelin
docker.io/mattf/storm-nimbus | 6627 |
docker.io/mattf/storm-worker | 6700 6701 6702 6703 |
docker.io/mattf/zookeeper | 2181 2888 3888 |
docker.io/cockroachdb/cockroach | 26257 8080 | ok
registry.k8s.io/elasticsearch quay.io/pires/docker-elasticsearch-kubernetes | 9200 9300 | {{"name":"{host}","tagline":"You Know, for Search"}}
docker.io/resouer/mytomcat | 8080 | Sample "Hello, World" Application
docker.io/openshift/origin | 8443 53 | ok
docker.io/openshift/etcd-20-centos7 | 2379 2380 | {{"health":"true"}}
docker.io/linsun/guestbook docker.io/ibmcom/guestbook docker.io/istio/examples-guestbook docker.io/kubernetes/guestbook | 3000 | Guestbook
docker.io/linsun/analyzer docker.io/ibmcom/analyzer | 80 | []
docker.io/kubernetes/example-guestbook-php-redis | 80 | Guestbook
docker.io/newrelic/infrastructure docker.io/newrelic/nrsysmond docker.io/sysdig/agent docker.io/sysdig/falco docker.io/falcosecurity/falco | |
docker.io/endocode/celery-app-add docker.io/endocode/flower | 5555 | Flower
registry.k8s.io/nfs-data | 2049 20048 111 |
registry.k8s.io/explorer | 8080 | {host}
registry.k8s.io/example-dns-backend | 8000 | Hello World!
docker.io/tensorflow/serving | 8500 8501 | {{"model_version_status":[{{"version":"1","state":"AVAILABLE"}}]}}
docker.io/vllm/vllm-openai | 8000 | {{"object":"list","data":[]}}
docker.io/ollama/ollama | 11434 | Ollama is running
quay.io/ramalama/ramalama | 8080 | ok
docker.io/jupyterhub/k8s-hub quay.io/jupyterhub/k8s-hub | 8081 | {{"version":"{tag}"}}
nvcr.io/nvidia/k8s/dcgm-exporter | 9400 | # DCGM
docker.io/nvidia/k8s-device-plugin nvcr.io/nvidia/k8s-device-plugin | |
registry.k8s.io/prometheus-adapter/prometheus-adapter | 6443 | ok
registry.k8s.io/sig-storage/csi-provisioner registry.k8s.io/sig-storage/csi-attacher registry.k8s.io/sig-storage/csi-resizer | 8080 | ok
registry.k8s.io/sig-storage/csi-snapshotter registry.k8s.io/sig-storage/livenessprobe | 9808 | ok
registry.k8s.io/sig-storage/csi-node-driver-registrar registry.k8s.io/sig-storage/hostpathplugin registry.k8s.io/sig-storage/snapshot-controller | |
registry.k8s.io/sig-storage/nfs-provisioner registry.k8s.io/sig-storage/nfs-subdir-external-provisioner | |
quay.io/external_storage/nfs-client-provisioner quay.io/k8scsi/csi-provisioner registry.k8s.io/networking/ip-masq-agent | |
registry.k8s.io/ip-masq-agent-amd64 registry.k8s.io/dns/k8s-dns-node-cache docker.io/gluster/gluster-centos | |
docker.io/fluent/fluentd-kubernetes-daemonset | 24231 | # fluentd
registry.k8s.io/kube-apiserver | 6443 | ok
registry.k8s.io/heapster-amd64 | 8082 | ok
registry.k8s.io/leader-elector | 4040 | {{"name":"{host}"}}
registry.k8s.io/defaultbackend registry.k8s.io/defaultbackend-amd64 | 8080 | default backend - 404
registry.k8s.io/nginx-ingress-controller quay.io/kubernetes-ingress-controller/nginx-ingress-controller | 80 443 10254 | ok
docker.io/nginx/nginx-ingress | 80 443 8081 | ok
docker.io/kubernetesui/dashboard registry.k8s.io/kubernetes-dashboard-amd64 | 9090 8443 | Kubernetes Dashboard
docker.io/kubernetesui/metrics-scraper | 8000 | ok
quay.io/keycloak/keycloak docker.io/jboss/keycloak | 8080 9000 | {{"status":"UP"}}
docker.io/library/mongo-express | 8081 | Mongo Express
docker.io/library/kibana | 5601 | {{"status":{{"overall":{{"level":"available"}}}}}}
docker.io/library/logstash | 5044 9600 | {{"status":"green"}}
docker.io/library/haproxy docker.io/library/varnish | 80 | {host}
docker.io/library/kong | 8000 8001 | {{}}
docker.io/jaegertracing/all-in-one | 16686 14268 14269 | Jaeger UI
docker.io/openzipkin/zipkin | 9411 | {{"status":"UP"}}
docker.io/library/sonarqube | 9000 | SonarQube
docker.io/sonatype/nexus3 | 8081 | Nexus
docker.io/gitea/gitea | 3000 22 | Gitea
docker.io/jboss/wildfly docker.io/arungupta/wildfly-mysql-javaee7 | 8080 9990 | Welcome to WildFly
docker.io/dockersamples/examplevotingapp_vote docker.io/dockersamples/examplevotingapp_result | 80 | {host}
docker.io/kodekloud/examplevotingapp_vote docker.io/kodekloud/examplevotingapp_result | 80 | {host}
docker.io/dockersamples/examplevotingapp_worker docker.io/kodekloud/examplevotingapp_worker docker.io/kodekloud/event-simulator | |
docker.io/kodekloud/webapp-color docker.io/argoproj/rollouts-demo | 8080 | Hello from {host}
docker.io/tutum/hello-world docker.io/crccheck/hello-world | 80 8000 | Hello {host}
docker.io/vad1mo/hello-world-rest docker.io/training/webapp | 5050 5000 | Hello world!
docker.io/k8spatterns/random-generator | 8080 | {{"random":42,"id":"{host}"}}
mcr.microsoft.com/azuredocs/azure-vote-front mcr.microsoft.com/azuredocs/aks-helloworld | 80 | Azure Voting App
docker.io/weaveworksdemos/front-end | 8079 | Socks
docker.io/weaveworksdemos/carts docker.io/weaveworksdemos/catalogue docker.io/weaveworksdemos/orders docker.io/weaveworksdemos/payment | 80 | {{}}
docker.io/weaveworksdemos/shipping docker.io/weaveworksdemos/user docker.io/weaveworksdemos/queue-master | 80 | {{}}
registry.k8s.io/update-demo | 80 | {{"image":"{tag}.jpg"}}
docker.io/library/elasticsearch | 9200 9300 | {{"name":"{host}","status":"green","tagline":"You Know, for Search"}}
docker.elastic.co/elasticsearch/elasticsearch | 9200 9300 | {{"name":"{host}","status":"green","tagline":"You Know, for Search"}}
docker.io/google/cadvisor gcr.io/cadvisor/cadvisor | 8080 | ok
registry.k8s.io/volume-nfs k8s.gcr.io/volume-nfs gcr.io/google_containers/volume-nfs docker.io/itsthenetwork/nfs-server-alpine | 2049 20048 111 |
registry.k8s.io/fluentd-gcp k8s.gcr.io/fluentd-gcp quay.io/fluentd_elasticsearch/fluentd k8s.gcr.io/fluentd-elasticsearch | |
registry.k8s.io/fluentd-elasticsearch gcr.io/google-containers/fluentd-elasticsearch registry.k8s.io/prometheus-to-sd | |
registry.k8s.io/node-problem-detector k8s.gcr.io/node-problem-detector registry.k8s.io/event-exporter k8s.gcr.io/event-exporter | |
registry.k8s.io/kube-proxy registry.k8s.io/node-problem-detector/node-problem-detector registry.k8s.io/dra-example-driver/dra-example-driver | |
registry.k8s.io/cpa/cluster-proportional-autoscaler k8s.gcr.io/cluster-proportional-autoscaler-amd64 | |
registry.k8s.io/cluster-proportional-autoscaler-amd64 registry.k8s.io/git-sync/git-sync docker.io/luksa/website-controller | |
quay.io/mhausenblas/yages | 9000 |
"""

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
    "docker.io/amazon/aws-cli": "ubuntu", "docker.io/giantswarm/tiny-tools": "alpine", "docker.io/appropriate/curl": "alpine",
    "mcr.microsoft.com/azure-cli": "debian", "docker.io/nvidia/cuda": "ubuntu",
    "docker.io/google/cloud-sdk": "debian", "gcr.io/google-samples/xtrabackup": "debian", "docker.io/library/ubuntu-upstart": "ubuntu",
}  # fmt: skip

NAMED_TAGS = {
    "registry.k8s.io/update-demo": ("kitten", "nautilus"),
    "docker.io/arungupta/wildfly-mysql-javaee7": ("knetes",),
    "docker.io/nginxdemos/hello": ("plain-text",),
    "docker.io/dockersamples/examplevotingapp_vote": ("before", "after"),
    "docker.io/dockersamples/examplevotingapp_result": ("before", "after"),
}


def _fill() -> None:
    for line in SERVERS.strip().splitlines():
        repositories, ports, says = (part.strip() for part in line.split("|"))
        for repository in repositories.split():
            name = repository.rpartition("/")[2]
            found = STAND_INS[repository] = Kind(name, tuple(int(port) for port in ports.split()), says)
            program = Entry(program=ENTRY, size=20_000_000)
            own: Tree = {name: program, "usr": {"local": {"bin": {name: program}}}}  # images of one Go program have it in /
            tree = merge(base_tree("debian", own, extra=EXTRA), TOOLS.get(repository, {}))
            tags = (VERSIONS, *NAMED_TAGS.get(repository, ()))
            add(Image(repository, tags, tree, SIZE, entrypoint=(name,), env=ENV, ports=found.ports))
    for repository, script in SCRIPTS.items():
        name = repository.rpartition("/")[2]
        tree = merge(base_tree("debian", {"bin": {name: Entry(f"#!/bin/sh\n{script}", mode=0o755)}}, extra=EXTRA), TOOLS.get(repository, {}))
        add(Image(repository, (VERSIONS,), tree, SIZE, entrypoint=(f"/bin/{name}",), env=ENV))
    for repository, distribution in SHELLS.items():
        tree = merge(base_tree(distribution, extra=EXTRA), TOOLS.get(repository, {}))
        add(Image(repository, (VERSIONS,), tree, SIZE, cmd=("sh",), env=ENV))


# The artifact that the documentation of image volumes mounts: files without a program
ARTIFACT: Tree = {"dir": {"file": "1\n"}, "file": "2\n"}
add(Image("quay.io/crio/artifact", (VERSIONS,), ARTIFACT, 20_480, cmd=("none",), env={}))
_fill()
