import type { ComponentChildren, PartialAnchorHTMLAttributes } from "preact";
import { BASE, navigate } from "./router";

type Rest = Omit<PartialAnchorHTMLAttributes<HTMLAnchorElement>, "href" | "role">;

/** A link within the console; `to` as for `navigate`. With a modifier key the browser does what it does with links. */
export function Link({ to, children, ...rest }: Rest & { to: string; children: ComponentChildren }) {
  const follow = (event: MouseEvent) => {
    if (event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      navigate(to);
    }
  };
  return (
    <a {...rest} href={BASE + to} onClick={follow}>
      {children}
    </a>
  );
}
