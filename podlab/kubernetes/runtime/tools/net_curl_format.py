"""curl -w: facts of a transfer in a format of one's own (curl.se/docs/manpage.html#-w)."""

from __future__ import annotations

import re

from .. import http
from ..process import Data


def write_out(form: str, data: Data, message: http.Message | None) -> str:
    """`data` is the transfer's, `message` the answer, where there is one."""
    seconds = data.get("total", 0) / 1000
    values = {
        "http_code": f"{message.status if message else 0:03d}",
        "response_code": f"{message.status if message else 0:03d}",
        "size_download": str(http.size(message.body)) if message else "0",
        "time_total": f"{seconds:.6f}",
        "time_connect": "0.000000",
        "time_starttransfer": f"{seconds:.6f}",
        "time_namelookup": "0.000000",
        "time_appconnect": "0.000000",
        "url_effective": str(data.get("url", "")),
        "remote_ip": str(data.get("address", "")),
        "remote_port": str(data.get("remote", 0)),
        "local_ip": str(data.get("local", "")),
        "local_port": str(data.get("own", 0)),
        "num_redirects": str(data.get("redirects", 0)),
        "num_connects": "1",
        "content_type": message.get("Content-Type") if message else "",
        "method": "GET",
        "scheme": "http",
        "http_version": "1.1",
        "exitcode": "0",
        "errormsg": "",
        "speed_download": "0",
        "redirect_url": message.get("Location") if message else "",
    }
    form = re.sub(r"%\{(\w+)\}", lambda match: values.get(match[1], ""), form)
    return re.sub(r"\\([nrt])|%%", lambda match: {"n": "\n", "r": "\r", "t": "\t"}.get(match[1] or "", "%"), form)
