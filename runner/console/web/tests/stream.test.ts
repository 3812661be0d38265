import { expect, test } from "vitest";
import { Parser, type StreamEvent } from "../src/api/stream";

const STREAM = ': open\n\nid: 1\ndata: {"a":1}\n\n: 12 executions were left out\n\nevent: dropped\ndata: {"count":\ndata: 3}\r\n\r\nid: 2\ndata: é🙂\n\n';

function parsed(pieces: string[]) {
  const events: StreamEvent[] = [];
  const comments: string[] = [];
  const parser = new Parser({ onEvent: (event) => events.push(event), onComment: (text) => comments.push(text) });
  pieces.forEach((piece) => parser.take(piece));
  return { events, comments };
}

test("events and comments are told apart", () => {
  expect(parsed([STREAM])).toEqual({
    comments: ["open", "12 executions were left out"],
    events: [
      { type: "message", id: "1", data: '{"a":1}' },
      { type: "dropped", id: "1", data: '{"count":\n3}' },
      { type: "message", id: "2", data: "é🙂" },
    ],
  });
});

test("a stream may be cut anywhere", () => {
  const whole = parsed([STREAM]);
  for (let cut = 1; cut < STREAM.length; cut += 1) {
    expect(parsed([STREAM.slice(0, cut), STREAM.slice(cut)])).toEqual(whole);
  }
});

test("what comes last without an empty line is left out", () => {
  expect(parsed(["data: half"]).events).toEqual([]);
});
