// What some packages want to find while they load. `removeScaffolding` takes it away again.

globalThis.Atomics = {};

export function removeScaffolding() {
  delete globalThis.Atomics;
}
