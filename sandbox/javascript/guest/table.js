// console.table, with the box that Node draws.

import { getStringWidth, inspect } from './inspect.js';

const OPTIONS = { maxArrayLength: 3, breakLength: Infinity, depth: 1 };
const show = (value) => inspect(value, OPTIONS);

/** The table of `data`, or undefined when there is nothing tabular in it. */
export function table(data, columns) {
  if (data === null || typeof data !== 'object') return undefined;
  const { index, rows } = rowsOf(data);
  const names = [];
  const hasValues = rows.some((row) => row === null || typeof row !== 'object' || isOpaque(row));
  for (const row of rows) {
    if (row === null || typeof row !== 'object' || isOpaque(row)) continue;
    for (const key of columns ?? Object.keys(row)) if (!names.includes(key)) names.push(key);
  }
  const head = [index.name, ...names];
  const body = rows.map((row, at) => [
    index.keys[at],
    ...names.map((name) => cell(row, name)),
  ]);
  if (hasValues) {
    head.push('Values');
    rows.forEach((row, at) => body[at].push(row !== null && typeof row === 'object' && !isOpaque(row) ? '' : show(row)));
  }
  return draw(head, body);
}

function rowsOf(data) {
  if (data instanceof Map) {
    const keys = [...data.keys()];
    return {
      index: { name: '(iteration index)', keys: keys.map((_, at) => String(at)) },
      rows: keys.map((key) => ({ Key: key, Values: data.get(key) })),
    };
  }
  if (data instanceof Set) {
    const rows = [...data];
    return { index: { name: '(iteration index)', keys: rows.map((_, at) => String(at)) }, rows };
  }
  const keys = Object.keys(data);
  return { index: { name: '(index)', keys }, rows: keys.map((key) => data[key]) };
}

const isOpaque = (value) => typeof value === 'function';

function cell(row, name) {
  if (row === null || typeof row !== 'object' || !Object.hasOwn(row, name)) return '';
  return show(row[name]);
}

function draw(head, body) {
  const widths = head.map((text, column) =>
    Math.max(getStringWidth(text), ...body.map((row) => getStringWidth(row[column] ?? ''))) + 2);
  const line = (left, middle, right) => left + widths.map((width) => '─'.repeat(width)).join(middle) + right;
  const row = (cells) =>
    '│' + cells.map((text, column) => ' ' + text + ' '.repeat(widths[column] - getStringWidth(text) - 1)).join('│') + '│';
  return [
    line('┌', '┬', '┐'), row(head), line('├', '┼', '┤'), ...body.map(row), line('└', '┴', '┘'),
  ].join('\n');
}
