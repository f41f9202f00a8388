// CodeMirror 6 for manifests, in a shadow root: its style sheets are constructed there, as our Content-Security-Policy asks.
// What is wrong and what may stand at the cursor is asked of the server, which knows the schema and the cluster.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { linter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const LINT_AFTER_MS = 500;
const wave = { backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px" };

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--card)", fontSize: "13px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--sunk)", color: "var(--faint)", border: "0" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 7%, transparent)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 26%, transparent)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "color-mix(in srgb, var(--accent) 18%, transparent)" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-lintRange-error, .cm-lintRange-warning": wave,
  ".cm-lintRange-active": { backgroundColor: "var(--bad-bg)" },
  ".cm-tooltip": { backgroundColor: "var(--card)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "8px", overflow: "hidden" },
  ".cm-diagnostic": { whiteSpace: "pre-wrap", maxWidth: "460px", padding: "8px 12px", fontFamily: "var(--sans)", fontSize: "13px" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--bad)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--app-bg)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--soft)", fontStyle: "normal", fontFamily: "var(--sans)", fontSize: "12px" },
  ".cm-completionInfo": { maxWidth: "320px", fontFamily: "var(--sans)", fontSize: "12px" },
  ".cm-panels": { backgroundColor: "var(--sunk)", color: "var(--ink)" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--card)", backgroundImage: "none", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "6px" },
});
const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--app)" },
  { tag: tags.string, color: "var(--side)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--eph)" },
  { tag: tags.comment, color: "var(--faint)", fontStyle: "italic" },
]);
// Typing over a selection: left to itself, Chromium would keep the replaced text's look with an inline style, which our
// Content-Security-Policy forbids. What is replaced is asked of the page, for the editor learns of a new selection only a moment later
// (and the event's own getTargetRanges are empty in a shadow root).
const replaced = (view) => {
  const range = view.dom.ownerDocument.getSelection().getComposedRanges?.({ shadowRoots: [view.root] })[0];
  if (!range || !view.contentDOM.contains(range.startContainer) || !view.contentDOM.contains(range.endContainer)) return view.state.selection.main;
  return { from: view.posAtDOM(range.startContainer, range.startOffset), to: view.posAtDOM(range.endContainer, range.endOffset) };
};
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== "insertText" || !event.data || view.composing) return false;
    const { from, to } = replaced(view);
    if (from === to) return false;
    event.preventDefault();
    const anchor = from + event.data.length;
    const plain = () => view.state.update({ changes: { from, to, insert: event.data }, selection: { anchor }, userEvent: "input.type", scrollIntoView: true });
    if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, event.data, plain))) view.dispatch(plain());
    return true;
  },
});
const phrases = EditorState.phrases.of({
  "Find": "찾기", "Replace": "바꾸기", "next": "다음", "previous": "이전", "all": "모두", "match case": "대소문자", "regexp": "정규식",
  "by word": "낱말", "replace": "바꾸기", "replace all": "모두 바꾸기", "close": "닫기", "Completions": "넣을 수 있는 말",
  "Diagnostics": "문제", "No diagnostics": "문제 없음",
});

export function createEditor(host, text, { onChange, onApply, lint, suggest }) {
  const root = host.attachShadow({ mode: "open" });
  const parent = document.createElement("div");
  parent.style.height = "100%";
  root.append(parent);
  let quiet = false;

  const check = async (view) => {
    const { doc } = view.state;
    const found = await lint(doc.toString());
    return (found ?? []).map(({ line: number, message }) => {
      const line = doc.line(Math.min(Math.max(number, 1), doc.lines));
      const from = line.from + (line.text.length - line.text.trimStart().length);
      return { from, to: Math.max(line.to, from), severity: "error", message };
    });
  };
  const complete = async (context) => {
    const word = context.matchBefore(/[\w./-]*/);
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    if (!context.explicit && (!word.text || /#/.test(before))) return null;
    const options = await suggest(context.state.sliceDoc(0, context.pos));
    if (!options?.length) return null;
    const value = /^ *(- +)*[\w./-]+: /.test(before);
    const made = options.map((option) => ({ ...option, type: value ? "constant" : "property", apply: value ? option.label : after(option) }));
    return { from: word.from, options: made, validFor: /^[\w./-]*$/ };
  };
  // A key brings its colon; a map or a list goes on in the next line, with the indentation that it needs.
  const after = (option) => (view, completion, from, to) => {
    const line = view.state.doc.lineAt(from);
    const indent = " ".repeat(/^ *(- +)*/.exec(line.text)[0].length);
    const insert = { 맵: `${option.label}:\n${indent}  `, 목록: `${option.label}:\n${indent}- ` }[option.detail] ?? `${option.label}: `;
    view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: "input.complete" });
  };

  const view = new EditorView({
    parent,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), history(), drawSelection(), highlightActiveLine(), highlightSelectionMatches(), bracketMatching(), closeBrackets(),
        autocompletion({ override: [complete], icons: false }), linter(check, { delay: LINT_AFTER_MS }),
        indentUnit.of("  "), yaml(), theme, typeOver, syntaxHighlighting(colours), phrases,
        EditorView.contentAttributes.of({ "aria-label": "매니페스트. Ctrl Enter로 적용하고, Esc 다음 Tab으로 나갑니다" }),
        keymap.of([
          { key: "Mod-Enter", run: () => (onApply(), true) },
          ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab,
        ]),
        EditorView.updateListener.of((update) => update.docChanged && !quiet && onChange()),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    setText(value) {
      quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value }, selection: { anchor: 0 } });
      quiet = false;
    },
    goTo(number) {
      const line = view.state.doc.line(Math.min(number, view.state.doc.lines));
      view.dispatch({ selection: { anchor: line.from, head: line.to }, scrollIntoView: true });
      view.focus();
    },
    focus: () => view.focus(),
  };
}
