"""The API at the root of a site with https, where the token is the user's and no path can be lost: kubectl proxy, get --raw, sockets."""

import base64
import dataclasses
import datetime
import ipaddress
import json
import re
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes import client

from tests.browser.harness import HANG, Server
from tests.services.conftest import Kubectl, token_of

pytestmark = pytest.mark.services
CONFIG = """apiVersion: v1
kind: Config
clusters: [{{name: podlab, cluster: {{server: "{server}", certificate-authority: "{authority}"}}}}]
users: [{{name: me, user: {{token: "{token}"}}}}]
contexts: [{{name: podlab, context: {{cluster: podlab, user: me}}}}]
current-context: podlab
"""


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's own certificate for 127.0.0.1, kept as tls.pem."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256()))
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.pem").write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem")
    return context


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        sink.close()


@pytest.fixture(scope="module")
def site(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """What stands before a site and speaks TLS for it; a kubeconfig with the bare address."""
    home = tmp_path_factory.mktemp("home")
    listener, context = socket.create_server(("127.0.0.1", 0)), certificate(home)

    def serve(raw: socket.socket) -> None:
        try:
            outer = context.wrap_socket(raw, server_side=True)
            inner = socket.create_connection(("127.0.0.1", server.port))
        except OSError:
            raw.close()
            return
        threading.Thread(target=pump, args=(outer, inner), daemon=True).start()
        pump(inner, outer)

    def listen() -> None:
        while True:
            try:
                raw = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=serve, args=(raw,), daemon=True).start()
    threading.Thread(target=listen, daemon=True).start()
    found = Kubectl(home, f"https://127.0.0.1:{listener.getsockname()[1]}")
    found.file("config", CONFIG.format(server=found.server, authority=home / "tls.pem", token=token_of(server)))
    yield found
    listener.close()


def test_kubectl_proxy_leads_to_the_cluster(site: Kubectl) -> None:
    process = site.start("proxy", "--port=0", "--disable-filter")
    try:
        assert process.stdout is not None
        announced = re.search(r"(127\.0\.0\.1:\d+)", process.stdout.readline())
        assert announced
        for path, kind in (("/api/", "APIVersions"), ("/api/v1/namespaces/default/pods?limit=1", "PodList")):
            with urllib.request.urlopen(f"http://{announced[1]}{path}", timeout=HANG) as answer:
                assert json.load(answer)["kind"] == kind
    finally:
        process.kill()
        process.communicate()


def test_kubectl_proxy_leads_there_by_a_unix_socket(site: Kubectl) -> None:
    process = site.start("proxy", f"--unix-socket={site.home}/proxy")
    try:
        assert process.stdout is not None and "Starting to serve on" in process.stdout.readline()
        with socket.socket(socket.AF_UNIX) as made:
            made.connect(f"{site.home}/proxy")
            made.sendall(b"GET /api/ HTTP/1.0\r\nHost: localhost\r\n\r\n")
            assert b'"APIVersions"' in b"".join(iter(lambda: made.recv(4096), b""))
    finally:
        process.kill()
        process.communicate()


def test_kubectl_asks_runs_and_streams_without_a_path(site: Kubectl) -> None:
    assert json.loads(site("get", "--raw", "/api/v1/nodes"))["kind"] == "NodeList"
    site("run", "talker", "--image=busybox:1.36", "--", "sh", "-c", "echo alive; sleep 600")
    site("wait", "--for=condition=Ready", "pod/talker", "--timeout=100s")
    assert (site("logs", "talker"), site("exec", "talker", "--", "echo", "hello")) == ("alive\n", "hello\n")
    older = dataclasses.replace(site, environ={"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false"})
    assert older("exec", "-i", "talker", "--", "cat", stdin="over SPDY\n") == "over SPDY\n"
    assert site("auth", "can-i", "delete", "nodes").strip() == "yes"


def test_a_wrong_token_is_unauthorized_and_a_cookie_says_nothing(site: Kubectl) -> None:
    code, _, err = site.run("get", "pods", "--token=" + "a" * 43)
    assert (code, err) == (1, "error: You must be logged in to the server (Unauthorized)\n")


def test_the_python_client_sends_its_api_key(server: Server) -> None:
    configuration = client.Configuration(host=server.url, api_key={"authorization": f"Bearer {token_of(server)}"})
    assert client.CoreV1Api(client.ApiClient(configuration)).read_namespace("default").metadata.name == "default"


def test_a_browsers_websocket_names_its_token_as_a_protocol(server: Server) -> None:
    named = "base64url.bearer.authorization.k8s.io." + base64.urlsafe_b64encode(token_of(server).encode()).decode().rstrip("=")
    url = f"{server.url.replace('http', 'ws')}/api/v1/namespaces/default/pods/new/log"
    made = websocket.create_connection(url, subprotocols=[named, "binary.k8s.io"], timeout=HANG)
    assert made.subprotocol == "binary.k8s.io"
    made.close()
    with pytest.raises(websocket.WebSocketBadStatusException, match="401"):
        websocket.create_connection(url, subprotocols=["binary.k8s.io"], timeout=HANG)
