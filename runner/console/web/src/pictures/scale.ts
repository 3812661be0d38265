/** Scales of the pictures. */

/** A whole number near `most` that ends axes, with the steps to it. */
export function ticks(most: number, count = 4): number[] {
  if (!(most > 0) || !Number.isFinite(most)) {
    return [0, 1];
  }
  const raw = most / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw) ?? raw;
  const length = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: length + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

export interface Bucket<T> {
  readonly start: number;
  readonly items: readonly T[];
}

/** `items` by time, in `count` buckets of equal length from the first to the last moment. */
export function buckets<T>(items: readonly T[], timeOf: (item: T) => number, count: number): Bucket<T>[] {
  const times = items.map(timeOf).filter((time) => Number.isFinite(time));
  if (times.length === 0) {
    return [];
  }
  const first = times.reduce((one, other) => Math.min(one, other));
  const last = times.reduce((one, other) => Math.max(one, other));
  const length = Math.max(1, Math.ceil((last - first + 1) / count));
  const found: T[][] = Array.from({ length: count }, () => []);
  for (const item of items) {
    const time = timeOf(item);
    if (Number.isFinite(time)) {
      found[Math.min(count - 1, Math.floor((time - first) / length))]?.push(item);
    }
  }
  return found.map((inside, index) => ({ start: first + index * length, items: inside }));
}

/** `items` by what they have in common, in the order in which each first came. */
export function groups<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const found = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = found.get(key);
    if (group) {
      group.push(item);
    } else {
      found.set(key, [item]);
    }
  }
  return found;
}

/** Upper ends of the rows of a heat map, in milliseconds: by thirds of a power of ten. */
export const LATENCIES: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, Infinity];

/** The row of a duration. */
export function rowOf(ms: number): number {
  return LATENCIES.findIndex((end) => ms < end);
}
