"""Markdown of lessons: what becomes a button, and that markup of others stays text."""

from lessons.prose import fences, render, render_line, stray_marks


def test_html_in_markdown_stays_text() -> None:
    html = render("<script>alert(1)</script>\n\n글 <b onclick=x>굵게</b> & `<i>`")
    assert "<script" not in html and "<b" not in html and "&lt;script&gt;" in html and "<code>&lt;i&gt;</code>" in html


def test_a_dangerous_link_stays_text() -> None:
    assert "<a" not in render("[누르기](javascript:alert(1))")


def test_a_link_opens_beside_the_lab() -> None:
    assert render_line('[설명서](https://kubernetes.io/?a=1&b="2")').startswith(
        '<a href="https://kubernetes.io/?a=1&amp;b=%222%22" rel="noopener" target="_blank">'
    )


def test_a_command_comes_with_a_button_that_types_it() -> None:
    html = render("```sh\nkubectl exec a -- sh -c 'echo \"<b>\"'\n```")
    typed = "kubectl exec a -- sh -c &#x27;echo &quot;&lt;b&gt;&quot;&#x27;"
    assert f'data-type="{typed}">터미널에 넣기</button>' in html and f"<code>{typed}</code>" in html


def test_a_manifest_comes_with_a_button_that_opens_it() -> None:
    html = render('```yaml "web".yaml\nkind: Pod\n```')
    assert 'data-yaml="kind: Pod" data-yaml-name="&quot;web&quot;.yaml">YAML에서 열기</button>' in html


def test_why_asks_for_a_cause_chain() -> None:
    html = render("```why pods/default/web#app\n왜? <묻기>\n```")
    assert html == ('<p class="ask"><button type="button" data-why="pods/default/web#app">왜? &lt;묻기&gt;</button></p>')


def test_power_presses_the_button_of_a_node() -> None:
    html = render("```power node-2 off\n전원 끄기\n```")
    assert 'data-send="{"action": "fault", "node": "node-2", "power": "off"}">전원 끄기</button>' in html.replace("&quot;", '"')
    assert "data-send" not in render("```power node-2 explode\n전원 끄기\n```")


def test_other_fences_are_what_a_machine_says() -> None:
    assert render("```\n<none>\n```") == '<pre class="said"><code>&lt;none&gt;</code></pre>'


def test_a_particle_stays_with_the_bracket_before_it_and_a_command_is_copied_as_it_is() -> None:
    assert render_line("컨테이너(container)에서는 50%이고 **둘**이") == "컨테이너(container)\u2060에서는 50%\u2060이고 <strong>둘</strong>이"
    assert render_line("`main()`은 [잡(Job)](https://kubernetes.io/)의").endswith("</a>\u2060의") and "</code>\u2060은" in render_line("`main()`은")
    assert "\u2060" not in render("```sh\necho '(값)은'\n```\n\n`(값)은`\n\n(값) 은 파드의")


def test_tables_are_tables() -> None:
    assert "<td>2/2</td>" in render("| READY |\n|---|\n| 2/2 |")


def test_one_line_has_no_block_around_it() -> None:
    assert render_line("`web`은 **하나**입니다") == "<code>web</code>은 <strong>하나</strong>입니다"


def test_an_emphasis_that_did_not_take_is_found_outside_code_only() -> None:
    assert stray_marks(render("이것은 **파드(Pod)**는")).endswith("**")
    assert stray_marks(render("`**` 그리고\n\n```\n**\n```\n\n**파드**(Pod)는")) == ""


def test_fences_are_told_with_language_and_name() -> None:
    assert fences("```sh\na\n```\n\n```yaml x.yaml\nb\n```\n\n~~~\nc\n~~~") == [
        ("sh", "", "a\n"),
        ("yaml", "x.yaml", "b\n"),
        ("", "", "c\n"),
    ]


def test_a_name_stays_on_one_line_and_a_long_one_may_break() -> None:
    assert render_line("`db-1`과 `kubectl -n db`") == '<code class="whole">db-1</code>과 <code>kubectl -n db</code>'
    assert render_line("`ImagePullBackOff` `web`") == '<code class="whole">ImagePullBackOff</code> <code>web</code>'
    assert render_line("`nginx-deployment-of-mine` `<b-1>`") == '<code>nginx-deployment-of-mine</code> <code class="whole">&lt;b-1&gt;</code>'


def test_a_line_never_ends_behind_the_hyphen_of_a_numbered_name() -> None:
    assert '<span class="whole">node-2</span>에서' in render("파드를 node-2에서 돌립니다")
    assert '<span class="whole">order-1</span>' in render_line("order-1과 <b>")
    assert "whole" not in render("v1-beta-2-x와 e2e-test")
