"""Which distribution release an image's tag stands for: /etc/os-release and its kin, by repository and tag.

Sources: the distributions' own os-release files (os-release(5)), Docker Hub's official-images library files (which base each tag was built
on) and the images' Dockerfiles. Only the files that say a release differ; the tools are those of the family (images/base.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

DEBIAN = {"wheezy": "7.11", "jessie": "8.11", "stretch": "9.13", "buster": "10.13", "bullseye": "11.11", "bookworm": "12.12", "trixie": "13.2"}
"""The last point release of each (debian.org/News)."""
UBUNTU = {
    "trusty": ("14.04.6", "Trusty Tahr"), "xenial": ("16.04.7", "Xenial Xerus"), "bionic": ("18.04.6", "Bionic Beaver"),
    "focal": ("20.04.6", "Focal Fossa"), "jammy": ("22.04.5", "Jammy Jellyfish"), "noble": ("24.04.3", "Noble Numbat"),
    "plucky": ("25.04", "Plucky Puffin"),
}  # fmt: skip
ALPINE = {"3.5": 3, "3.6": 5, "3.7": 3, "3.8": 5, "3.9": 6, "3.10": 9, "3.11": 13, "3.12": 12, "3.13": 12, "3.14": 10, "3.15": 11, "3.16": 9,
          "3.17": 10, "3.18": 12, "3.19": 9, "3.20": 8, "3.21": 5, "3.22": 2}  # fmt: skip
"""The last patch of each branch (alpinelinux.org/releases)."""
OTHERS = {
    "fedora": ('NAME="Fedora Linux"\nVERSION="{0} (Container Image)"\nRELEASE_TYPE=stable\nID=fedora\nVERSION_ID={0}\nVERSION_CODENAME=""\n'
               'PRETTY_NAME="Fedora Linux {0} (Container Image)"\nHOME_URL="https://fedoraproject.org/"\nVARIANT="Container Image"\n'
               "VARIANT_ID=container\n"),
    "centos": ('NAME="CentOS Linux"\nVERSION="{0} (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="{0}"\nPRETTY_NAME="CentOS Linux {0} '
               '(Core)"\nHOME_URL="https://www.centos.org/"\nBUG_REPORT_URL="https://bugs.centos.org/"\n'),
    "rocky": ('NAME="Rocky Linux"\nVERSION="{0}"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="{0}"\nPRETTY_NAME="Rocky Linux {0}"\n'
              'HOME_URL="https://rockylinux.org/"\n'),
    "alma": ('NAME="AlmaLinux"\nVERSION="{0}"\nID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="{0}"\nPRETTY_NAME="AlmaLinux {0}"\n'
             'HOME_URL="https://almalinux.org/"\n'),
    "amazon": ('NAME="Amazon Linux"\nVERSION="{0}"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="{0}"\nPRETTY_NAME="Amazon Linux {0}"\n'
               'HOME_URL="https://aws.amazon.com/linux/amazon-linux-2023/"\n'),
    "oracle": ('NAME="Oracle Linux Server"\nVERSION="{0}"\nID="ol"\nID_LIKE="fedora"\nVARIANT="Server"\nVARIANT_ID="server"\nVERSION_ID="{0}"\n'
               'PRETTY_NAME="Oracle Linux Server {0}"\nHOME_URL="https://linux.oracle.com/"\n'),
    "rhel": ('NAME="Red Hat Enterprise Linux"\nVERSION="{0} (Plow)"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="{0}"\n'
             'PRETTY_NAME="Red Hat Enterprise Linux {0} (Plow)"\nHOME_URL="https://www.redhat.com/"\n'),
    "arch": ('NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\nHOME_URL="https://archlinux.org/"\n'),
}  # fmt: skip

# repository | from this version on, this release; the last stands for tags that are no version (latest, stable, mainline)
BUILT_ON = """
docker.io/library/debian | 7 wheezy, 8 jessie, 9 stretch, 10 buster, 11 bullseye, 12 bookworm, 13 trixie
docker.io/library/ubuntu | 14.04 trusty, 16.04 xenial, 18.04 bionic, 20.04 focal, 22.04 jammy, 25.04 plucky, 24.04 noble
docker.io/library/nginx | 1 wheezy, 1.7.12 jessie, 1.12.1 stretch, 1.16.1 buster, 1.20.2 bullseye, 1.25.1 bookworm, 1.29.1 trixie
docker.io/library/redis | 1 jessie, 3.2.12 stretch, 5.0.6 buster, 5.0.14 bullseye, 6.0.2 buster, 6.0.16 bullseye, 6.2.13 bookworm, 8.4 trixie
docker.io/library/httpd | 1 jessie, 2.4.34 stretch, 2.4.39 buster, 2.4.52 bullseye, 2.4.58 bookworm, 2.4.66 trixie
docker.io/library/python | 1 buster, 3.5 buster, 3.6 bullseye, 3.7 bookworm, 3.9 trixie
docker.io/library/node | 1 jessie, 9 stretch, 14 buster, 18 bookworm
docker.io/library/perl | 5.20 jessie, 5.28 buster, 5.32 bullseye, 5.36 bookworm, 5.42 trixie
docker.io/library/postgres | 1 stretch, 10 bullseye, 12 bookworm, 13 trixie
docker.io/library/golang | 1 stretch, 1.14 buster, 1.17 bullseye, 1.21 bookworm, 1.25 trixie
docker.io/library/php | 5 stretch, 7.3 buster, 7.4 bullseye, 8.1 bookworm, 8.2 trixie
docker.io/library/ruby | 2 buster, 2.7 bullseye, 3.1 bookworm, 3.2 trixie
docker.io/library/openjdk | 1 stretch, 8 bullseye
docker.io/library/wordpress | 4 stretch, 5 buster, 5.8 bullseye, 6.4 bookworm, 6.9 trixie
docker.io/library/memcached | 1 stretch, 1.6 bookworm, 1.6.39 trixie
docker.io/library/mongo | 3 trusty, 3.4 xenial, 4 xenial, 4.2 bionic, 4.4 focal, 6 jammy, 8 noble
docker.io/library/mariadb | 5 bionic, 10.4 focal, 10.6 focal, 10.8 jammy, 11.4 noble
docker.io/library/rabbitmq | 3 bionic, 3.8 focal, 3.11 jammy, 3.13 noble
docker.io/library/mysql | 5.5 stretch, 5.6 buster, 5.7 oracle:7.9, 8.0 oracle:9.6
docker.io/library/fedora | 20 fedora, 43 fedora:43
docker.io/library/centos | 5 centos, 8 centos:8
docker.io/library/rockylinux | 8 rocky:8.9, 9 rocky:9.3
docker.io/library/almalinux | 8 alma:8.10, 9 alma:9.6, 10 alma:10.0
docker.io/library/amazonlinux docker.io/amazon/aws-cli | 1 amazon:1, 2 amazon:2, 2023 amazon:2023
docker.io/library/oraclelinux | 7 oracle:7.9, 8 oracle:8.10, 9 oracle:9.6
docker.io/library/archlinux docker.io/library/base-archlinux | 0 arch
registry.access.redhat.com/ubi8/ubi | 8 rhel:8.10
registry.access.redhat.com/ubi9/ubi | 9 rhel:9.6
docker.io/luksa/kubia docker.io/luksa/kubia-unhealthy docker.io/luksa/kubia-pet docker.io/luksa/kubia-pet-peers | 0 jessie
gcr.io/google-samples/node-hello docker.io/luksa/fortune | 0 jessie
registry.k8s.io/hpa-example | 0 jessie
registry.k8s.io/nginx-slim k8s.gcr.io/nginx-slim | 0 jessie, 0.9 stretch, 0.20 bookworm
"""
# the same for the variants on Alpine; a tag may name the branch itself (1.25-alpine3.18)
ON_ALPINE = """
docker.io/library/alpine | 3.5 3.5, 3.6 3.6, 3.7 3.7, 3.8 3.8, 3.9 3.9, 3.10 3.10, 3.11 3.11, 3.12 3.12, 3.13 3.13, 3.14 3.14, 3.15 3.15, \
3.16 3.16, 3.17 3.17, 3.18 3.18, 3.19 3.19, 3.20 3.20, 3.21 3.21, 3.22 3.22
docker.io/library/nginx | 1 3.5, 1.14 3.9, 1.15 3.9, 1.16 3.10, 1.18 3.11, 1.19 3.13, 1.20 3.14, 1.21 3.15, 1.22 3.17, 1.25 3.19, 1.26 3.20, \
1.27 3.21, 1.29 3.22
docker.io/library/redis | 3 3.8, 4 3.11, 5 3.15, 6.0 3.18, 6.2 3.21, 8.4 3.22
docker.io/library/node | 10 3.11, 12 3.15, 14 3.17, 16 3.18, 18 3.21, 20 3.22
docker.io/library/python | 2 3.11, 3.6 3.15, 3.7 3.18, 3.8 3.20, 3.9 3.22
"""
# repository | its releases, rising; a tag means the newest that it is the beginning of
NUMBERS = """
docker.io/library/redis | 2.8.23 3.0.7 3.2.12 4.0.14 5.0.14 6.0.20 6.2.20 7.0.15 7.2.11 7.4.6 8.0.4 8.2.1
docker.io/library/mysql | 5.5.62 5.6.51 5.7.44 8.0.43 9.4.0 8.4.6
docker.io/library/httpd | 2.2.34 2.4.65
docker.io/library/mongo | 2.6.12 3.0.15 3.2.22 3.4.24 3.6.23 4.0.28 4.2.24 4.4.29 5.0.31 6.0.26 7.0.14 8.0.14
docker.io/library/postgres | 9.3.25 9.4.26 9.5.25 9.6.24 10.23 11.22 12.22 13.22 14.19 15.14 16.10 18.0 17.6
docker.io/library/nginx | 1.7.12 1.8.1 1.9.15 1.10.3 1.11.13 1.12.2 1.13.12 1.14.2 1.15.12 1.16.1 1.17.10 1.18.0 1.19.10 1.20.2 1.21.6 1.22.1 \
1.23.4 1.24.0 1.25.5 1.26.3 1.27.5 1.28.0 1.29.3
"""
NAMED = {("docker.io/library/nginx", "stable"): "1.28.0", ("docker.io/library/mysql", "latest"): "9.4.0",
         ("docker.io/library/mysql", "oraclelinux9"): "9.4.0"}  # fmt: skip
CODENAME = re.compile(rf"(?:^|-)({'|'.join((*DEBIAN, *UBUNTU))})(?:-|$)")
BRANCH = re.compile(r"alpine(3\.\d+)")
LATEST_PATCH = 10**6  # a tag that leaves the patch out stands for the newest


def _table(text: str) -> dict[str, list[tuple[tuple[int, ...], str]]]:
    found: dict[str, list[tuple[tuple[int, ...], str]]] = {}
    for line in text.strip().splitlines():
        repositories, steps = line.split("|")
        rows = [(tuple(int(n) for n in version.split(".")), release) for version, release in (step.split() for step in steps.split(","))]
        found.update((repository, rows) for repository in repositories.split())
    return found


BASES, ALPINE_BASES = _table(BUILT_ON), _table(ON_ALPINE)


def _version(tag: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d+(?:\.\d+)*)", tag)
    return tuple(int(n) for n in found[1].split(".")) if found else ()


RELEASES = {repository: numbers.split() for line in NUMBERS.strip().splitlines() for repository, numbers in [line.split(" | ")]}


def number(repository: str, tag: str) -> str:
    """The release that a tag stands for: "8.0" is the newest 8.0, "latest" the newest of all; "" for an unknown repository."""
    known = RELEASES.get(repository)
    if known is None:
        return ""
    if found := NAMED.get((repository, tag.partition("-")[0])):
        return found
    asked = re.match(r"v?(\d+(?:\.\d+)*)", tag)
    if asked is None:
        return known[-1]
    if asked[1].count(".") >= 2 or (repository.endswith("/postgres") and int(asked[1].partition(".")[0]) > 9 and "." in asked[1]):
        return asked[1]  # PostgreSQL's releases have two numbers as of 10
    return next((release for release in reversed(known) if release.startswith(f"{asked[1]}.")), known[-1])


def _at(rows: list[tuple[tuple[int, ...], str]], tag: str) -> str:
    version = _version(tag)
    if not version:
        return rows[-1][1]
    whole = (*version, *(LATEST_PATCH,) * (3 - len(version)))
    return max((row for row in rows if row[0] <= whole), default=rows[0], key=lambda row: row[0])[1]


def alpine(branch: str) -> dict[str, str]:
    """/etc's files of a branch: "3.22"."""
    version = f"{branch}.{ALPINE[branch]}" if branch in ALPINE else f"{branch}.0"
    bugs = "https://bugs.alpinelinux.org/" if branch in ALPINE and list(ALPINE).index(branch) < list(ALPINE).index("3.16") else \
        "https://gitlab.alpinelinux.org/alpine/aports/-/issues"
    return {"alpine-release": f"{version}\n",
            "os-release": f'NAME="Alpine Linux"\nID=alpine\nVERSION_ID={version}\nPRETTY_NAME="Alpine Linux v{branch}"\n'
                          f'HOME_URL="https://alpinelinux.org/"\nBUG_REPORT_URL="{bugs}"\n'}  # fmt: skip


