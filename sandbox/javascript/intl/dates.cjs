// Dates and times as Node writes them in one language, as patterns and tables of names.
//
// A pattern is text with fields in braces: {y} year, {yy} its last two digits, {M} {MM} {M3} month as number,
// two digits, name from table 3; {d} {dd} day; {w1} weekday from table 1; {h} {hh} hour, {m} {mm}, {s} {ss};
// {G0} era from table 0, {f} fraction, {p0} half of the day from table 0, {z} name of the time zone, {Z} its long name.
'use strict';

const WIDTHS = { weekday: ['narrow', 'short', 'long'], year: ['numeric', '2-digit'], day: ['numeric', '2-digit'] };
WIDTHS.month = ['numeric', '2-digit', 'narrow', 'short', 'long'];
const DATE_FIELDS = ['weekday', 'year', 'month', 'day'];
const LETTER = { numeric: 'n', '2-digit': '2', narrow: 'N', short: 's', long: 'l' };
const LETTERS = { year: 'y', month: 'M', day: 'd', hour: 'h', minute: 'm', second: 's' };
const STYLES = ['full', 'long', 'medium', 'short'];
/** Every month, every weekday, one digit wherever there can be one. */
const DAYS = Array.from({ length: 12 }, (_, month) => Date.UTC(2013, month, ((month * 4) % 9) + 1, 3, 4, 5));
const HOURS = Array.from({ length: 24 }, (_, hour) => Date.UTC(2013, 3, 5, hour, 4, 5, 600));

const key = (options, fields) => fields.map((field) => LETTER[options[field]] ?? '-').join('');

function* combinations(fields, widths) {
  if (fields.length === 0) return yield {};
  const [first, ...rest] = fields;
  for (const others of combinations(rest, widths)) {
    yield others;
    for (const width of widths[first]) yield { [first]: width, ...others };
  }
}

class Tables {
  constructor() {
    this.all = { month: [], weekday: [], dayPeriod: [], era: [] };
  }
  /** The index of a table that has `values`, of which those not sampled are null. */
  place(type, values) {
    const list = this.all[type];
    const at = list.findIndex((known) => values.every((value, index) => value === null || value === known[index]));
    return at >= 0 ? at : list.push(values) - 1;
  }
}

function partsOf(locale, options, moment) {
  return new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }).formatToParts(moment);
}

/** The pattern that gives what Node gives at all `moments`. */
function patternOf(locale, options, moments, tables) {
  const format = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options });
  const cycle = format.resolvedOptions().hourCycle;
  const all = moments.map((moment) => format.formatToParts(moment));
  return all[0].map(({ type, value }, at) => {
    const values = all.map((parts) => {
      if (parts[at]?.type !== type) throw new Error(`${locale}: no pattern for ${JSON.stringify(options)}`);
      return parts[at].value;
    });
    if (type === 'era') return `{G${tables.place('era', [eraOf(format, BEFORE), value])}}`;
    if (type !== 'literal') return field(type, values, moments.map((moment) => new Date(moment)), cycle, tables);
    if (values.some((one) => one !== value)) throw new Error(`${locale}: words between differ for ${JSON.stringify(options)}`);
    return value;
  }).join('');
}

const BEFORE = Date.UTC(-5, 5, 5);
const eraOf = (format, moment) => format.formatToParts(moment).find(({ type }) => type === 'era').value;

const NUMBERS = {
  year: (date) => date.getUTCFullYear(),
  month: (date) => date.getUTCMonth() + 1,
  day: (date) => date.getUTCDate(),
  hour: (date, cycle) => hourIn(date.getUTCHours(), cycle),
  minute: (date) => date.getUTCMinutes(),
  second: (date) => date.getUTCSeconds(),
};

function hourIn(hour, cycle) {
  if (cycle === 'h23') return hour;
  if (cycle === 'h24') return hour || 24;
  return cycle === 'h11' ? hour % 12 : hour % 12 || 12;
}

function field(type, values, dates, cycle, tables) {
  if (type === 'timeZoneName') return values[0] === 'UTC' ? '{z}' : '{Z}';
  if (type === 'fractionalSecond') return '{f}';
  const letter = LETTERS[type];
  const number = NUMBERS[type];
  if (number !== undefined) {
    const numbers = dates.map((date) => number(date, cycle));
    if (values.every((value, at) => value === String(numbers[at]))) return `{${letter}}`;
    const two = (value) => String(value % 100).padStart(2, '0');
    if (values.every((value, at) => value === two(numbers[at]))) return `{${letter}${letter}}`;
  }
  if (type === 'month') return `{M${tables.place('month', ordered(values, dates, 12, (date) => date.getUTCMonth()))}}`;
  if (type === 'weekday') return `{w${tables.place('weekday', ordered(values, dates, 7, (date) => date.getUTCDay()))}}`;
  if (type === 'dayPeriod') return `{p${tables.place('dayPeriod', ordered(values, dates, 24, (date) => date.getUTCHours()))}}`;
  throw new Error(`the part ${type} is new: ${values.join()}`);
}

