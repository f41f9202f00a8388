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

# A unit of work is 32 bytes of the rng, hashed by the hasher; how many there were is added up in redis (dockercoins/worker/worker.py)
COINS = """while :; do
  units=0
  for turn in 1 2 3 4; do
    if ! curl -sf http://rng/32 | curl -sf -H 'Content-Type: application/octet-stream' --data-binary @- http://hasher/ > /dev/null; then
      echo "ERROR:__main__:In work loop:" >&2
      echo "INFO:__main__:Waiting 10s and restarting." >&2
      sleep 10
      continue 2
    fi
    units=$((units + 1))
    sleep 0.25
  done
  echo "INFO:__main__:$units units of work done, updating hash counter" >&2
  printf 'INCRBY hashes %s\\r\\nQUIT\\r\\n' $units | ncat redis 6379 > /dev/null
done
"""

# Every connection is answered line by line, with a word before it (istio/istio samples/tcp-echo: PORT[,PORT...] PREFIX)
ECHO = """for port in $(echo "$1" | tr , ' '); do
  echo "listening on  [::]:$port , prefix: $2"
  ncat --listen --keep-open $port -c "while IFS= read -r line; do echo \\"$2 \\$line\\"; done" &
done
wait
"""

# A place that looks like what git-sync makes: a link to what was cloned (kubernetes/git-sync README, v3 and v4)
GIT_SYNC = """root=${GITSYNC_ROOT:-${GIT_SYNC_ROOT:-/tmp/git}}
repo=${GITSYNC_REPO:-$GIT_SYNC_REPO}
link=${GITSYNC_LINK:-${GIT_SYNC_DEST:-${repo##*/}}}
once=${GITSYNC_ONE_TIME:-$GIT_SYNC_ONE_TIME}
for word; do
  case $word in
    --root=*|-root=*) root=${word#*=} ;; --repo=*|-repo=*) repo=${word#*=} ;; --link=*|-dest=*|--dest=*) link=${word#*=} ;;
    --one-time|-one-time|--one-time=true) once=true ;;
  esac
done
[ -n "$repo" ] || { echo 'ERROR: --repo must be specified' >&2; exit 1; }
mkdir -p "$root/.worktrees"
until [ -e "$root/$link" ]; do
  tree=$root/.worktrees/main
  git clone -q "$repo" "$tree" && echo "<h1>$repo</h1>" > "$tree/index.html" && ln -s .worktrees/main "$root/$link" || sleep 10
done
echo "INFO: synced $repo to $root/$link" >&2
[ "$once" = true ] || exec sleep infinity
"""

# What a container may do (genuinetools/amicontained): its runtime, namespaces, capabilities and seccomp, of /proc
CONTAINED = """echo 'Container Runtime: kube'
echo 'Has Namespaces:'
printf '\\tpid: true\\n\\tuser: false\\n'
echo "AppArmor Profile: $(cat /proc/self/attr/current 2> /dev/null || echo unconfined)"
echo 'Capabilities:'
grep -E '^Cap(Bnd|Eff)' /proc/self/status | sed 's/^/\\t/'
case $(grep '^Seccomp:' /proc/self/status) in *2) echo 'Seccomp: filtering' ;; *) echo 'Seccomp: disabled' ;; esac
"""

