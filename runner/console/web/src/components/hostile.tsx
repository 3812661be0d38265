import { useState } from "preact/hooks";
import { texts } from "../texts";
import { pieces, prefix } from "./escape";

interface Props {
  text: string;
  /** UTF-16 units that are shown at first. */
  limit?: number;
  /** Keeps line ends and spaces. */
  block?: boolean;
  /** No button for the rest, only an ellipsis: in links and buttons, and where the row is cut anyway. */
  brief?: boolean;
}

const MORE = 32; // times as much with each press: a megabyte is there after two

/** Text from tenants, users, packages or the network, as text nodes; see `pieces`. */
export function Hostile({ text, limit = 2000, block = false, brief = false }: Props) {
  const [shown, setShown] = useState(limit);
  const start = prefix(text, shown);
  const rest = text.length - start.length;
  return (
    <bdi class={block ? "hostile block" : "hostile"}>
      {pieces(start).map((piece, index) =>
        piece.escaped ? (
          <span key={index} class="escaped">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
      {rest > 0 && brief && "…"}
      {rest > 0 && !brief && (
        <>
          {"… "}
          <button type="button" class="inline" onClick={() => setShown(shown * MORE)}>
            {texts.more(rest)}
          </button>
        </>
      )}
    </bdi>
  );
}
