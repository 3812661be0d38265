/** Icons of the navigation and of buttons: 16 units square, drawn with the text's colour. */
const PATHS = {
  triggers: "M2.5 4h4v3h-4zM9.5 2.5h4v3h-4zM9.5 10.5h4v3h-4zM6.5 5.5H8v-1.5h1.5M8 5.5V12h1.5",
  actions: "M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4M9 3 7 13",
  executions: "M1.5 8h3l2-5 3 10 2-5h3",
  rollouts: "M2 13.5h3v-3h3v-3h3v-3h3",
  settings: "M2 5h6M12 5h2M2 11h2M8 11h6M8.5 5a1.75 1.75 0 1 0 3.5 0 1.75 1.75 0 1 0-3.5 0M4.25 11a1.75 1.75 0 1 0 3.5 0 1.75 1.75 0 1 0-3.5 0",
  cases: "M2.5 3.5h11v9h-11zM5 8l2 2 4-4",
  menu: "M2 4h12M2 8h12M2 12h12",
  keyboard: "M1.5 4h13v8h-13zM4 6.5h.5M7 6.5h.5M10 6.5h.5M5 9.5h6",
  leave: "M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3",
  drag: "M6 3.5h.01M10 3.5h.01M6 8h.01M10 8h.01M6 12.5h.01M10 12.5h.01",
  up: "M8 13V3M4 7l4-4 4 4",
  down: "M8 3v10M4 9l4 4 4-4",
  plus: "M8 3v10M3 8h10",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3l8 5-8 5z",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 1 0 0-9M10.5 10.5 14 14",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