function ordered(values, dates, count, index) {
  const table = new Array(count).fill(null);
  dates.forEach((date, at) => { table[index(date)] = values[at]; });
  return table;
}

/** How `whole` puts `date` and `time` together: a pattern of {1} and {0}; or `whole`, when in another way. */
function join(whole, date, time) {
  if (date.length > time.length) return without(without(whole, date, '{1}'), time, '{0}', whole);
  return without(without(whole, time, '{0}'), date, '{1}', whole);
}

function without(text, part, mark, otherwise = text) {
  const at = text.endsWith(part) ? text.length - part.length : text.indexOf(part);
  return at < 0 ? otherwise : text.slice(0, at) + mark + text.slice(at + part.length);
}

exports.dates = function dates(locale) {
  const tables = new Tables();
  const made = { date: {}, time: {}, join: {}, style: {}, tables: tables.all };
  for (const hour12 of [true, false]) {
    const { hourCycle } = new Intl.DateTimeFormat(locale, { hour: 'numeric', hour12 }).resolvedOptions();
    made[hour12 ? 'cycle12' : 'cycle24'] = hourCycle;
  }
  made.cycle = new Intl.DateTimeFormat(locale, { hour: 'numeric' }).resolvedOptions().hourCycle;
  for (const options of times()) made.time[timeKey(options)] = patternOf(locale, options, HOURS, tables);
  for (const options of combinations(DATE_FIELDS, WIDTHS)) {
    const name = key(options, DATE_FIELDS);
    if (name === '----') continue;
    made.date[name] = patternOf(locale, options, DAYS, tables);
    joinsOf(locale, options, name, made, tables);
  }
  for (const options of eras()) made.date[`${key(options, DATE_FIELDS)}G${LETTER[options.era]}`] = patternOf(locale, options, DAYS, tables);
  made.fraction = partsOf(locale, { second: 'numeric', fractionalSecondDigits: 1 }, DAYS[0])[1].value;
  styles(locale, made, tables);
  return made;
};

/** Eras are shown beside whole dates without a weekday, and beside a year alone. */
function* eras() {
  for (const era of ['narrow', 'short', 'long']) {
    for (const year of WIDTHS.year) {
      yield { era, year };
      for (const month of WIDTHS.month) for (const day of WIDTHS.day) yield { era, year, month, day };
    }
  }
}

const TIME = ['hour', 'minute', 'second'];
const timeKey = (options) => key(options, TIME) + (options.hour === undefined ? '' : options.hour12 ? 'a' : '') + (options.timeZoneName ? 'z' : '');

function* times() {
  const widths = { hour: WIDTHS.day, minute: WIDTHS.day, second: WIDTHS.day };
  for (const options of combinations(TIME, widths)) {
    if (key(options, TIME) === '---') continue;
    for (const zone of [{}, { timeZoneName: 'short' }]) {
      if (options.hour === undefined) yield { ...options, ...zone };
      else for (const hour12 of [true, false]) yield { ...options, hour12, ...zone };
    }
  }
}

/** What is glued is found with a few times; a weekday or a day alone has patterns of its own with each time. */
function joinsOf(locale, options, name, made, tables) {
  const alone = /^.---$|^---.$/.test(name);
  const all = [];
  for (const time of alone ? times() : FEW) {
    const hour12 = time.hour12 ?? made.cycle.startsWith('h1');
    const full = { ...options, ...time, ...(time.hour === undefined ? {} : { hour12 }) };
    const whole = patternOf(locale, full, DAYS, tables);
    all.push([timeKey(full), join(whole, made.date[name], made.time[timeKey(full)])]);
  }
  const usual = all.findLast(([, glue]) => isGlue(glue))?.[1] ?? '{1} {0}';
  made.join[name] = usual;
  for (const [time, glue] of all) if (glue !== usual) made.join[`${name} ${time}`] = glue;
}

const FEW = [
  { hour: 'numeric' }, { hour: 'numeric', minute: '2-digit' }, { hour: 'numeric', minute: '2-digit', second: '2-digit' },
];
const isGlue = (pattern) => pattern.includes('{1}') && pattern.includes('{0}');

function styles(locale, made, tables) {
  for (const style of STYLES) {
    made.style[`date ${style}`] = patternOf(locale, { dateStyle: style }, DAYS, tables);
    for (const hour12 of [true, false]) {
      made.style[`time ${style}${hour12 ? 'a' : ''}`] = patternOf(locale, { timeStyle: style, hour12 }, HOURS, tables);
    }
  }
  for (const [date, time, half] of STYLES.flatMap((one) => STYLES.flatMap((two) => [[one, two, 'a'], [one, two, '']]))) {
    const whole = patternOf(locale, { dateStyle: date, timeStyle: time, hour12: half !== '' }, DAYS, tables);
    made.style[`${date} ${time}${half}`] = join(whole, made.style[`date ${date}`], made.style[`time ${time}${half}`]);
  }
}
