"""The images mysql and mariadb: the server under its entry point, the clients beside it where the packages put them."""

from __future__ import annotations

from ..image import Entry, Image, add
from . import mysql_backup, mysql_client  # noqa: F401  (they register their programs)
from .base import PATH, base_tree

# The entry point hands a first word that is an option to the server, and runs any other command as it is.
ENTRYPOINT = '#!/bin/sh\nset -e\nif [ "${{1#-}}" != "$1" ]; then set -- {0} "$@"; fi\nexec "$@"\n'
CLIENTS = {"mysql": "mysql", "mysqladmin": "mysqladmin", "mysqldump": "mysqldump"}
MARIADB_CLIENTS = {**CLIENTS, "mariadb": "mysql", "mariadb-admin": "mysqladmin", "mariadb-dump": "mysqldump"}
# MariaDB's image has this for probes; --connect and --innodb_initialized are what its documentation shows
HEALTHCHECK = "#!/bin/bash\nexec mariadb-admin ping > /dev/null\n"
MYSQL = "docker.io/library/mysql"


def _image(name: str, tags: tuple[str, ...], server: str, size: int, clients: dict[str, str], *, distribution: str) -> None:
    tree = base_tree(
        distribution,
        {
            "usr": {
                "local": {"bin": {"docker-entrypoint.sh": Entry(ENTRYPOINT.format(server), mode=0o755),
                                  **({"healthcheck.sh": Entry(HEALTHCHECK, mode=0o755)} if server == "mariadbd" else {})}},
                "sbin": {server: Entry(program=server, size=65_000_000), **({"mysqld": Entry(link="mariadbd")} if server == "mariadbd" else {})},
                "bin": {file: Entry(program=program, size=7_800_000) for file, program in clients.items()},
            },
            "var": {"lib": {"mysql": {}}, "run": {"mysqld": {}}},
            "etc": {"mysql": {"conf.d": {}}},
            "docker-entrypoint-initdb.d": {},
        },
        users={"mysql": 999},
    )  # fmt: skip
    add(Image(f"docker.io/library/{name}", tags, tree, size, ("docker-entrypoint.sh",), (server,), {"PATH": PATH}, ports=(3306,)))


MYSQL_TAGS = ("latest", "5", "5.5", "5.6", "5.7", "5.7.44", "8", "8.0", "8.0.36", "8.0.43", "8.4", "8.4.6", "9", "9.4", "lts", "oraclelinux9")
MARIADB_TAGS = ("latest", "5.5", "10", "10.11", "11", "11.4", "11.8", "12", "lts")
_image("mysql", MYSQL_TAGS, "mysqld", 236_030_000, CLIENTS, distribution="debian")
_image("mariadb", MARIADB_TAGS, "mariadbd", 104_870_000, MARIADB_CLIENTS, distribution="ubuntu")