def debian(name: str) -> dict[str, str]:
    """/etc's files of a release: "trixie"."""
    point = DEBIAN[name]
    major = point.partition(".")[0]
    since_stretch = f"VERSION_CODENAME={name}\n" if int(major) >= 9 else ""
    full = f"DEBIAN_VERSION_FULL={point}\n" if int(major) >= 13 else ""
    return {"debian_version": f"{point}\n",
            "os-release": f'PRETTY_NAME="Debian GNU/Linux {major} ({name})"\nNAME="Debian GNU/Linux"\nVERSION_ID="{major}"\n'
                          f'VERSION="{major} ({name})"\n{since_stretch}{full}ID=debian\nHOME_URL="https://www.debian.org/"\n'
                          'SUPPORT_URL="https://www.debian.org/support"\nBUG_REPORT_URL="https://bugs.debian.org/"\n'}  # fmt: skip


DEBIAN_OF_UBUNTU = {"trusty": "jessie", "xenial": "stretch", "bionic": "buster", "focal": "bullseye", "jammy": "bookworm"}


def ubuntu(name: str) -> dict[str, str]:
    """/etc's files of a release: "noble"."""
    point, animal = UBUNTU[name]
    number = ".".join(point.split(".")[:2])
    lts = " LTS" if number.endswith(".04") and int(number[:2]) % 2 == 0 else ""
    return {"debian_version": f"{DEBIAN_OF_UBUNTU.get(name, 'trixie')}/sid\n",
            "os-release": f'PRETTY_NAME="Ubuntu {point}{lts}"\nNAME="Ubuntu"\nVERSION_ID="{number}"\nVERSION="{point}{lts} ({animal})"\n'
                          f'VERSION_CODENAME={name}\nID=ubuntu\nID_LIKE=debian\nHOME_URL="https://www.ubuntu.com/"\n'
                          'SUPPORT_URL="https://help.ubuntu.com/"\nBUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"\n'
                          'PRIVACY_POLICY_URL="https://www.ubuntu.com/legal/terms-and-policies/privacy-policy"\n'
                          f"UBUNTU_CODENAME={name}\n"}  # fmt: skip


def etc(repository: str, tag: str, held: Mapping[str, Any]) -> Mapping[str, Any]:
    """/etc of the image at this tag, `held` being that of its family: what says the release is the tag's, where it is known."""
    text = held.get("os-release")
    if not isinstance(text, str):
        return held
    rows = BASES.get(repository)
    if "ID=alpine" in text:
        rows = ALPINE_BASES.get(repository)
        branch = BRANCH.search(tag)
        if branch is None and rows is None:
            return held
        return {**held, **alpine(branch[1] if branch else _at(rows or [], tag))}
    named = CODENAME.search(tag)
    if named is None and rows is None:
        return held
    name = named[1] if named else _at(rows or [], tag)
    if name in DEBIAN or name in UBUNTU:
        return {**held, **(debian(name) if name in DEBIAN else ubuntu(name))}
    other, _, number = name.partition(":")
    version = number or ".".join(str(part) for part in _version(tag)[:1])
    return {**{key: value for key, value in held.items() if key != "debian_version"}, "os-release": OTHERS[other].format(version)}
