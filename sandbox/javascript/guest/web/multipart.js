// Reads a multipart/form-data body (RFC 7578), as Response.formData() needs it.

import { File, FormData } from './blob.js';
import { decodeUtf8, encodeUtf8 } from './text.js';

const failed = () => new TypeError('Failed to parse body as FormData.');
const unquoted = (text) => text.replace(/%0A/gi, '\n').replace(/%0D/gi, '\r').replace(/%22/g, '"');

/** Where `wanted` begins in `bytes` from `at` on; -1 when it does not. */
function find(bytes, wanted, at) {
  for (let index = bytes.indexOf(wanted[0], at); index >= 0; index = bytes.indexOf(wanted[0], index + 1)) {
    let matched = 1;
    while (matched < wanted.length && bytes[index + matched] === wanted[matched]) matched += 1;
    if (matched === wanted.length) return index;
  }
  return -1;
}

function headersOf(text) {
  const headers = new Map();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1) throw failed();
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

/** The form in `bytes`, whose content type is `type`. Raises TypeError when it is none. */
export function parseMultipart(bytes, type) {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
  if (boundary === null) throw failed();
  const mark = encodeUtf8(`--${boundary[1] ?? boundary[2]}`);
  const between = encodeUtf8(`\r\n--${boundary[1] ?? boundary[2]}`);
  const blank = encodeUtf8('\r\n\r\n');
  const form = new FormData();
  if (find(bytes, mark, 0) !== 0) throw failed();
  let at = mark.length;
  while (!(bytes[at] === 0x2d && bytes[at + 1] === 0x2d)) {
    if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) throw failed();
    const head = find(bytes, blank, at);
    const end = head < 0 ? -1 : find(bytes, between, head + 2);
    if (end < 0) throw failed();
    append(form, headersOf(decodeUtf8(bytes.subarray(at + 2, head))), bytes.subarray(head + 4, end));
    at = end + between.length;
  }
  return form;
}

function append(form, headers, body) {
  const disposition = headers.get('content-disposition') ?? '';
  const name = /^form-data\s*;(?:.*;)?\s*name="([^"]*)"/i.exec(disposition);
  if (name === null) throw failed();
  const filename = /;\s*filename="([^"]*)"/i.exec(disposition);
  if (filename === null) return form.append(unquoted(name[1]), decodeUtf8(body));
  const type = headers.get('content-type') ?? 'text/plain';
  return form.append(unquoted(name[1]), new File([body], unquoted(filename[1]), { type }));
}
