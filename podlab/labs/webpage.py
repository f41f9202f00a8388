"""A page of a simulated application, made harmless: read with a tokenizer of our own, written anew from what is allowed.

What comes from the cluster is hostile. It is shown in a frame that may run nothing, load nothing and reach nothing (browser_views.py, and
docs/decisions/browser-tab.md); this module is not what keeps it from doing harm. It is here because links and forms must lead to our
relay instead of into the open, and because tags that would do nothing in such a frame are better left out than broken.

Every tag and attribute of the output is written by us; of the input only names on the lists, escaped texts and addresses that we have
put together ourselves get there. Time and size are linear in the input: each character is looked at a fixed number of times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape, unescape
from urllib.parse import quote, urlencode, urljoin, urlsplit

BODY_MAX = 200_000  # characters of a page that are read
TAGS_MAX = 6_000  # elements that are written
ATTRIBUTES_MAX = 40  # of one tag
VALUE_MAX = 4_000  # characters of one attribute
TEXT_MAX = 4_000  # characters of the text twin
URL_MAX = 4_000  # characters

VOID = frozenset("br col hr img input wbr".split())
PLAIN = frozenset(
    "a abbr address article aside b bdi bdo big blockquote button caption center cite code data dd del details dfn div dl dt em fieldset "
    "figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hgroup i ins kbd label legend li main mark menu meter nav nobr ol optgroup "
    "option output p pre progress q rp rt ruby s samp section select small span strong sub summary sup table tbody td tfoot th thead time tr "
    "tt u ul var".split()
)
RAW = frozenset("script style title textarea iframe noembed noframes object svg math canvas audio video template applet".split())
"""Elements whose content is no markup of ours: passed over to their end tag. Of some the text is used."""
BLOCKS = frozenset(
    "address article aside blockquote br dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr "
    "ul".split()
)
EVERYWHERE = frozenset(
    "id class style title lang dir role hidden align valign bgcolor color face size width height border cellpadding cellspacing colspan rowspan "
    "scope start reversed type value datetime open max min high low optimum".split()
)
FIELDS = frozenset(
    "name value placeholder checked disabled readonly required size maxlength minlength max min step multiple selected label rows cols".split()
)
OF = {
    "input": FIELDS | {"type"}, "button": FIELDS | {"type"}, "select": FIELDS, "option": FIELDS, "optgroup": FIELDS, "fieldset": FIELDS,
    "label": frozenset({"for"}), "output": frozenset({"for"}), "img": frozenset({"alt"}), "a": frozenset({"name"}),
}  # fmt: skip
INPUTS = frozenset(
    "text search email password number tel url date time month week datetime-local range color checkbox radio hidden submit reset button".split()
)
PICTURE = re.compile(r"data:image/(?:png|gif|jpeg|webp|svg\+xml);base64,[A-Za-z0-9+/=]+\Z")
MARKUP = re.compile(r"<(?=[A-Za-z/!?])")
TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
ATTRIBUTE = re.compile(r"""[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*("[^"]*"?|'[^']*'?|[^\s>"'][^\s>]*)?)?""")
BASE_STYLE = "body{margin:8px;font-family:sans-serif;overflow-wrap:break-word}pre{white-space:pre-wrap}"


@dataclass
class Safe:
    """`html`: a whole document; `scripts`: how many scripts were left out; `text`: the page as text."""

    html: str = ""
    title: str = ""
    text: str = ""
    scripts: int = 0
    cut: bool = False


@dataclass
class _Writer:
    base: str
    relay: str
    out: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    title: str = ""
    body: str = ""  # the body's attributes
    scripts: int = 0
    tags: int = 0


def is_web(url: str) -> bool:
    """Whether a browser tab may go there: http or https, with a host and a port that is one."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0 and len(url) <= URL_MAX
    except ValueError:
        return False


def joined(base: str, reference: str) -> str:
    """The absolute address of a link, without fragment; "" where it leads nowhere that a tab may go."""
    try:
        found = urljoin(base, "".join(reference.split())).partition("#")[0]
    except ValueError:
        return ""
    return found if is_web(found) else ""


def safe(html: str, base: str, relay: str) -> Safe:
    """A page that came from `base`; its links and forms lead to the address `relay` of ours."""
    writer = _Writer(base, relay)
    _read(html[:BODY_MAX], writer)
    cut = len(html) > BODY_MAX or writer.tags >= TAGS_MAX
    text = re.sub(r"[ \t]+", " ", re.sub(r"\s*\n\s*", "\n", "".join(writer.text))).strip()[:TEXT_MAX]
    return Safe(_document(writer.title, "".join(writer.styles), writer.body, "".join(writer.out)), writer.title, text, writer.scripts, cut)


def plain(text: str) -> Safe:
    """A body that is no HTML, as a browser shows text."""
    shown = text[:BODY_MAX]
    return Safe(_document("", "", "", f"<pre>{escape(shown)}</pre>"), "", shown[:TEXT_MAX].strip(), 0, len(text) > BODY_MAX)


def _document(title: str, styles: str, attributes: str, body: str) -> str:
    return (f'<!doctype html>\n<html>\n<head><meta charset="utf-8"><title>{escape(title)}</title>'
            f"<style>{BASE_STYLE}</style><style>{styles}</style></head>\n<body{attributes}>\n{body}\n</body>\n</html>\n")


# ---- reading


def _read(html: str, writer: _Writer) -> None:
    at, lower = 0, html.lower()
    if len(lower) != len(html):  # a few letters change their length in lower case; then ends of raw elements are looked for as they stand
        lower = html
    while at < len(html) and writer.tags < TAGS_MAX:
        start = MARKUP.search(html, at)
        if start is None:
            _text(html[at:], writer)
            return
        mark = start.start()
        _text(html[at:mark], writer)
        found = TAG.match(html, mark)
        if found is None:
            at = _special(html, mark)
            continue
        name = found[2].lower()
        attributes, at = _attributes(html, found.end())
        if found[1]:
            _close(name, writer)
        elif name in RAW:
            end = lower.find("</" + name, at)
            _raw(name, html[at:] if end < 0 else html[at:end], attributes, writer)
            at = len(html) if end < 0 else end
        else:
            _open(name, attributes, writer)


def _special(html: str, mark: int) -> int:
    """Past a comment, a declaration or an end tag without a name."""
    end, gap = (html.find("-->", mark + 4), 3) if html.startswith("<!--", mark) else (html.find(">", mark), 1)
    return len(html) if end < 0 else end + gap


def _attributes(html: str, at: int) -> tuple[dict[str, str], int]:
    """({name: value}, where the tag is over)."""
    found: dict[str, str] = {}
    while True:
        one = ATTRIBUTE.match(html, at)
        if one is None:
            end = html.find(">", at)
            return found, len(html) if end < 0 else end + 1
        at = one.end()
        value = one[2] or ""
        if value[:1] in ("'", '"'):
            value = value[1:-1] if len(value) > 1 and value[-1] == value[0] else value[1:]
        if len(found) < ATTRIBUTES_MAX:
            found.setdefault(one[1].lower(), unescape(value[:VALUE_MAX]) if len(value) < 1_000_000 else "")


def _text(text: str, writer: _Writer) -> None:
    if text:
        told = unescape(text)
        writer.out.append(escape(told, quote=False))
        writer.text.append(re.sub(r"\s+", " ", told))


def _raw(name: str, content: str, attributes: dict[str, str], writer: _Writer) -> None:
    if name == "script":
        writer.scripts += 1
    elif name == "style":
        writer.styles.append(content.replace("<", " ") + "\n")
    elif name == "title":
        writer.title = writer.title or " ".join(unescape(content).split())[:200]
    elif name == "textarea":
        writer.tags += 1
        kept = _kept("textarea", {key: value for key, value in attributes.items() if key in FIELDS})
        writer.out.append(f"<textarea{kept}>\n{escape(unescape(content))}</textarea>")


# ---- writing


def _kept(name: str, attributes: dict[str, str]) -> str:
    allowed = EVERYWHERE | OF.get(name, frozenset()) if name != "textarea" else FIELDS | EVERYWHERE
    return "".join(f' {key}="{escape(value)}"' for key, value in attributes.items() if key in allowed or re.fullmatch(r"aria-[a-z]+", key))


def _close(name: str, writer: _Writer) -> None:
    if name in PLAIN:
        writer.out.append(f"</{name}>")
    if name in BLOCKS:
        writer.text.append("\n")


def _open(name: str, attributes: dict[str, str], writer: _Writer) -> None:
    if name == "body":
        writer.body = _kept("body", attributes)
    if name == "base" and (base := joined(writer.base, attributes.get("href", ""))):
        writer.base = base
    if name not in PLAIN and name not in VOID:
        return
    writer.tags += 1
    if name in BLOCKS:
        writer.text.append("\n")
    kept = _kept(name, attributes)
    if name == "a":
        kept += _link(attributes.get("href"), writer)
    elif name == "form":
        kept += _form(attributes, writer)
    elif name == "input":
        kept = _input(attributes, writer)
    elif name == "img":
        writer.text.append(f"[그림: {attributes.get('alt') or '설명 없음'}]")
        source = "".join(attributes.get("src", "").split())
        kept += f' src="{escape(source)}"' if PICTURE.match(source) else ""
    elif name == "button":
        writer.text.append(" [단추] ")
    writer.out.append(f"<{name}{kept}>")


def _link(href: str | None, writer: _Writer) -> str:
    if href is None:
        return ""
    if href.startswith("#"):
        return f' href="#{quote(href[1:])}"'
    url = joined(writer.base, href)
    return f' href="{escape(writer.relay)}?{escape(urlencode({"u": url}))}"' if url else ""


def _form(attributes: dict[str, str], writer: _Writer) -> str:
    """Both methods come to us as a POST: what a browser adds to an address would hide where the form leads."""
    url = joined(writer.base, attributes.get("action", "")) if attributes.get("action") else writer.base
    method = "post" if attributes.get("method", "").lower() == "post" else "get"
    if not url:
        return ""
    where = escape(urlencode({"m": method, "u": url}))
    return f' method="post" enctype="application/x-www-form-urlencoded" autocomplete="off" action="{escape(writer.relay)}?{where}"'


def _input(attributes: dict[str, str], writer: _Writer) -> str:
    kind = attributes.get("type", "text").lower()
    kind = kind if kind in INPUTS else "text"
    if kind != "hidden":
        writer.text.append(f" [입력 칸{': ' + attributes['placeholder'] if attributes.get('placeholder') else ''}] ")
    kept = _kept("input", {key: value for key, value in attributes.items() if key != "type"})
    return f'{kept} type="{kind}"'
