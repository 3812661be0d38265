/** The mark of actionbox: a box with a door. */
export function Logo() {
  return (
    <svg class="logo" width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
      <rect class="logo-box" x="1" y="1" width="20" height="20" rx="5.5" />
      <path class="logo-mark" d="M8 6.5 13 11l-5 4.5" />
    </svg>
  );
}
