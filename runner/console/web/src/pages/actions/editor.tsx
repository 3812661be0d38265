import { useEffect, useRef } from "preact/hooks";
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { python } from "@codemirror/lang-python";
import { bracketMatching, foldGutter, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension, type Text } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { plain } from "../../components/escape";
import { nonce } from "../../nonce";
import { type Declarations, optionsAfter, type Problem } from "./declarations";

export type Written = "javascript" | "typescript" | "python";

/** Bidirectional controls are shown as characters of their own, as other unseen ones are. */
const UNSEEN = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], class: "cm-word" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], class: "cm-text" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], class: "cm-value" },
  { tag: [tags.comment], class: "cm-note" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.className], class: "cm-call" },
  { tag: [tags.propertyName], class: "cm-member" },
  { tag: [tags.invalid], class: "cm-wrong" },
]);

function languageOf(written: Written): Extension {
  return written === "python" ? python() : javascript({ typescript: written === "typescript" });
}

/** What every editor of the console has; also the two of a merge view. Tab leaves it. */
export function common(written: Written, label: string): Extension[] {
  return [
    nonce ? EditorView.cspNonce.of(nonce) : [],
    lineNumbers(),
    highlightSpecialChars({ addSpecialChars: UNSEEN }),
    languageOf(written),
    syntaxHighlighting(colours),
    bracketMatching(),
    drawSelection(),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off" }),
  ];
}

/**
 * Typing over a selection of several lines: left to itself, Chromium keeps their look in inline styles, which the page's
 * policy refuses and reports.
 */
const overLines = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to } = view.state.selection.main;
    const lines = view.state.doc;
    if (event.inputType !== "insertText" || event.data === null || lines.lineAt(from).number === lines.lineAt(to).number) {
      return false;
    }
    const text = event.data;
    const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type" });
    event.preventDefault();
    if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert))) {
      view.dispatch(insert());
    }
    return true;
  },
});

interface Props {
  text: string;
  /** Changes when `text` was replaced by something else than typing: then it takes the place of what is there. */
  turn: number;
  written: Written;
  label: string;
  onChange: (text: string) => void;
  problems: readonly Problem[];
  declarations: () => Promise<Declarations>;
  secrets: readonly string[];
  readOnly?: boolean;
}

/** The editor of a source. */
export function Editor(props: Props) {
  const { turn, written, label, problems, readOnly = false } = props;
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const editor = new EditorView({
      parent: box.current ?? undefined,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          common(written, label),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          highlightSelectionMatches(),
          foldGutter(),
          history(),
          overLines,
          indentOnInput(),
          closeBrackets(),
          lintGutter(),
          autocompletion({ override: [(context) => complete(context, latest.current)] }),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap.filter(({ key }) => key !== "Mod-Enter"), ...searchKeymap, ...historyKeymap]),
          EditorState.readOnly.of(readOnly),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) {
              latest.current.onChange(update.state.doc.toString());
            }
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [written, label, readOnly]);

  useEffect(() => {
    const editor = view.current;
    const { text } = latest.current;
    if (editor && editor.state.doc.toString() !== text) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
    }
  }, [turn]);

  useEffect(() => {
    const editor = view.current;
    if (editor) {
      editor.dispatch(setDiagnostics(editor.state, problems.map((problem) => diagnostic(editor.state.doc, problem))));
    }
  }, [problems]);

  return <div ref={box} class="editor" />;
}

function diagnostic(document: Text, { line, column, text }: Problem): Diagnostic {
  const at = document.line(Math.min(Math.max(1, line), document.lines));
  const from = Math.min(at.from + Math.max(0, column - 1), at.to);
  return { from, to: Math.max(from, at.to), severity: "error", message: plain(text, 2000) };
}

async function complete(context: CompletionContext, { declarations, secrets }: Props): Promise<CompletionResult | null> {
  const found = context.matchBefore(/\b(?:event|api)(?:\??\.\w*)+$/);
  if (!found) {
    const word = context.matchBefore(/\b\w+$/);
    return word && context.explicit
      ? { from: word.from, options: [{ label: "event", type: "variable" }, { label: "api", type: "variable" }] }
      : null;
  }
  const path = found.text.split(/\??\./);
  const last = path.pop() ?? "";
  try {
    const options = optionsAfter(await declarations(), path, secrets);
    return {
      from: found.to - last.length,
      validFor: /^\w*$/,
      options: options.map(({ label, detail, info, type }) => ({
        label,
        type,
        detail: plain(detail, 80),
        ...(info && { info: plain(info, 1000) }),
      })),
    };
  } catch {
    return null; // the service cannot be reached: no completions
  }
}
