"""Markdown -> HTML for lessons: commands and manifests come with a button, everything else is plain CommonMark with tables.

`render` is for blocks, `render_line` for one line: a question, an answer, a reason. Raw HTML stays text in both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

SHORT, WHOLE = 8, 16  # letters of a name: what fits anywhere, and what still fits into a table's cell on a phone
JOINER = "\u2060"  # a word joiner: no width, no break
ENDS = ")]%}>」…"  # behind these Chromium breaks a line before a particle, word-break: keep-all or not
PARTICLE = re.compile(rf"(?<=[{re.escape(ENDS)}])(?=[가-힣])")
NUMBERED = re.compile(r"(?<![\w-])[a-z]+-\d+(?![A-Za-z0-9-])")  # node-2, order-1
_markdown = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table")


def _fence(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """```sh -> a command to type; ```yaml name.yaml -> a manifest to open in the editor; ```why pods/default/web#container -> a
    button that asks for the cause chain; ```open http://node-1:30080/ -> a button that opens the browser tab there; ```power node-2 off
    -> a button that turns a machine off, on, or its kubelet silent; anything else -> what a machine says."""
    token = tokens[index]
    language, _, name = token.info.strip().partition(" ")
    name, text = escape(name.strip() or "lesson.yaml"), escape(token.content.rstrip("\n"))
    if language == "sh":
        button = f'<button type="button" class="quiet" data-type="{text}">터미널에 넣기</button>'
        return f'<div class="command"><pre><code>{text}</code></pre>{button}</div>'
    if language == "yaml":
        button = f'<button type="button" class="quiet" data-yaml="{text}" data-yaml-name="{name}">YAML에서 열기</button>'
        return f'<div class="manifest"><pre><code>{text}</code></pre>{button}</div>'
    if language == "why":
        return f'<p class="ask"><button type="button" data-why="{name}">{text}</button></p>'
    if language == "power" and (fault := power(name)):
        act = escape(json.dumps({"action": "fault"} | fault))
        return f'<p class="ask"><button type="button" data-send="{act}">{text}</button></p>'
    if language == "open":
        return f'<p class="ask"><button type="button" data-open="{name}">{text}</button></p>'
    return f'<pre class="said"><code>{text}</code></pre>'


def power(name: str) -> dict[str, str]:
    """{"node", "power"} of a fence ```power node-2 off; {} when it says something else."""
    match = re.fullmatch(r"([a-z0-9.-]+) (off|on|silent)", name)
    return {"node": match[1], "power": match[2]} if match else {}


def _link(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A link leaves the lab open: it opens beside it."""
    href = escape(str(tokens[index].attrGet("href")))
    return f'<a href="{href}" rel="noopener" target="_blank">'


def _code(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A name such as db-1 or ImagePullBackOff is not broken; one short word is not anyway, and a long one may be."""
    text = tokens[index].content
    whole = ' class="whole"' if " " not in text and len(text) <= WHOLE and ("-" in text or len(text) > SHORT) else ""
    return f"<code{whole}>{escape(text, quote=False)}</code>"


def _text(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A line ends before node-2, not behind its hyphen; and behind 컨테이너(container)에서, not before its particle."""
    before = next((token.content for token in reversed(tokens[:index]) if not token.type.endswith("_close")), "")
    joined = PARTICLE.sub(JOINER, before[-1:] + tokens[index].content)[len(before[-1:]) :]
    return NUMBERED.sub(r'<span class="whole">\g<0></span>', escape(joined, quote=False))


_markdown.add_render_rule("fence", _fence)
_markdown.add_render_rule("code_inline", _code)
_markdown.add_render_rule("link_open", _link)
_markdown.add_render_rule("text", _text)


def fences(text: str) -> list[tuple[str, str, str]]:
    """(language, name, content) of the fenced blocks, in order."""
    found = []
    for token in _markdown.parse(text):
        if token.type == "fence":
            language, _, name = token.info.strip().partition(" ")
            found.append((language, name.strip(), token.content))
    return found


def stray_marks(html: str) -> str:
    """The words before an emphasis mark that CommonMark left as it was, '' when there is none.

    In `**파드(Pod)**는` the closing mark stands between punctuation and a letter, and CommonMark takes it for an opening one.
    """
    bare = re.sub(r"<(pre|code)[ >].*?</\1>", "", html, flags=re.DOTALL)
    match = re.search(r"([^<>\n]{0,20})\*\*", bare)
    return match.group(1) + "**" if match else ""


def render(text: str) -> str:
    """HTML of a lesson's Markdown. Raw HTML in it stays text."""
    html: str = _markdown.render(text)
    return html.strip()


def render_line(text: str) -> str:
    """HTML of one line: emphasis, code and links only, no block. Raw HTML in it stays text."""
    html: str = _markdown.renderInline(text)
    return html.strip()
