"""gzip in containers: other programs read what it writes, and it reads what they write."""

import gzip
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.kubernetes.runtime.tools import compress
from tests.kubernetes.runtime.lab import Lab


@settings(deadline=None)
@given(st.binary(max_size=600) | st.lists(st.sampled_from([b"pod", b"node ", b"\0\0\0\0", b"a"]), max_size=300).map(b"".join))
def test_what_is_packed_is_what_others_unpack(data: bytes) -> None:
    assert gzip.decompress(compress.packed(data)) == data


def test_what_others_packed_is_unpacked_and_repetition_is_short() -> None:
    data = random.Random(1).randbytes(3000) + b"x" * 60_000
    assert compress.unpacked(gzip.compress(data)) == data
    assert len(compress.packed(b"x" * 60_000)) < 1_000


def test_a_container_packs_and_unpacks_files_and_streams() -> None:
    lab = Lab()
    lab.client()
    lab.settle()
    assert lab.out("client", "echo -n 안녕 | gzip | gunzip") == "안녕"
    assert lab.out("client", "cd /tmp; echo hello > f; gzip f; ls; zcat f.gz; gunzip f.gz; cat f") == "f.gz\nhello\nhello\n"
    assert lab.run("client", "echo no | gunzip")[1] == "gunzip: invalid magic\n"
