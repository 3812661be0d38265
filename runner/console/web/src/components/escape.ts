/** How text from tenants, users and packages is shown: in pieces, of which some are escaped visibly. */

export interface Piece {
  readonly text: string;
  /** The character as an escape: it was a control, formatting or private character, or half of a pair. */
  readonly escaped: boolean;
}

// Everything that is not seen or moves what is: control (but tab and line feed), format (bidirectional, zero width,
// tags), surrogate and private characters, other line ends, blank fillers, variation selectors past the sixteenth.
const UNSEEN =
  /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|\u034f|\u17b4|\u17b5|[\u{e0100}-\u{e01ef}]/gu;
const JOINED = /\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]*$/u;
const JOINING = /^\p{Extended_Pictographic}/u;

/** The pieces of `text`, in order. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let plain = 0;
  for (const { 0: character, index } of text.matchAll(UNSEEN)) {
    const end = index + character.length;
    if (character === "\u200d" && JOINED.test(text.slice(Math.max(0, index - 8), index)) && JOINING.test(text.slice(end))) {
      continue; // within an emoji
    }
    if (index > plain) {
      found.push({ text: text.slice(plain, index), escaped: false });
    }
    found.push({ text: escapeOf(character), escaped: true });
    plain = end;
  }
  if (plain < text.length) {
    found.push({ text: text.slice(plain), escaped: false });
  }
  return found;
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** `text` as one string with escapes: for attributes as `title` and `aria-label`, and for what is copied into messages. */
export function plain(text: string, limit = 200): string {
  const shown = pieces(prefix(text, limit)).map((piece) => piece.text).join("");
  return text.length > limit ? `${shown}…` : shown;
}

/** The first `length` UTF-16 units of `text`, one less rather than half of a pair. */
export function prefix(text: string, length: number): string {
  if (text.length <= length) {
    return text;
  }
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