# repositories | a script that the image runs
SCRIPTS: dict[str, str] = {
    # TCP-LISTEN:PORT[,fork] TCP:HOST:PORT and their other spellings (socat's manual, address types)
    "docker.io/alpine/socat": 'from=${1%%,*}\ncase $1 in *,fork*) keep=--keep-open ;; esac\nto=${2#*:}\n'
    'exec ncat --listen $keep ${from##*:} -c "ncat ${to%%:*} ${to##*:}"\n',
    "docker.io/jpetazzo/clock": "while date; do sleep 1; done\n",
    "docker.io/dockercoins/worker": COINS,
    "docker.io/kodekloud/random-error": "sleep 10\necho 'An unexpected error occurred'\nexit 1\n",
    "registry.k8s.io/cuda-vector-add": 'echo "[Vector addition of 50000 elements]"\necho "Test PASSED"\necho "Done"\n',
    "registry.k8s.io/ingress-nginx/kube-webhook-certgen": 'echo "secret created"\n',
    "docker.io/cockroachdb/cockroach-k8s-init": PEERS,
    "registry.k8s.io/startup-script": 'while :; do bash -c "$STARTUP_SCRIPT"; sleep 3600; done\n',
    "registry.k8s.io/example-dns-frontend": "exec sleep infinity\n",
    "docker.io/resouer/sample": "cp /sample.war /app\nexec sleep infinity\n",  # v1 is a sidecar, v2 runs with a command of the manifest's
    "docker.io/istio/tcp-echo-server": ECHO,
    "registry.k8s.io/git-sync/git-sync": GIT_SYNC,
    "registry.k8s.io/git-sync": GIT_SYNC,
    "docker.io/jess/amicontained": CONTAINED,
    "docker.io/kodekloud/throw-dice": "n=$(shuf -i 1-6 -n 1)\necho $n\n[ $n = 6 ]\n",
    "docker.io/kodekloud/random-number": "shuf -i 0-9 -n 1\n",
    # argosay echo TEXT [FILE] | cat FILE | sleep N | exit N (argoproj-labs/argosay)
    "docker.io/argoproj/argosay": 'case $1 in\n  echo) if [ -n "$3" ]; then echo "$2" > "$3"; else echo "$2"; fi ;;\n  cat) cat "$2" ;;\n'
    '  sleep) sleep "$2" ;;\n  exit) exit "${2:-0}" ;;\n  *) echo "hello argo" ;;\nesac\n',
    "docker.io/docker/whalesay": "exec bash\n",
    # jekyll new DIRECTORY lays down a site (jekyllrb.com, docs/usage)
    "docker.io/kodekloud/jekyll": 'mkdir -p "$2/_posts"\necho "title: Your awesome title" > "$2/_config.yml"\n'
    'printf -- "---\\nlayout: home\\n---\\n" > "$2/index.markdown"\necho "New jekyll site installed in $2."\n',
    "docker.io/luksa/quiz-db-initializer": 'echo "Database initialized."\n',
    # lines like these until somebody stops it (chentex/random-logger)
    "docker.io/chentex/random-logger": "while sleep 1; do\n"
    '  echo "$(date +%Y-%m-%dT%H:%M:%S%z) INFO takes the value and converts it to string."\ndone\n',
    "docker.io/bmuschko/link-extractor": "exec sleep infinity\n",
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

PODCLI = """#!/bin/sh
[ "$1 $2" = 'check http' ] || { echo "podcli: $* is not simulated" >&2; exit 1; }
curl -sf -o /dev/null "$3" || { echo "check failed: $3" >&2; exit 1; }
echo '{"level":"info","msg":"check succeed","address":"'"$3"'"}'
"""

WHALE = """#!/bin/bash
text="$*"
edge=$(printf '%*s' $((${#text} + 2)) '' | tr ' ' -)
printf ' %s \\n< %s >\\n %s \\n    \\\\\\n     \\\\\\n      \\\\\\n' "${edge//-/_}" "$text" "$edge"
echo '        ~~~ ( o  whale  ) ~~~'
"""

# The image's entry point runs what it is told; argocd admin redis-initial-password makes the Secret that the other containers ask for
# (argoproj/argo-cd, cmd/argocd/commands/admin)
ARGOCD = """#!/bin/sh
case $1 in /*) exec "$@" ;; esac
[ "$2" = redis-initial-password ] || exit 0
account=/var/run/secrets/kubernetes.io/serviceaccount
url=https://kubernetes.default.svc/api/v1/namespaces/$(cat $account/namespace)/secrets
secret='{"apiVersion":"v1","kind":"Secret","metadata":{"name":"argocd-redis"},"stringData":{"auth":"'$(hostname | md5sum | cut -c1-16)'"}}'
curl -sk -o /dev/null -X POST -H "Authorization: Bearer $(cat $account/token)" -H 'Content-Type: application/json' -d "$secret" "$url"
echo 'Argo CD Redis secret state confirmed: secret name argocd-redis.'
"""
ARGOCD_PARTS = ("server", "repo-server", "application-controller", "applicationset-controller", "notifications", "dex", "cmp-server")

# What the server says of its start has the form that its configuration gives it (k8spatterns/examples, ConfigurationTemplate)
WILDFLY = r"""#!/bin/sh
conf=/opt/jboss/wildfly/standalone/configuration
for word; do case $word in -Djboss.server.config.dir=*) conf=${word#*=} ;; esac; done
before=$(sed -n 's/.*<pattern-formatter pattern="\([^"%]*\).*/\1/p' "$conf/standalone.xml" 2> /dev/null)
say() { echo "$before$(date +%H:%M:%S),000 INFO  [org.jboss.as$1] (Controller Boot Thread) $2"; }
say .server 'WFLYSRV0212: Resuming server'
say '' 'WFLYSRV0025: WildFly Full started in 2135ms - Server configuration file in use: standalone.xml'
say '' 'WFLYSRV0060: Http management interface listening on http://127.0.0.1:9990/management'
say '' 'WFLYSRV0051: Admin console listening on http://127.0.0.1:9990'
exec wildfly
"""

DONE = Entry("#!/bin/sh\nexit 0\n", mode=0o755)
CALICO: dict[str, Tree] = {
    "node": {"bin": {"calico-node": DONE}},
    "cni": {"opt": {"cni": {"bin": {"install": DONE, "calico-ipam": DONE, "calico": DONE}}}},
    "kube-controllers": {"usr": {"bin": {"check-status": DONE}}},
}

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
    **{name: {"opt": {"jboss": {"wildfly": {"bin": {"standalone.sh": Entry(WILDFLY, mode=0o755)}}}}}
       for name in ("quay.io/wildfly/wildfly", "docker.io/jboss/wildfly")},
    "quay.io/kiali/kiali": {"opt": {"kiali": {"kiali": Entry(program=ENTRY, size=60_000_000)}}},
    "docker.io/wardviaene/k8s-demo": {"usr": {"bin": {"node": Entry(program=ENTRY, size=40_000_000)}}},
    # podcli check http HOST:PORT/PATH (stefanprodan/podinfo, cmd/podcli)
    "ghcr.io/stefanprodan/podinfo": {"usr": {"local": {"bin": {"podcli": Entry(PODCLI, mode=0o755)}}}},
    "docker.io/stefanprodan/podinfo": {"usr": {"local": {"bin": {"podcli": Entry(PODCLI, mode=0o755)}}}},
    # kube-flannel.yml: the first init container copies the plug-in to the node, then the daemon is started where the image has it
    **{name: {"opt": {"bin": {"flanneld": Entry(program=ENTRY, size=40_000_000)}}}
       for name in ("docker.io/flannel/flannel", "quay.io/coreos/flannel")},
    "docker.io/flannel/flannel-cni-plugin": {"flannel": Entry("ELF\n", mode=0o755)},
    "quay.io/argoproj/argocd": {"usr": {"local": {"bin": {"argocd": Entry(ARGOCD, mode=0o755), **{
        f"argocd-{part}": Entry(program=ENTRY, size=150_000_000) for part in ARGOCD_PARTS}}}}},
    # calico.yaml: what its init containers, hooks and probes run (projectcalico/calico, manifests)
    **{f"{registry}/calico/{name}": tree for registry in ("docker.io", "quay.io") for name, tree in CALICO.items()},
    # a configuration is laid beside the program before its entry point is called (Kubernetes: Up and Running, chapter 17)
    "docker.io/library/ghost": {"var": {"lib": {"ghost": {}}}, "usr": {"local": {"bin": {
        "docker-entrypoint.sh": Entry("#!/bin/sh\nexec ghost\n", mode=0o755)}}}},
    "docker.io/docker/whalesay": {"usr": {"local": {"bin": {"cowsay": Entry(WHALE, mode=0o755)}}}},
}  # fmt: skip

for _name in ("fluentd-gcp", "cloud-controller-manager"):  # the registry's name until 2023
    TOOLS[f"k8s.gcr.io/{_name}"] = TOOLS[f"registry.k8s.io/{_name}"]
