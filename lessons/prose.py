"""Markdown -> HTML for lessons: commands and manifests come with a button, everything else is plain CommonMark with tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

_markdown = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable(["table", "strikethrough"])


def _fence(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """```sh -> a command to type; ```yaml name.yaml -> a manifest to open in the editor; anything else -> what a machine says."""
    token = tokens[index]
    language, _, name = token.info.strip().partition(" ")
    text = escape(token.content.rstrip("\n"))
    if language == "sh":
        button = f'<button type="button" class="quiet" data-type="{text}">터미널에 넣기</button>'
        return f'<div class="command"><pre><code>{text}</code></pre>{button}</div>'
    if language == "yaml":
        button = f'<button type="button" class="quiet" data-yaml="{text}" data-yaml-name="{escape(name.strip() or "lesson.yaml")}">YAML에서 열기</button>'
        return f'<div class="manifest"><pre><code>{text}</code></pre>{button}</div>'
    return f'<pre class="said"><code>{text}</code></pre>'


_markdown.add_render_rule("fence", _fence)


def render(text: str) -> str:
    """HTML of a lesson's Markdown. Raw HTML in it stays text."""
    html: str = _markdown.render(text)
    return html.strip()
