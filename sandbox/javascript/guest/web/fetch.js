// fetch: the host makes the request and answers with the whole response.

import { markOrigin } from '../errors.js';
import { operate, refusal } from '../operations.js';
import { Request, isEmpty, responseFromHost, take } from './body.js';
import { describeBreakage } from './network-errors.js';

/** A failure of the network, in the form that Node gives it; `error` was made where fetch was called. */
function networkError(error, told, url) {
  const cause = describeBreakage(new Error(told.message), told, url);
  Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true });
  return markOrigin(error, 'egress', told.rule);
}

/** An argument that the host refuses where the standard does not: a TypeError like those that the standard has. */
function refusedArgument(error, told) {
  Object.defineProperty(error, 'message', { value: told.message, writable: true, configurable: true });
  return error;
}

export async function fetch(input, init = undefined) {
  const failed = new TypeError('fetch failed'); // knows the tenant's line, which is gone after an await
  const refused = refusal(); // before a request is made of it: thousands of them take seconds
  if (refused !== undefined) throw networkError(failed, refused.error, '');
  const request = new Request(input, init);
  const { signal } = request;
  signal.throwIfAborted();
  const body = isEmpty(request) ? null : (await take(request)).toBase64();
  signal.throwIfAborted();
  const { promise, abandon } = operate('fetch', JSON.stringify({
    url: request.url, method: request.method, headers: [...request.headers], body, timeoutMs: null,
    redirect: request.redirect,
  }));
  const answer = await Promise.race([promise, aborted(signal, abandon)]);
  if (answer.error?.argument === true) throw refusedArgument(failed, answer.error);
  if (answer.error !== undefined) throw networkError(failed, answer.error, request.url);
  return responseFromHost(answer.ok);
}

/** A promise that rejects when the signal fires, after giving up the request. */
function aborted(signal, abandon) {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => {
      abandon();
      reject(signal.reason);
    }, { once: true });
  });
}
