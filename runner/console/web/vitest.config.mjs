export default {
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: { environment: "happy-dom", include: ["tests/**/*.test.{ts,tsx}"], css: false, isolate: false, setupFiles: ["tests/setup.ts"], testTimeout: 120_000 },
};
