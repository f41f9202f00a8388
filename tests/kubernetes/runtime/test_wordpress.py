"""WordPress with and without its database."""

from __future__ import annotations

import pytest

from tests.kubernetes.runtime.lab import Lab

pytestmark = pytest.mark.slow  # boots a cluster of its own


def test_wordpress_leads_to_its_installation_while_its_database_answers() -> None:
    lab = Lab()
    lab.pod("blog", "wordpress:6.2.1-apache", node="node-1", env=[{"name": "WORDPRESS_DB_HOST", "value": "db"}])
    lab.client(image="curlimages/curl:8.6.0")
    lab.settle(60)
    asked = f"curl -s -o /dev/null -w %{{http_code}}:%{{redirect_url}} http://{lab.ip('blog')}/"
    assert lab.out("client", asked) == "500:"
    lab.pod("db", "mysql:8.0", node="node-1", labels={"app": "db"}, env=[{"name": "MYSQL_ROOT_PASSWORD", "value": "x"}])
    lab.service("db", "db", port=3306, target=3306)
    lab.settle(60)
    assert lab.out("client", asked) == f"302:http://{lab.ip('blog')}/wp-admin/install.php"
    assert "WordPress &rsaquo; Installation" in lab.out("client", f"curl -sL http://{lab.ip('blog')}/")
