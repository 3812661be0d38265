// performance: the clock of the execution, and marks and measures on it.

import { monotonic } from '../timers.js';
import { inspect } from '../inspect.js';
import { coded, demandFunction } from './errors.js';

const CREATE = Symbol('create');
let entries = [];

export class PerformanceEntry {
  constructor(token, name, entryType, startTime, duration, detail) {
    if (token !== CREATE) throw coded(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    for (const [key, value] of Object.entries({ name, entryType, startTime, duration, detail })) {
      if (value !== undefined) Object.defineProperty(this, key, { value, enumerable: true, configurable: true });
    }
  }
  toJSON() { return { ...this }; }
  [inspect.custom](depth, options) { return `${this.constructor.name} ${inspect({ ...this }, options)}`; }
}
export class PerformanceMark extends PerformanceEntry {
  constructor(name, options = {}) {
    super(CREATE, String(name), 'mark', options.startTime ?? monotonic(), 0, options.detail ?? null);
  }
}
export class PerformanceMeasure extends PerformanceEntry {}

function timeOf(mark) {
  if (typeof mark === 'number') return mark;
  const found = entries.findLast((entry) => entry.entryType === 'mark' && entry.name === String(mark));
  if (found === undefined) throw new DOMException(`The "${mark}" performance mark has not been set`, 'SyntaxError');
  return found.startTime;
}

function keep(entry) {
  entries.push(entry);
  return entry;
}

const without = (type) => (name) => {
  entries = entries.filter((entry) => entry.entryType !== type || (name !== undefined && entry.name !== name));
};

export class Performance {
  get timeOrigin() { return Date.now() - monotonic(); }
  now() { return monotonic(); }
  mark(name, options) { return keep(new PerformanceMark(name, options)); }
  measure(name, startOrOptions, endMark) {
    const given = typeof startOrOptions === 'object' && startOrOptions !== null ? startOrOptions : { start: startOrOptions, end: endMark };
    const end = given.end !== undefined ? timeOf(given.end)
      : given.duration !== undefined && given.start !== undefined ? timeOf(given.start) + given.duration : monotonic();
    const start = given.start !== undefined ? timeOf(given.start) : given.duration !== undefined ? end - given.duration : 0;
    return keep(new PerformanceMeasure(CREATE, String(name), 'measure', start, end - start, given.detail ?? null));
  }
  getEntries() { return [...entries].sort((one, other) => one.startTime - other.startTime); }
  getEntriesByName(name, type) { return this.getEntries().filter((entry) => entry.name === name && (type === undefined || entry.entryType === type)); }
  getEntriesByType(type) { return this.getEntries().filter((entry) => entry.entryType === type); }
  clearMarks(name) { without('mark')(name); }
  clearMeasures(name) { without('measure')(name); }
  clearResourceTimings() {}
  setResourceTimingBufferSize() {}
  markResourceTiming() {}
  eventLoopUtilization() { return { idle: 0, active: 0, utilization: 0 }; }
  timerify(fn) {
    demandFunction(fn, 'fn');
    return fn;
  }
  get nodeTiming() { return { name: 'node', entryType: 'node', startTime: 0, duration: monotonic() }; }
  toJSON() { return { nodeTiming: this.nodeTiming, timeOrigin: this.timeOrigin, eventLoopUtilization: this.eventLoopUtilization() }; }
  get [Symbol.toStringTag]() { return 'Performance'; }
}

export const performance = new Performance();

/** Nothing is observed: entries can be read, and nobody waits for them. */
export class PerformanceObserver {
  constructor(callback) { demandFunction(callback, 'callback'); }
  static get supportedEntryTypes() { return ['mark', 'measure']; }
  observe() {}
  disconnect() {}
  takeRecords() { return []; }
}

export const perfHooks = () => ({
  performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver, constants: {},
  eventLoopUtilization: performance.eventLoopUtilization, timerify: performance.timerify,
});
