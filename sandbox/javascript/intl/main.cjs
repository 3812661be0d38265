// Writes what guest/intl needs to know of languages and time zones, taken from the Intl of the Node that runs this,
// so that Actions see the words of a real Node. Run by sandbox/javascript/intl.py with {zones, tags} on standard input;
// answers with area to key to JSON text.
'use strict';

const { collation } = require('./collation.cjs');
const { dates } = require('./dates.cjs');
const { currencies, digits, numbers, units } = require('./numbers.cjs');
const { currencyNames, languages, lists, regions, relative, zoneNames, zoneOffsets } = require('./words.cjs');

const LANGUAGE_AREAS = { dates, numbers, currencies, units, relative, lists, regions, languages, currencyNames, collation };
const ALPHABET = [...'abcdefghijklmnopqrstuvwxyz'];

function knownLanguages() {
  const two = ALPHABET.flatMap((first) => ALPHABET.map((second) => first + second));
  const three = two.flatMap((start) => ALPHABET.map((end) => start + end));
  return Intl.DateTimeFormat.supportedLocalesOf([...two, ...three]);
}

/** Tags with a region, of the languages in `tags`, for which Node has something of its own. */
function knownRegions(tags) {
  const all = [...new Set(tags.map((tag) => tag.split('-')[0]))];
  const codes = ALPHABET.flatMap((first) => ALPHABET.map((second) => (first + second).toUpperCase()));
  const regional = all.flatMap((tag) => [...codes, '419', '001', '150'].map((code) => `${tag}-${code}`));
  return regional.filter((tag) => new Intl.DateTimeFormat(tag).resolvedOptions().locale === tag);
}

/** Lower-case name of a zone to the name that Node gives it, and its offsets. */
function zonesOf(names) {
  const made = {};
  for (const name of [...names, ...Intl.supportedValuesOf('timeZone')]) {
    try {
      const zone = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
      made[name.toLowerCase()] = { name: zone, offsets: zoneOffsets(zone) };
    } catch {
      // Not known to Node.
    }
  }
  return made;
}

function main({ zones, tags }) {
  const named = Intl.supportedValuesOf('timeZone');
  const made = {
    all: {
      languages: knownLanguages().join(' '), regions: knownRegions(tags).join(' '), tags: tags.join(' '),
      digits: digits(), zoneList: named, currencies: Intl.supportedValuesOf('currency'),
    },
  };
  for (const [area, make] of Object.entries(LANGUAGE_AREAS)) {
    made[area] = {};
    for (const tag of tags) made[area][tag] = make(tag);
  }
  made.zone = zonesOf(zones);
  made.zoneNames = {};
  for (const tag of tags) made.zoneNames[tag] = zoneNames(tag, [...new Set([...named, 'UTC'])]);
  return made;
}

const chunks = [];
process.stdin.on('data', (chunk) => chunks.push(chunk));
process.stdin.on('end', () => {
  const made = main(JSON.parse(Buffer.concat(chunks).toString()));
  for (const area of Object.values(made)) for (const key of Object.keys(area)) area[key] = JSON.stringify(area[key]);
  process.stdout.write(JSON.stringify(made));
});
