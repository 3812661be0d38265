// Classes of errors, old and new, and how they show: in `stack`, as text, through util.inspect. Run in Node and in
// an Action by test_as_in_node.py.
const util = require('util');
const out = {};
const LAST = 157; // what follows is not looked at
const mine = (s) => typeof s !== 'string' ? s : s.split('\n').map((l) => l.replace(/^( +)at (?:new |async |Object\.|Function\.|exports\.)*(.*?) ?\(?\S*(?:classes|action)\.js:(\d+):(\d+)\)?,?( \{)?$/, (_, pad, name, line, column) => (line > LAST ? '' : `${pad}at ${name.replace('<anonymous>', '').split(' ')[0]}@${line}:${column}`)))
  .filter((l) => l !== '' && !/^ +at [^@]*$/.test(l) && !/matching cause stack/.test(l)).join('\n');
const cases = {};
function def(name, f) { cases[name] = f; }
function Old1(m) { Error.call(this); Error.captureStackTrace(this, Old1); this.name = 'Old1'; this.message = m; }
util.inherits(Old1, Error);
def('old1', () => new Old1('m1'));
function Old2(m) { Error.call(this, m); this.name = this.constructor.name; this.message = m; Error.captureStackTrace(this, this.constructor); }
Old2.prototype = Object.create(Error.prototype); Old2.prototype.constructor = Old2;
def('old2', () => new Old2('m2'));
function Old3(m) { this.message = m; this.stack = new Error(m).stack; }
Old3.prototype = Object.create(Error.prototype, { constructor: { value: Old3 }, name: { value: 'Old3' } });
def('old3', () => new Old3('m3'));
function Old4(m) { this.name = 'Old4'; this.message = m; }
Old4.prototype = new Error();
def('old4', () => new Old4('m4'));
function Old5(m) { const e = Error.apply(this, arguments); e.name = this.name = 'Old5'; this.message = e.message; Object.defineProperty(this, 'stack', { get: () => e.stack, configurable: true }); }
Old5.prototype = Object.create(Error.prototype);
def('old5', () => new Old5('m5'));
function Old6(m) { const e = new Error(m); Object.setPrototypeOf(e, Old6.prototype); return e; }
Old6.prototype = Object.create(Error.prototype, { name: { value: 'Old6', enumerable: false } });
def('old6', () => new Old6('m6'));
function Old7(m, code) { if (!(this instanceof Old7)) return new Old7(m, code); Error.captureStackTrace && Error.captureStackTrace(this); this.message = m; this.code = code; }
Old7.prototype = Object.create(Error.prototype); Old7.prototype.name = 'Old7';
def('old7', () => Old7('m7', 'E7'));
function Old8(m) { Error.captureStackTrace(this, Old8); this.message = m; }
util.inherits(Old8, TypeError);
def('old8', () => new Old8('m8'));
function Old9() { Error.captureStackTrace(this, Old9); }
util.inherits(Old9, Error); Old9.prototype.message = 'from proto'; Old9.prototype.name = 'Old9';
def('old9', () => new Old9());
function Sub(m) { Old1.call(this, m); this.name = 'Sub'; }
util.inherits(Sub, Old1);
def('sub', () => new Sub('ms'));
function NoStack(m) { this.name = 'NoStack'; this.message = m; }
util.inherits(NoStack, Error);
def('nostack', () => new NoStack('mn'));
class C1 extends Error { constructor(m) { super(m); this.name = 'C1'; } }
def('c1', () => new C1('a'));
class C2 extends Error { constructor(m) { super(m); Error.captureStackTrace(this, this.constructor); this.name = this.constructor.name; this.status = 403; } }
def('c2', () => new C2('a'));
class C3 extends Error {}
def('c3', () => new C3('a'));
class C4 extends Error { get name() { return 'C4n'; } }
def('c4', () => new C4('a'));
class C5 extends Error { name = 'C5n'; code = 'E5'; }
def('c5', () => new C5('a'));
class C6 extends TypeError { constructor() { super('x', { cause: new RangeError('inner') }); } }
def('c6', () => new C6());
class C7 extends Error { get message() { return 'computed'; } }
def('c7', () => new C7());
class C8 extends Error { toString() { return 'custom'; } }
def('c8', () => new C8('q'));
class C9 extends Error { [util.inspect.custom]() { return 'INSPECTED'; } }
def('c9', () => new C9('q'));
class C10 extends Error { get [Symbol.toStringTag]() { return 'Tag'; } }
def('c10', () => new C10('q'));
class C11 extends C1 { constructor(m) { super(m); this.extra = { a: 1 }; } }
def('c11', () => new C11('q'));
class C12 extends AggregateError { constructor() { super([new Error('i1'), new TypeError('i2')], 'agg'); this.name = 'C12'; } }
def('c12', () => new C12());
def('agg', () => new AggregateError([new Old1('x'), 5, 'str'], 'many'));
def('aggEmpty', () => new AggregateError([]));
def('causeOld', () => new Error('outer', { cause: new Old1('in') }));
def('causeText', () => new Error('outer', { cause: 'text' }));
def('causeObj', () => new Error('outer', { cause: { code: 5 } }));
def('causeUndef', () => new Error('outer', { cause: undefined }));
def('causeNull', () => new Error('outer', { cause: null }));
def('causeChain', () => new Error('a', { cause: new Error('b', { cause: new Error('c') }) }));
def('causeAssigned', () => { const e = new Error('a'); e.cause = new Error('b'); return e; });
def('self', () => { const e = new Error('a'); e.self = e; return e; });
def('renamed', () => { const e = new Error('a'); e.name = 'Renamed'; return e; });
def('renamedAfter', () => { const e = new Error('a'); e.stack; e.name = 'Renamed'; return e; });
def('msgAfter', () => { const e = new Error('a'); e.message = 'changed'; return e; });
def('msgAfterStack', () => { const e = new Error('a'); e.stack; e.message = 'changed'; return e; });
def('emptyMsg', () => new Error());
def('emptyName', () => { const e = new Error('a'); e.name = ''; return e; });
def('undefName', () => { const e = new Error('a'); e.name = undefined; return e; });
def('nullName', () => { const e = new Error('a'); e.name = null; return e; });
def('objMsg', () => new Error({ a: 1 }));
def('arrMsg', () => new Error([1, 2]));
def('undefMsg', () => new Error(undefined));
def('nullMsg', () => new Error(null));
def('numMsg', () => new Error(5));
def('multi', () => new Error('line1\nline2'));
def('multiRenamed', () => { const e = new Error('line1\nline2'); e.name = 'Nn'; return e; });
def('noStackDel', () => { const e = new Error('a'); delete e.stack; return e; });
def('stackNull', () => { const e = new Error('a'); e.stack = null; return e; });
def('stackUndef', () => { const e = new Error('a'); e.stack = undefined; return e; });
def('stackText', () => { const e = new Error('a'); e.stack = 'my stack'; return e; });
def('stackTextAt', () => { const e = new Error('a'); e.stack = 'my stack\n    at foo'; return e; });
def('stackAppend', () => { const e = new Error('a'); e.stack += '\nFrom previous:'; return e; });
def('props', () => Object.assign(new Error('a'), { code: 'E1', status: 5, nested: { x: [1] } }));
def('errorsProp', () => Object.assign(new Error('a'), { errors: [new Error('b')] }));
def('frozen', () => Object.freeze(new Error('a')));
def('nullProto', () => Object.setPrototypeOf(new Error('a'), null));
def('withoutNew', () => Error('a'));
def('typeWithoutNew', () => TypeError('a'));
def('typed', () => [new EvalError('a'), new RangeError('b'), new ReferenceError('c'), new SyntaxError('d'), new URIError('e')].map(String).join());
def('plain', () => ({ name: 'Plain', message: 'x', stack: 'Plain: x\n    at y' }));
def('created', () => Object.create(new Error('p')));
def('createdProto', () => Object.create(Error.prototype));
def('createdProtoMsg', () => Object.assign(Object.create(Error.prototype), { message: 'mm', name: 'NN' }));
def('captureObj', () => { const o = { a: 1 }; Error.captureStackTrace(o); o.name = 'O'; o.message = 'later'; return o; });
def('captureFn', () => { function inner() { const o = {}; Error.captureStackTrace(o, inner); return o; } return inner(); });
def('captureTwice', () => { const e = new Error('x'); Error.captureStackTrace(e); return e; });
def('captureErrRenamed', () => { const e = new Error('x'); Error.captureStackTrace(e); e.name = 'Late'; return e; });
def('captureFrozen', () => { Error.captureStackTrace(Object.freeze({})); return 1; });
def('captureFrozen2', () => { try { Error.captureStackTrace(Object.freeze({})); } catch (e) { return e; } });
def('capturePrim', () => { try { Error.captureStackTrace(5); } catch (e) { return e; } });
def('captureNone', () => { try { Error.captureStackTrace(); } catch (e) { return e; } });
def('dom', () => new DOMException('late', 'TimeoutError'));
def('dom2', () => new DOMException('plain'));
def('dom3', () => new DOMException());
def('domAbort', () => AbortSignal.abort().reason);
def('domAbortCtl', () => { const c = new AbortController(); c.abort(); return c.signal.reason; });
def('domAtob', () => { try { atob('*'); } catch (e) { return e; } });
def('domClone', () => { try { structuredClone(() => {}); } catch (e) { return e; } });
def('domBtoa', () => { try { btoa('\u1234'); } catch (e) { return e; } });
class MyDom extends DOMException { constructor(m) { super(m, 'MyDom'); } }
def('domSub', () => new MyDom('x'));
def('domCause', () => new DOMException('x', { name: 'N', cause: new Error('c') }));
def('throwIfAborted', () => { try { AbortSignal.abort().throwIfAborted(); } catch (e) { return e; } });
def('abortReason', () => { try { AbortSignal.abort('because').throwIfAborted(); } catch (e) { return e; } });
def('prepare', () => { const p = Error.prepareStackTrace; Error.prepareStackTrace = (e, s) => `${e.message}|${s[0].getLineNumber()}|${s[0].getFunctionName()}`; try { return new Error('pp').stack; } finally { Error.prepareStackTrace = p; } });
def('prepareLazy', () => { const e = new Error('pp'); e.name = 'Q'; const p = Error.prepareStackTrace; Error.prepareStackTrace = (e, s) => `${e}|${typeof s[0]}`; try { return e.stack; } finally { Error.prepareStackTrace = p; } });
def('limit0', () => { const l = Error.stackTraceLimit; Error.stackTraceLimit = 0; try { return new Error('x'); } finally { Error.stackTraceLimit = l; } });
def('limit1', () => { const l = Error.stackTraceLimit; Error.stackTraceLimit = 1; try { const f = () => new Error('x'); return f(); } finally { Error.stackTraceLimit = l; } });
def('isErr', () => [util.types.isNativeError(new Old1('x')), util.isError?.(new Old1('x')), util.types.isNativeError(new C1('x')), util.types.isNativeError(new DOMException('x')), new Old1('x') instanceof Error, Object.prototype.toString.call(new Old1('x')), Object.prototype.toString.call(new C1('x')), Object.prototype.toString.call(new DOMException('x')), Error.isError?.(new Old1('x')), Error.isError?.(new DOMException('x'))]);
def('names', () => [Object.getOwnPropertyNames(new Error('x')).sort(), Object.getOwnPropertyNames(new Old1('x')).sort(), Object.keys(new Old1('x')), Object.keys(new C5('x')), new Error('x').hasOwnProperty('stack')]);
def('json', () => [JSON.stringify(new Error('x')), JSON.stringify(new Old1('x')), JSON.stringify(new C2('x')), Object.keys(JSON.parse(JSON.stringify(new Error('x'), Object.getOwnPropertyNames(new Error('x'))))).sort()]);
def('spread', () => ({ ...new Old1('x') }));
def('clone', () => structuredClone(new C1('x')));
def('cloneCause', () => structuredClone(new Error('x', { cause: new TypeError('y') })));
def('fmt', () => [util.format('%s', new Old1('x')), util.format('%s', new C1('x')), util.format('%s', new DOMException('x')), util.format('%s', new C8('x'))]);
def('fmtO', () => mine(util.format('%o', new C1('x')).split('\n')[0]));
def('inArr', () => [new Error('in')]);
def('inObj', () => ({ err: new Error('in') }));
def('inObjOld', () => ({ err: new Old1('in') }));
def('inMap', () => new Map([['k', new C1('v')]]));
def('deep', () => ({ a: { b: { c: { d: new Error('deep') } } } }));
def('template', () => `${new Old1('x')} ${new C1('y')} ${new DOMException('z', 'Zed')}`);
def('concat', () => 'E: ' + new Old2('x'));
def('assertErr', () => { try { require('assert')(false); } catch (e) { return e; } });
def('assertEq', () => { try { require('assert').strictEqual(1, 2); } catch (e) { return e; } });
def('assertMsg', () => { try { require('assert')(0, 'my message'); } catch (e) { return e; } });
def('anon', () => new (class extends Error {})('x'));
def('nameClash', () => { class TypeError2 extends TypeError {} return new TypeError2('x'); });
def('bound', () => { const e = new Error('x'); e.name = 'TypeError'; return e; });
def('nested', () => { class Outer extends Error { constructor(i) { super('outer: ' + i.message, { cause: i }); this.name = 'Outer'; } } return new Outer(new Old1('inner')); });
def('toStringCall', () => [Error.prototype.toString.call({ name: 'A', message: 'b' }), Error.prototype.toString.call({}), Error.prototype.toString.call({ message: 'b' }), Error.prototype.toString.call({ name: '', message: 'b' })]);
def('reject', () => 1);
exports.messages = () => {
  const all = {};
  for (const [name, f] of Object.entries(cases)) {
    let v; let t = '';
    try { v = f(); } catch (e) { v = e; t = 'thrown '; }
    const one = [];
    const tell = (w, g) => { try { one.push(`${w}=${mine(g())}`); } catch (e) { one.push(`${w}!${e}`); } };
    if (typeof v === 'object' && v !== null) {
      tell('name', () => v.name); tell('msg', () => v.message); tell('str', () => String(v)); tell('stack', () => v.stack); tell('code', () => v.code);
      tell('keys', () => Object.keys(v).join());
    }
    tell('insp', () => util.inspect(v));
    all[name] = t + one.join('\n        ');
  }
  return all;
};
