"""Files of the stand-ins (stand_ins.py): scripts that an image is, and what manifests' commands and probes call in the others."""

from __future__ import annotations

from ..image import Entry, Tree

ENTRY = "stand-in"

# Who else is behind the Service is who came before: the first of all begins a cluster (kubernetes/contrib, pets/peer-finder with on-start.sh)
PEERS = """for word; do case $word in -service=*|--service=*) service=${word#*=} ;; esac; done
own=$(hostname -i)
for address in $(getent ahostsv4 "$service" | cut -d' ' -f1 | sort -u); do
  [ "$address" = "$own" ] || touch /cockroach/cockroach-data/cluster_exists_marker
done
exit 0
"""

# repositories | a script that the image runs
SCRIPTS: dict[str, str] = {
    # TCP-LISTEN:PORT[,fork] TCP:HOST:PORT and their other spellings (socat's manual, address types)
    "docker.io/alpine/socat": 'from=${1%%,*}\ncase $1 in *,fork*) keep=--keep-open ;; esac\nto=${2#*:}\n'
    'exec ncat --listen $keep ${from##*:} -c "ncat ${to%%:*} ${to##*:}"\n',
    "registry.k8s.io/cuda-vector-add": 'echo "[Vector addition of 50000 elements]"\necho "Test PASSED"\necho "Done"\n',
    "registry.k8s.io/ingress-nginx/kube-webhook-certgen": 'echo "secret created"\n',
    "docker.io/cockroachdb/cockroach-k8s-init": PEERS,
    "registry.k8s.io/startup-script": 'while :; do bash -c "$STARTUP_SCRIPT"; sleep 3600; done\n',
    "registry.k8s.io/example-dns-frontend": "exec sleep infinity\n",
    "docker.io/resouer/sample": "cp /sample.war /app\nexec sleep infinity\n",  # v1 is a sidecar, v2 runs with a command of the manifest's
    "docker.io/luksa/quiz-db-initializer": 'echo "Database initialized."\n',
    "docker.io/k8spatterns/random-generator-runner": 'echo "$(date),$RANDOM"\n',
}

# Asks until it is answered, then ends (kubernetes/examples, staging/cluster-dns/images/frontend/client.py)
CLIENT = """#!/bin/sh
until answer=$(curl -sf "$2"); do echo "Failed to connect to $2"; sleep 1; done
echo "$answer"
"""

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
    "registry.k8s.io/spark": {"start-master": Entry("#!/bin/sh\nexec spark\n", mode=0o755),
                              "start-worker": Entry("#!/bin/sh\nexec spark --port=8081\n", mode=0o755)},
    "docker.io/cockroachdb/cockroach": {"cockroach": {"cockroach": Entry(program=ENTRY, size=60_000_000), "cockroach-data": {}},
                                        "usr": {"bin": {"bash": Entry(program="sh", size=1_200_000)}}},
    "docker.io/resouer/mytomcat": {"root": {"apache-tomcat-7.0.42-v2": {"webapps": {}, "bin": {
        "start.sh": Entry("#!/bin/sh\nexec mytomcat\n", mode=0o755)}}}},
    "docker.io/newrelic/infrastructure": {"usr": {"bin": {"newrelic-infra": Entry(program=ENTRY, size=20_000_000)}}},
    "docker.io/newrelic/nrsysmond": {"usr": {"sbin": {"nrsysmond": Entry(program=ENTRY, size=20_000_000)}}},
    "docker.io/vllm/vllm-openai": {"usr": {"bin": {"python3": Entry(program=ENTRY, size=8_000_000), "vllm": Entry(program=ENTRY, size=8_000_000)}}},
    # the documentation's frontend: python client.py URL
    "registry.k8s.io/example-dns-frontend": {"usr": {"bin": {"python": Entry(CLIENT, mode=0o755)}}},
    "docker.io/resouer/sample": {"sample.war": "PK\n"},
}  # fmt: skip

for _name in ("fluentd-gcp", "cloud-controller-manager"):  # the registry's name until 2023
    TOOLS[f"k8s.gcr.io/{_name}"] = TOOLS[f"registry.k8s.io/{_name}"]
