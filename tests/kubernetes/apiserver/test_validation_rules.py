"""Refusals rule by rule: broken manifests beside the words in which the server's validation of each kind refuses them."""

from __future__ import annotations

import pytest

from . import refused_cluster_kinds, refused_network_and_storage, refused_pod_policies, refused_pods, refused_workloads
from .given import refusal
from .test_validation import only

pytestmark = pytest.mark.slow  # hundreds of manifests
TABLES = (refused_pods.TABLES | refused_pod_policies.TABLES | refused_workloads.TABLES | refused_network_and_storage.TABLES
          | refused_cluster_kinds.TABLES)


@pytest.mark.parametrize("concept", [*TABLES])
def test_each_rule_is_told_as_the_server_tells_it(concept: str) -> None:
    told = [(only(refusal(manifest)), said) for manifest, said in TABLES[concept]]
    assert [here for here, _ in told] == [there for _, there in told]
