/** The pages: their addresses, what loads them, and where the navigation shows them. */
import type { ComponentType } from "preact";
import type { Session } from "../api/session";
import type { IconName } from "../shell/icons";
import { texts } from "../texts";

export interface PageProps {
  /** The parts of the address that the pattern names. Hostile. */
  params: Record<string, string>;
}

export interface Page {
  /** As `match` of the router reads it. */
  readonly pattern: string;
  readonly load: () => Promise<{ default: ComponentType<PageProps> }>;
}

/** The first that matches is shown. */
export const pages: readonly Page[] = [
  { pattern: "/folder", load: () => import("./folder/folder") },
  { pattern: "/simulate", load: () => import("./simulate/simulate") },
  { pattern: "/actions", load: () => import("./actions") },
  { pattern: "/actions/:id", load: () => import("./actions/action") },
  { pattern: "/executions/:id", load: () => import("./execution") },
  { pattern: "/rollouts", load: () => import("./rollouts") },
  { pattern: "/rollouts/:action/:id", load: () => import("./rollouts/rollout") },
  { pattern: "/triggers", load: () => import("./triggers/list_page") },
  { pattern: "/triggers/:id", load: () => import("./triggers/flow_page") },
  { pattern: "/executions", load: () => import("./executions/page") },
  { pattern: "/settings", load: () => import("./settings/page") },
  { pattern: "/settings/:section", load: () => import("./settings/page") },
];

export interface NavigationItem {
  readonly text: string;
  readonly icon: IconName;
  readonly to: string;
  /** With Alt: the key that leads there. */
  readonly key: string;
  readonly shown?: (session: Session) => boolean;
}

const onFolder = ({ mode }: Session): boolean => mode === "dev";

export const navigation: readonly NavigationItem[] = [
  { text: texts.navigation.folder, icon: "cases", to: "/folder", key: "0", shown: onFolder },
  { text: texts.navigation.triggers, icon: "triggers", to: "/triggers", key: "1" },
  { text: texts.navigation.actions, icon: "actions", to: "/actions", key: "2" },
  { text: texts.navigation.executions, icon: "executions", to: "/executions", key: "3" },
  {
    text: texts.navigation.simulate,
    icon: "play",
    to: "/simulate",
    key: "6",
    shown: ({ scopes }) => scopes.includes("invoke:triggers"),
  },
  { text: texts.navigation.rollouts, icon: "rollouts", to: "/rollouts", key: "4" },
  { text: texts.navigation.settings, icon: "settings", to: "/settings", key: "5" },
];

/** Where `/console` leads. */
export const HOME = "/triggers";

/** The same on a folder, where there may be no trigger with an Action yet. */
export const home = ({ mode }: Session): string => (mode === "dev" ? "/folder" : HOME);
