// Puts calls in front of statements without moving any of them. Reads {text, points, tail, watched} as JSON and
// writes {text, lines} or {error, line, column}. Started by statements.py with Node, whose own parser it uses:
// nothing of the text is run.
//
// A call goes to the end of the token before its statement, which is on an earlier line, so that every token
// keeps its line and column.
"use strict";

// @ts-expect-error -- Node's own modules have no types
const acorn = require("internal/deps/acorn/acorn/dist/acorn");
// @ts-expect-error -- the same
const walk = require("internal/deps/acorn/acorn-walk/dist/walk");

const BLOCKS = new Set(["Program", "BlockStatement", "StaticBlock", "SwitchCase"]);
const BODIES = ["body", "consequent", "alternate"];
const SINGLE = new Set([
  "IfStatement", "ForStatement", "ForInStatement", "ForOfStatement", "WhileStatement", "DoWhileStatement",
  "WithStatement",
]);
const CHANGING = new Set(["AssignmentExpression", "UpdateExpression", "AwaitExpression", "YieldExpression"]);
const OPTIONS = {
  ecmaVersion: "latest", locations: true, allowReturnOutsideFunction: true, allowHashBang: true,
};

function parsed(text) {
  let first;
  for (const sourceType of ["script", "module"]) {
    const tokens = [];
    try {
      return { tree: acorn.parse(text, { ...OPTIONS, sourceType, onToken: tokens }), tokens };
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

function statements({ tree, tokens }) {
  const before = new Map();
  tokens.forEach((token, index) => before.set(token.start, index === 0 ? null : tokens[index - 1]));
  const found = new Map();
  walk.fullAncestor(tree, (node, ancestors) => {
    const parent = ancestors.at(-2);
    if (!/(?:Statement|Declaration)$/.test(node.type) || parent === undefined || node.directive !== undefined) return;
    if (node.type === "BlockStatement" || node.type === "EmptyStatement" || !before.has(node.start)) return;
    const previous = before.get(node.start);
    const line = node.loc.start.line;
    if (previous !== null && previous.loc.end.line === line) return;
    const inBlock = BLOCKS.has(parent.type) && node !== parent.test;
    const single = SINGLE.has(parent.type) && BODIES.some((name) => parent[name] === node);
    if (!inBlock && !single) return;
    found.set(line, { at: previous === null ? 0 : previous.end, end: node.end, single });
  });
  return found;
}

// Complains about an expression that does not stand alone, or changes something by itself.
function checkExpression(text) {
  const comments = [];
  const node = acorn.parseExpressionAt(text, 0, { ...OPTIONS, allowAwaitOutsideFunction: true, onComment: comments });
  if (comments.length > 0 || text.slice(node.end).trim() !== "") throw new SyntaxError("it is not one expression");
  walk.full(node, (inner) => {
    if (CHANGING.has(inner.type) || (inner.type === "UnaryExpression" && inner.operator === "delete")) {
      throw new SyntaxError("it would change something or wait, and an expression only looks");
    }
  });
}

function answer({ text, points, tail, watched }) {
  for (const point of points) {
    try {
      checkExpression(point.expression);
    } catch (error) {
      return { error: error.message, expression: point.expression };
    }
  }
  let found;
  try {
    found = statements(parsed(text));
  } catch (error) {
    return { error: error.message, line: error.loc?.line ?? 1 };
  }
  const pieces = [];
  const put = (line, code) => {
    const place = found.get(line);
    if (place === undefined) return;
    pieces.push([place.at, 1, place.single ? `{${code};` : `;${code};`]);
    if (place.single) pieces.push([place.end, 0, "}"]);
  };
  if (watched !== "") for (const line of found.keys()) put(line, watched.replace("LINE", String(line)));
  for (const point of points) put(point.line, point.code);
  pieces.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  let made = "";
  let at = 0;
  for (const [offset, , code] of pieces) {
    made += text.slice(at, offset) + code;
    at = offset;
  }
  return { text: `${made}${text.slice(at)}\n${tail}`, lines: [...found.keys()].sort((a, b) => a - b) };
}

process.stdout.write(JSON.stringify(answer(JSON.parse(require("fs").readFileSync(0, "utf8")))));
