import { useEffect, useRef } from "preact/hooks";
import { MergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { common, type Written } from "./editor";

interface Props {
  before: string;
  after: string;
  written: Written;
  labels: readonly [string, string];
  /** The right side can be edited, and the left one's parts taken over. */
  onChange?: (text: string) => void;
}

/** Two texts beside each other, with what differs. */
export function Merge({ before, after, written, labels, onChange }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!box.current) {
      return undefined;
    }
    const readOnly = [EditorState.readOnly.of(true), EditorView.editable.of(false)];
    const told = EditorView.updateListener.of((update) => {
      if (update.docChanged) {
        onChange?.(update.state.doc.toString());
      }
    });
    const view = new MergeView({
      parent: box.current,
      a: { doc: before, extensions: [common(written, labels[0]), readOnly] },
      b: { doc: after, extensions: [common(written, labels[1]), onChange ? told : readOnly] },
      collapseUnchanged: { margin: 3, minSize: 6 },
      highlightChanges: before.length + after.length < 200_000,
      ...(onChange && { revertControls: "a-to-b" as const }),
    });
    return () => view.destroy();
  }, [before]);
  return <div ref={box} class="merge" />;
}
