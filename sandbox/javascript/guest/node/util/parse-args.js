// util.parseArgs.

import { coded, wrongType } from '../errors.js';

const problem = (kind, message) => coded(TypeError, `ERR_PARSE_ARGS_${kind}`, message);

function demandOptions(options) {
  for (const [name, option] of Object.entries(options)) {
    if (option.type !== 'string' && option.type !== 'boolean') throw wrongType(`options.${name}.type`, "one of: 'string', 'boolean'", option.type);
    if (option.short !== undefined && option.short.length !== 1) {
      throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The property 'options.${name}.short' must be a single character. Received '${option.short}'`);
    }
  }
}

/** Each argument as Node's tokens have it: {kind, name, rawName, value, inlineValue, index}. */
function tokensOf(args, options) {
  const byShort = new Map(Object.entries(options).filter(([, option]) => option.short).map(([name, option]) => [option.short, name]));
  const isText = (name) => options[name]?.type === 'string';
  const tokens = [];
  const queue = args.map((text, index) => ({ text, index }));
  while (queue.length) {
    const { text, index } = queue.shift();
    const takeValue = () => (queue.length && !/^-./.test(queue[0].text) ? queue.shift().text : undefined);
    if (text === '--') {
      tokens.push({ kind: 'option-terminator', index }, ...queue.splice(0).map((rest) => ({ kind: 'positional', index: rest.index, value: rest.text })));
    } else if (/^--[^=]+=/.test(text)) {
      const at = text.indexOf('=');
      tokens.push({ kind: 'option', name: text.slice(2, at), rawName: text.slice(0, at), index, value: text.slice(at + 1), inlineValue: true });
    } else if (/^--./.test(text)) {
      const name = text.slice(2);
      const value = isText(name) ? takeValue() : undefined;
      tokens.push({ kind: 'option', name, rawName: text, index, value, inlineValue: value === undefined ? undefined : false });
    } else if (/^-[^-]/.test(text)) {
      const name = byShort.get(text[1]) ?? text[1];
      if (text.length === 2) {
        const value = isText(name) ? takeValue() : undefined;
        tokens.push({ kind: 'option', name, rawName: text, index, value, inlineValue: value === undefined ? undefined : false });
      } else if (isText(name)) {
        tokens.push({ kind: 'option', name, rawName: text.slice(0, 2), index, value: text.slice(2), inlineValue: true });
      } else {
        queue.unshift({ text: `-${text.slice(2)}`, index });
        tokens.push({ kind: 'option', name, rawName: text.slice(0, 2), index, value: undefined, inlineValue: undefined });
      }
    } else {
      tokens.push({ kind: 'positional', index, value: text });
    }
  }
  return tokens;
}

function demandKnown(token, options, allowPositionals) {
  const { name, rawName, value } = token;
  const option = options[name];
  if (option === undefined) {
    const more = allowPositionals
      ? `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- ${JSON.stringify(rawName)}` : '';
    throw problem('UNKNOWN_OPTION', `Unknown option '${rawName}'${more}`);
  }
  const shown = `${option.short ? `-${option.short}, ` : ''}--${name}`;
  if (option.type === 'string' && typeof value !== 'string') throw problem('INVALID_OPTION_VALUE', `Option '${shown} <value>' argument missing`);
  if (option.type === 'boolean' && value !== undefined && typeof value !== 'boolean') {
    throw problem('INVALID_OPTION_VALUE', `Option '${shown}' does not take an argument`);
  }
}

export function parseArgs(config = {}) {
  const { args = [], options = {}, strict = true, allowPositionals = !strict, allowNegative = false, tokens: wantsTokens = false } = config;
  demandOptions(options);
  const tokens = tokensOf([...args], options);
  const made = { values: { __proto__: null }, positionals: [] };
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (!allowPositionals) throw problem('UNEXPECTED_POSITIONAL', `Unexpected argument '${token.value}'. This command does not take positional arguments`);
      made.positionals.push(token.value);
    } else if (token.kind === 'option') {
      let { name, value } = token;
      if (allowNegative && value === undefined && name.startsWith('no-') && options[name] === undefined) [name, value] = [name.slice(3), false];
      if (strict) demandKnown({ ...token, name, value }, options, allowPositionals);
      store(made.values, name, value ?? true, options[name]);
    }
  }
  for (const [name, option] of Object.entries(options)) {
    if (option.default !== undefined && made.values[name] === undefined) made.values[name] = option.default;
  }
  if (wantsTokens) made.tokens = tokens;
  return made;
}

function store(values, name, value, option) {
  if (name === '__proto__') return;
  if (option?.multiple) (values[name] ??= []).push(value);
  else values[name] = value;
}
