// JSON.parse with the errors of V8, which scripts log when an API answers with a page of HTML.

import { SyntaxErrorCtor, defineHidden, jsonParse, reflectApply, stringSlice, toText } from './primordials.js';

const AROUND = 10;
const SHORT = 2 * AROUND + 1;
const SPECIAL = ['[object Object]', 'NaN', 'Infinity', 'undefined'];
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORDS = ['true', 'false', 'null'];

/** What is wrong, and where: thrown within this module only. */
class Wrong {
  constructor(at, message) {
    this.at = at;
    this.message = message;
  }
}

class Scanner {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }
  space() {
    SPACE.lastIndex = this.at;
    this.at += SPACE.exec(this.text)[0].length;
  }
  wrong(message) {
    throw new Wrong(this.at, message);
  }
  /** What is there can be no part of a value. */
  unexpected() {
    const found = this.text[this.at];
    if (found === '"') this.wrong('Unexpected string');
    this.wrong(found !== undefined && /[-\d]/.test(found) ? 'Unexpected number' : undefined);
  }
  whole() {
    this.space();
    this.value();
    this.space();
    if (this.at < this.text.length) this.wrong('Unexpected non-whitespace character after JSON');
  }
  value() {
    const first = this.text[this.at];
    if (first === '{') this.object();
    else if (first === '[') this.array();
    else if (first === '"') this.string();
    else if (first !== undefined && /[-\d]/.test(first)) this.number();
    else this.word();
  }
  word() {
    const word = WORDS.find((one) => one[0] === this.text[this.at]);
    if (word === undefined) this.unexpected();
    for (const letter of word) {
      if (this.text[this.at] !== letter) this.unexpected();
      this.at += 1;
    }
  }
  number() {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) {
      this.at += 1;
      throw new Wrong(this.at, 'No number after minus sign');
    }
    const next = this.text[this.at + found[0].length];
    const zero = /^-?0$/.test(found[0]) && next !== undefined && /\d/.test(next);
    this.at += found[0].length;
    if (zero) throw new Wrong(this.at, 'Unexpected number');
    if (next === '.' && !/[.e]/i.test(found[0])) throw new Wrong(this.at + 1, 'Unterminated fractional number');
    if ((next === 'e' || next === 'E') && !/e/i.test(found[0])) {
      const sign = /[+-]/.test(this.text[this.at + 1] ?? '') ? 2 : 1;
      throw new Wrong(this.at + sign, 'Exponent part is missing a number');
    }
  }
  string() {
    for (this.at += 1; ; this.at += 1) {
      const character = this.text[this.at];
      if (character === undefined) throw new Wrong(this.at, 'Unterminated string');
      if (character === '"') break;
      if (character < ' ') throw new Wrong(this.at, 'Bad control character in string literal');
      if (character === '\\') this.escape();
    }
    this.at += 1;
  }
  escape() {
    this.at += 1;
    const kind = this.text[this.at];
    if (kind === undefined) throw new Wrong(this.at, 'Unterminated string');
    if (kind === 'u') {
      for (let count = 0; count < 4; count += 1) {
        this.at += 1;
        if (this.text[this.at] === undefined) throw new Wrong(this.at, 'Bad Unicode escape');
        if (!/[\da-f]/i.test(this.text[this.at])) throw new Wrong(this.at, 'Bad Unicode escape');
      }
    } else if (!'"\\/bfnrt'.includes(kind)) {
      throw new Wrong(this.at, 'Bad escaped character');
    }
  }
  array() {
    this.at += 1;
    this.space();
    if (this.text[this.at] === ']') return void (this.at += 1);
    for (;;) {
      this.value();
      this.space();
      const next = this.text[this.at];
      if (next === ']') return void (this.at += 1);
      if (next !== ',') this.wrong("Expected ',' or ']' after array element");
      this.at += 1;
      this.space();
    }
  }
  object() {
    this.at += 1;
    this.space();
    if (this.text[this.at] === '}') return void (this.at += 1);
    if (this.text[this.at] !== '"') this.wrong("Expected property name or '}'");
    for (;;) {
      this.string();
      this.space();
      if (this.text[this.at] !== ':') this.wrong("Expected ':' after property name");
      this.at += 1;
      this.space();
      this.value();
      this.space();
      const next = this.text[this.at];
      if (next === '}') return void (this.at += 1);
      if (next !== ',') this.wrong("Expected ',' or '}' after property value");
      this.at += 1;
      this.space();
      if (this.text[this.at] !== '"') this.wrong('Expected double-quoted property name');
    }
  }
}

/** V8's message for a text that is no JSON; undefined when the text is JSON after all. */
function explain(text) {
  try {
    new Scanner(text).whole();
    return undefined;
  } catch (problem) {
    if (!(problem instanceof Wrong)) throw problem;
    const { at, message } = problem;
    if (message === undefined && at >= text.length) return 'Unexpected end of JSON input';
    if (message !== undefined) return `${message} in JSON at position ${at} (line ${lineOf(text, at)} column ${columnOf(text, at)})`.replace('after JSON in JSON', 'after JSON');
    if (SPECIAL.includes(text)) return `"${text}" is not valid JSON`;
    return `Unexpected token '${stringSlice(text, at, at + 1)}', ${shown(text, at)} is not valid JSON`;
  }
}

const lineOf = (text, at) => stringSlice(text, 0, at).split(/\r\n|\n|\r/).length;
const columnOf = (text, at) => at - Math.max(text.lastIndexOf('\n', at - 1), text.lastIndexOf('\r', at - 1));

/** The text, or the part of it around `at`. */
function shown(text, at) {
  if (text.length < SHORT) return `"${text}"`;
  if (at < AROUND) return `"${stringSlice(text, 0, at + AROUND)}"...`;
  if (at < text.length - AROUND) return `..."${stringSlice(text, at - AROUND, at + AROUND)}"...`;
  return `..."${stringSlice(text, at - AROUND)}"`;
}

export const parseJson = {
  parse(given, reviver) {
    const text = toText(given);
    try {
      return reflectApply(jsonParse, undefined, [text, reviver]);
    } catch (error) {
      if (!(error instanceof SyntaxErrorCtor)) throw error;
      const message = explain(text);
      if (message === undefined) throw error; // a reviver's own
      throw new SyntaxErrorCtor(message);
    }
  },
}.parse;

export function installJson() {
  defineHidden(JSON, 'parse', parseJson);
}
