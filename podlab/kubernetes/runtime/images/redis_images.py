"""Redis's images: the plain ones, and those whose script makes a master, a replica or a sentinel of the server."""

from __future__ import annotations

from ..image import VERSIONS, Entry, Image, add
from . import redis  # noqa: F401  (it registers the server)
from .base import PATH, base_tree, merge
from .redis_cli import VERSION

ENTRY = '#!/bin/sh\nset -e\nif [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi\nexec "$@"\n'
FILES = {
    "usr": {
        "local": {
            "bin": {
                "redis-server": Entry(program="redis-server", size=16_000_000),
                "redis-sentinel": Entry(link="redis-server"),
                "redis-cli": Entry(program="redis-cli", size=7_000_000),
                "docker-entrypoint.sh": Entry(ENTRY, mode=0o755),
            }
        }
    },
    "data": Entry(children={}, uid=999, gid=999),
}
TAGS = ("2.8", "3", "3.0", "3.2", "4", "4.0", "5", "5.0", "5.0.4", "6", "6.0", "6.0.5", "6.2", "6.2.6", "7", "7.0", "7.2", "7.4", "8", "8.0", "8.0.2",
        "8.2")  # fmt: skip
for _name in ("docker.io/library/redis", "registry.k8s.io/redis", "docker.io/valkey/valkey"):
    add(
        Image(
            _name,
            ("latest", *TAGS, "bookworm", "e2e"),
            base_tree("debian", FILES, users={"redis": 999}),
            52_700_000,
            ("docker-entrypoint.sh",),
            ("redis-server",),
            {"PATH": PATH, "REDIS_VERSION": VERSION},
            working_dir="/data",
            ports=(6379,),
        )
    )
    add(
        Image(
            _name,
            ("alpine", *(f"{tag}-alpine" for tag in TAGS)),
            base_tree("alpine", FILES, users={"redis": 999}),
            30_110_000,
            ("docker-entrypoint.sh",),
            ("redis-server",),
            {"PATH": PATH, "REDIS_VERSION": VERSION},
            working_dir="/data",
            ports=(6379,),
        )
    )


# The guestbook's follower: it asks DNS for its leader, or its environment (kubernetes/examples, guestbook/redis-slave and redis-follower, run.sh)
FOLLOW = """#!/bin/sh
name={name}
variable={variable}
if [ "$GET_HOSTS_FROM" = env ]; then eval "name=\\$$variable"; fi
exec redis-server --{option} $name 6379
"""
FOLLOWERS = ("us-docker.pkg.dev/google-samples/containers/gke/gb-redis-follower", "gcr.io/google_samples/gb-redis-follower",
             "gcr.io/google-samples/gb-redis-follower")  # fmt: skip
SLAVES = ("gcr.io/google_samples/gb-redisslave", "gcr.io/google-samples/gb-redisslave", "docker.io/corelab/gb-redisslave",
          "registry.k8s.io/redis-slave")  # fmt: skip
# Master, sentinel or replica by the environment (kubernetes/examples, storage/redis/image/run.sh)
BY_ROLE = """#!/bin/bash
[ "$MASTER" = true ] && exec redis-server --dir /redis-master-data
while :; do
  master=$(redis-cli -h ${REDIS_SENTINEL_SERVICE_HOST:-redis-sentinel} -p ${REDIS_SENTINEL_SERVICE_PORT:-26379} \\
    SENTINEL get-master-addr-by-name mymaster 2> /dev/null | head -1)
  redis-cli -h ${master:-$(hostname -i)} INFO > /dev/null 2>&1 && break
  echo "Connecting to master failed.  Waiting..."
  sleep 10
done
if [ "$SENTINEL" = true ]; then
  echo "sentinel monitor mymaster ${master:-$(hostname -i)} 6379 2" > sentinel.conf
  exec redis-sentinel sentinel.conf
fi
exec redis-server --replicaof $master 6379
"""
# bitnami's: a password or the word that there shall be none; a replica when told so (github.com/bitnami/containers, bitnami/redis)
BITNAMI = """#!/bin/sh
if [ -z "$REDIS_PASSWORD" ] && [ "$ALLOW_EMPTY_PASSWORD" != yes ]; then
  echo "redis ERROR ==> The REDIS_PASSWORD environment variable is empty or not set. Set" \\
    "the environment variable ALLOW_EMPTY_PASSWORD=yes to allow a blank password. This is only recommended for development environments." >&2
  exit 1
fi
[ "$REDIS_REPLICATION_MODE" = slave ] || [ "$REDIS_REPLICATION_MODE" = replica ] && set -- "$@" --replicaof "$REDIS_MASTER_HOST" 6379
[ -n "$REDIS_PASSWORD" ] && set -- "$@" --requirepass "$REDIS_PASSWORD"
[ -n "$REDIS_MASTER_PASSWORD" ] && set -- "$@" --masterauth "$REDIS_MASTER_PASSWORD"
exec redis-server "$@"
"""
BY_ROLES = ("docker.io/kubernetes/redis", "docker.io/cookingcodewithme/redis", "docker.io/johnwilander/redis")


def _by_script(name: str, tags: tuple[str, ...], script: str) -> None:
    """An image whose command is a shell script around the server."""
    tree = base_tree("debian", merge(FILES, {"run.sh": Entry(script, mode=0o755), "redis-master-data": {}}), users={"redis": 999})
    add(Image(name, tags, tree, 38_000_000, cmd=("/run.sh",), env={"PATH": PATH}, working_dir="/data", ports=(6379,)))


_by_script("registry.k8s.io/redis", ("v1", "v2"), BY_ROLE)
for _names, _script in (
    (BY_ROLES, BY_ROLE),
    (FOLLOWERS, FOLLOW.format(name="redis-leader", variable="REDIS_LEADER_SERVICE_HOST", option="replicaof")),
    (SLAVES, FOLLOW.format(name="redis-master", variable="REDIS_MASTER_SERVICE_HOST", option="slaveof")),
    (("docker.io/bitnami/redis", "docker.io/bitnamilegacy/redis"), BITNAMI),
):
    for _name in _names:
        _by_script(_name, (VERSIONS,), _script)
