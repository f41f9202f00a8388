"""curl 8: the options that people use against Services and Pods, its error texts and exit codes (curl.se/docs/manpage.html)."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import urljoin, urlsplit

from .. import dns, http, internet_hosts, sockets, tls, x509
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from .compress import unpacked
from .net_client import Failed, connect, exchange, hang_up, is_partial, secure
from .net_curl_format import write_out
from .net_curl_options import VERSION, begin

AGENT = f"curl/{VERSION}"
METER = (
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
    "                                 Dload  Upload   Total   Spent    Left  Speed\n"
)

NO_TRUST = (
    "More details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\n"
    "establish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the webpage mentioned above."
)

class Fault(Exception):
    """curl: (code) text."""

    def __init__(self, code: int, text: str, retry: bool = False) -> None:
        super().__init__(text)
        self.code, self.text, self.retry = code, text, retry


@tool("curl", memory=4 * MEBIBYTE)
def curl(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "o" not in data:
        code = begin(proc, sys)
        if code is not None:
            return code
    options: Data = data["o"]
    while data["urls"]:
        if "retry_at" in data:
            if sys.now < data["retry_at"]:
                sys.sleep(data["retry_at"] - sys.now)
            del data["retry_at"]
        try:
            _transfer(proc, sys, options)
            data["code"] = 0
        except Fault as fault:
            hang_up(proc, sys)
            if _again(sys, data, options, fault):
                continue
            if "s" not in options or "S" in options:
                sys.err(f"curl: ({fault.code}) {fault.text}\n")
            if "w" in options:
                sys.out(write_out(options["w"], data, None))
            data["code"] = fault.code
        data["urls"].pop(0)
        for key in ("url", "began", "tries", "redirects", "trail"):
            data.pop(key, None)
    return int(data["code"])


def _again(sys: Sys, data: Data, options: Data, fault: Fault) -> bool:
    """--retry: transient faults (and refused connections when asked) are tried again after 1, 2, 4 ... s."""
    tries = data.get("tries", 0)
    if tries >= int(options.get("y") or 0) or not (fault.retry or "Q" in options):
        return False
    wait = int(options["Y"]) * 1000 if options.get("Y") else min(1000 << tries, 600_000)
    if "s" not in options:
        sys.err(
            f"Warning: Problem: "
            f"{'timeout' if fault.code == 28 else 'connection refused' if fault.code == 7 else 'transient error'}. "
            f"Will retry in {wait // 1000} second{'' if wait == 1000 else 's'}. {int(options['y']) - tries} "
            f"retr{'y' if int(options['y']) - tries == 1 else 'ies'} left.\n"
        )
    data.update(tries=tries + 1, retry_at=sys.now + wait)
    data.pop("began", None)
    data.pop("url", None)
    return True


def _transfer(proc: Process, sys: Sys, options: Data) -> None:
    """One URL to its end, redirects included. Raises Fault, Blocked."""
    data = proc["data"]
    if "url" not in data:
        text = data["urls"][0]
        data.update(url=text if "://" in text else "http://" + text, began=sys.now, redirects=0, trail="")
    while True:
        message = _ask(proc, sys, options)
        location = message.get("Location")
        if "L" in options and 300 <= message.status < 400 and location:
            data["redirects"] += 1
            if data["redirects"] > int(options.get("M") or 50):
                raise Fault(47, f"Maximum ({options.get('M') or 50}) redirects followed")
            if "i" in options or "I" in options:
                data["trail"] += _head(message)
            data["url"] = urljoin(data["url"], location)
            if options["body"] is not None and message.status in (301, 302, 303) and "X" not in options:
                options["body"] = None
            if "v" in options:
                sys.err(f"* Issue another request to this URL: '{data['url']}'\n")
            continue
        break
    _deliver(proc, sys, options, message)


def _ask(proc: Process, sys: Sys, options: Data) -> http.Message:
    data, verbose = proc["data"], "v" in options
    try:
        parts = urlsplit(data["url"])
        scheme, host, port, target = http.split_url(data["url"])
    except ValueError:
        raise Fault(3, "URL rejected: Port number was not a decimal number between 0 and 65535") from None
    if scheme not in ("http", "https"):
        raise Fault(1, f'Protocol "{scheme}" not supported')
    if not host or re.search(r"\s", parts.netloc):
        raise Fault(3, "URL rejected: No host part in the URL" if not host else "URL rejected: Malformed input to a URL function")
    deadline = data["began"] + round(float(options["m"]) * 1000) if options.get("m") else None
    limit = round(float(options["t"]) * 1000) if options.get("t") else None
    if "socket" not in data:
        address = _address(sys, options, host, port)
        if verbose:
            sys.err(
                ("" if dns.is_address(host) else f"* Host {host}:{port} was resolved.\n* IPv6: (none)\n* IPv4: {address}\n")
                + f"*   Trying {address}:{port}...\n"
            )
        data.update(address=address, dialed=sys.now)
    address = data["address"]
    try:
        connect(proc, sys, address, port, connect_ms=limit, deadline=deadline)
        if verbose and "buffer" not in data and "session" not in data:
            sys.err(f"* Connected to {host} ({address}) port {port}\n")
        if scheme == "https":
            _shake_hands(proc, sys, options, host, deadline)
        text = _request(options, parts.netloc.rpartition("@")[2], target, parts.username, parts.password)
        if verbose and "buffer" not in data:
            said = text.partition("\r\n\r\n")[0]
            sys.err("".join(f"> {line}\n" for line in said.split("\r\n")) + "> \n* Request completely sent off\n")
        message = exchange(proc, sys, text, head="I" in options or options.get("X") == "HEAD", deadline=deadline,
                           tell=lambda coming: _told(sys, data, options, coming))
    except Failed as failed:
        raise _fault(failed, sys.now - data["dialed"], sys.now - data["began"], host, port, data) from None
    if "z" in options and message.get("Content-Encoding") == "gzip":
        try:
            message.body = unpacked(message.body.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
        except ValueError:
            raise Fault(61, "Error while processing content unencoding: invalid header") from None
    local, own = sockets.local(sys, data["socket"])
    data.update(remote=port, local=local, own=own)
    hang_up(proc, sys)
    if verbose:
        sys.err("".join(f"< {line}\n" for line in (message.start, *(f"{name}: {value}" for name, value in message.headers))) + "< \n")
        if message.body and "o" in options:
            sys.err(f"{{ [{http.size(message.body)} bytes data]\n")
        sys.err(f"* Connection #{data['redirects']} to host {host} left intact\n")
    return message


def _told(sys: Sys, data: Data, options: Data, coming: http.Message) -> bool:
    """Prints what has come of an answer in chunks, as curl does; not what goes to a file or may not be wanted. Raises Blocked."""
    if options.get("o", "-") != "-" or {"O", "v", "z"} & set(options) or (coming.status >= 300 and {"L", "f"} & set(options)):
        return False
    sys.out((data["trail"] + _head(coming) if "i" in options and not data.get("told") else "") + coming.body)
    data["told"] = data.get("told", 0) + http.size(coming.body)
    return True


def _shake_hands(proc: Process, sys: Sys, options: Data, host: str, deadline: int | None) -> None:
    """The handshake, and unless -k is given the verdict on the server's certificate: the system trusts the authority of the small Internet and
    nobody that a cluster's certificate is from, so --cacert says whom to trust, or a variable of curl's or OpenSSL's (curl(1), "ENVIRONMENT").
    Raises Fault, Failed, Blocked."""
    if "session" in proc["data"] and proc["data"]["session"]["state"] == "open":
        return
    try:
        peer = secure(proc, sys, "" if dns.is_address(host) else host, deadline=deadline)
    except Failed as failed:
        if failed.why == "tls":
            plain = failed.errno == "WRONG_VERSION_NUMBER"
            reason = "0A00010B:SSL routines::wrong version number" if plain else "0A000410:SSL routines::ssl/tls alert handshake failure"
            raise Fault(35, f"TLS connect error: error:{reason}") from None
        raise
    if "v" in options:
        sys.err(f"* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384\n* Server certificate:\n*  subject: CN={tls.identity(peer)}\n")
    if "k" in options:
        return
    chain = str((peer or {}).get("chain", ""))
    file = options.get("C") or proc["env"].get("CURL_CA_BUNDLE") or proc["env"].get("SSL_CERT_FILE")
    try:
        trust = sys.read_file(file) if file else internet_hosts.ROOT
    except Errno:
        raise Fault(77, f"error setting certificate verify locations:  CAfile: {file}") from None
    why = x509.verify(chain, trust, sys.now)
    if why:
        raise Fault(60, f"SSL certificate problem: {why.replace('self signed', 'self-signed')}\n{NO_TRUST}")
    shown = x509.certificates(chain)[0]
    names = [value for kind, value in shown.sans if kind in ("DNS", "IP_ADDRESS")]
    # Only a certificate without alternative names is known by its common name (lib/vtls/openssl.c, ossl_verifyhost).
    common = next((part.removeprefix("CN=") for part in shown.subject.split(",") if part.startswith("CN=")), "")
    if not any(name in (host, f"*.{host.partition('.')[2]}") for name in names or [common]):
        raise Fault(60, f"SSL: no alternative certificate subject name matches target host name '{host}'" if names or not common else
                    f"SSL: certificate subject name '{common}' does not match target hostname '{host}'")


def _fault(failed: Failed, dialed_ms: int, total_ms: int, host: str, port: int, data: Data) -> Fault:
    if failed.why == "connect":
        if failed.errno == "ETIMEDOUT":
            return Fault(28, f"Failed to connect to {host} port {port} after {dialed_ms} ms: Timeout was reached", True)
        return Fault(7, f"Failed to connect to {host} port {port} after {dialed_ms} ms: Couldn't connect to server")
    if failed.why == "timeout":
        if failed.errno:
            return Fault(28, f"Connection timed out after {total_ms} milliseconds", True)
        got = http.size(str(data.get("buffer", "")).partition("\r\n\r\n")[2])
        return Fault(28, f"Operation timed out after {total_ms} milliseconds with {got} bytes received", True)
    return Fault(52, "Empty reply from server") if failed.why == "empty" else Fault(56, "Recv failure: Connection reset by peer")


def _address(sys: Sys, options: Data, host: str, port: int) -> str:
    for entry in options["R"]:
        name, _, rest = entry.lstrip("+").partition(":")
        number, _, address = rest.partition(":")
        if name in (host, "*") and number == str(port):
            return str(address)
    found = sockets.resolve(sys, host)[1]
    if not found:
        raise Fault(6, f"Could not resolve host: {host}")
    return found[0]


def _request(options: Data, host: str, target: str, user: str | None, password: str | None) -> str:
    body = options["body"]
    if "G" in options and body is not None:
        target, body = f"{target}{'&' if '?' in target else '?'}{body}", None
    method = options.get("X") or ("HEAD" if "I" in options else "POST" if body is not None else "GET")
    given = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in options["H"])]
    names = [name.lower() for name, _ in given]
    lines = [("Host", host)]
    name = options.get("u") or (f"{user}:{password or ''}" if user else "")
    if name:
        lines.append(("Authorization", "Basic " + b64encode((name if ":" in name else name + ":").encode()).decode()))
    if "a" in options:
        lines.append(("Authorization", f"Bearer {options['a']}"))
    lines += [("User-Agent", options.get("A", AGENT)), ("Accept", "application/json" if "J" in options else "*/*")]
    lines += [(key, options[letter]) for key, letter in (("Referer", "e"), ("Cookie", "b")) if options.get(letter)]
    lines += [("Accept-Encoding", "deflate, gzip")] if "z" in options else []
    lines = [(key, value) for key, value in lines if key.lower() not in names] + [(key, value) for key, value in given if value]
    if body is not None:
        lines.append(("Content-Length", str(http.size(body))))
        if "content-type" not in names:
            plain = "application/json" if "J" in options else "application/x-www-form-urlencoded"
            lines.append(("Content-Type", options.get("form", plain)))
    return http.Message(f"{method} {target} HTTP/1.1", lines, body or "").text()


def _head(message: http.Message) -> str:
    return "".join(f"{line}\r\n" for line in (message.start, *(f"{name}: {value}" for name, value in message.headers))) + "\r\n"


def _deliver(proc: Process, sys: Sys, options: Data, message: http.Message) -> None:
    data = proc["data"]
    if message.status >= 400 and "f" in options:
        transient = message.status in (408, 429, 500, 502, 503, 504)
        raise Fault(22, f"The requested URL returned error: {message.status}", transient)
    told = data.pop("told", 0)
    text = ("" if told else data["trail"] + (_head(message) if "i" in options or "I" in options else "")) + message.body
    target = options.get("o")
    if "O" in options:
        target = urlsplit(data["url"]).path.rpartition("/")[2]
        if not target:
            raise Fault(23, "Remote file name has no length")
    size = told + http.size(message.body)
    # the meter is drawn unless the body goes to a terminal
    if "s" not in options and (target not in (None, "-") or not sys.is_tty(1)):
        share = "100" if size else "  0"
        sys.err(
            f"{METER}\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
            f"\r{share} {size:5d}  {share} {size:5d}    0     0 {size * 1000 // max(1, sys.now - data['began']):6d}      0 "
            f"--:--:-- --:--:-- --:--:-- {size:5d}\n"
        )
    try:
        if target in (None, "-"):
            sys.out(text)
        else:
            sys.write_file(str(target), text)
    except Errno as error:
        if error.name == "EPIPE":
            raise Fault(23, "Failure writing output to destination") from None
        sys.err(f"Warning: Failed to open the file {target}: {error.text}\n")
        raise Fault(23, "Failure writing output to destination") from None
    if is_partial(message) and "I" not in options and options.get("X") != "HEAD":
        raise Fault(18, f"end of response with {int(message.get('Content-Length')) - size} bytes missing")
    if "w" in options:
        sys.out(write_out(options["w"], {**data, "total": sys.now - data["began"]}, message))
    if message.status >= 400 and "W" in options:
        raise Fault(22, f"The requested URL returned error: {message.status}")
