import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { connected, json } from "../api/client";
import { changeTenant, loadSession, type Session, sessionState, signOut } from "../api/session";
import { Dialog } from "../components/dialog";
import { plain } from "../components/escape";
import { Hostile } from "../components/hostile";
import { said } from "../components/parts";
import { navigation } from "../pages";
import { Link } from "../router/link";
import { navigate, path } from "../router/router";
import { texts } from "../texts";
import { Help } from "./help";
import { Icon } from "./icons";
import { useShortcuts } from "./keys";
import { Logo } from "./logo";
import { Outlet } from "./outlet";
import { SignInForm } from "./sign_in_form";
import { type Theme, theme } from "./theme";
import { toast } from "./toasts";

const RETRY_MS = 3000;

/** The frame of all pages of somebody who is signed in. */
export function Shell({ session }: { session: Session }) {
  const menu = useSignal(false);
  const help = useSignal(false);
  const items = navigation.filter(({ shown }) => shown?.(session) ?? true);
  useShortcuts(texts.keys.everywhere, [
    { keys: "?", text: texts.keys.help, run: () => (help.value = true) },
    ...items.map(({ key, text, to }) => ({ keys: `Alt+${key}`, text: texts.keys.go(text), run: () => navigate(to) })),
  ]);
  useEffect(() => {
    menu.value = false;
  }, [path.value]);
  return (
    <div class="shell">
      <a class="skip" href="#content">
        {texts.shell.skip}
      </a>
      <header class="topbar">
        <button
          type="button"
          class="quiet icon menu-button"
          aria-label={texts.shell.menu}
          aria-expanded={menu.value}
          aria-controls="navigation"
          onClick={() => (menu.value = !menu.value)}
        >
          <Icon name="menu" />
        </button>
        <Link to="/" class="brand">
          <Logo />
          <span>{texts.name}</span>
        </Link>
      </header>
      <nav id="navigation" class={menu.value ? "sidebar open" : "sidebar"} aria-label={texts.shell.navigation}>
        <Link to="/" class="brand">
          <Logo />
          <span>{texts.name}</span>
        </Link>
        <TenantName session={session} />
        <ul>
          {items.map(({ text, icon, to }) => (
            <li key={to}>
              <Link to={to} aria-current={path.value === to || path.value.startsWith(`${to}/`) ? "page" : undefined}>
                <Icon name={icon} />
                {text}
              </Link>
            </li>
          ))}
        </ul>
        <Foot session={session} onHelp={() => (help.value = true)} />
      </nav>
      <main id="content" tabIndex={-1}>
        <Connection />
        <Outlet />
      </main>
      {help.value && <Help onClose={() => (help.value = false)} />}
      {sessionState.value.state === "ended" && <Ended before={session} />}
    </div>
  );
}

/** The tenant, and the others that the session may change to. */
function TenantName({ session: { tenant, tenants = [] } }: { session: Session }) {
  const others = tenants.filter(({ id }) => id !== tenant.id);
  if (others.length === 0) {
    return (
      <p class="tenant" title={texts.shell.tenant}>
        <span class="hidden-label">{texts.shell.tenant}</span>
        <Hostile text={tenant.name || tenant.id} limit={60} brief />
      </p>
    );
  }
  return (
    <select
      class="tenant"
      aria-label={texts.shell.tenant}
      value={tenant.id}
      onChange={(event) => {
        changeTenant(event.currentTarget.value).catch((error: unknown) => toast(said(error), "bad"));
      }}
    >
      {[tenant, ...others].map(({ id, name }) => (
        <option key={id} value={id}>
          {plain(name || id, 60)}
        </option>
      ))}
    </select>
  );
}

function Foot({ session, onHelp }: { session: Session; onHelp: () => void }) {
  const leave = () => {
    signOut().catch((error: unknown) => toast(said(error), "bad"));
  };
  return (
    <div class="sidebar-foot">
      <label class="theme">
        <span>{texts.shell.theme.label}</span>
        <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
          <option value="auto">{texts.shell.theme.auto}</option>
          <option value="light">{texts.shell.theme.light}</option>
          <option value="dark">{texts.shell.theme.dark}</option>
        </select>
      </label>
      <button type="button" class="quiet" onClick={onHelp}>
        <Icon name="keyboard" />
        {texts.shell.help} <kbd>?</kbd>
      </button>
      {session.mode !== "dev" && (
        <button type="button" class="quiet" onClick={leave}>
          <Icon name="leave" />
          {texts.shell.signOut}
        </button>
      )}
      <p class="small muted cut">
        <Hostile text={session.actor} limit={80} brief />
      </p>
    </div>
  );
}

/** Says that the service is away, and asks for it until it is back. */
function Connection() {
  const lost = !connected.value;
  useEffect(() => {
    if (!lost) {
      return undefined;
    }
    const timer = setInterval(() => {
      json("GET", "/health").then(
        () => toast(texts.shell.back),
        () => undefined,
      );
    }, RETRY_MS);
    return () => clearInterval(timer);
  }, [lost]);
  return lost ? (
    <div class="note warn" role="alert">
      {texts.shell.lost}
    </div>
  ) : null;
}

/** Asks to sign in over the page, which keeps its state; another tenant's session loads everything anew. */
function Ended({ before }: { before: Session }) {
  const done = () => {
    const { value } = sessionState;
    if (value.state === "active" && value.session.tenant.id !== before.tenant.id) {
      navigate("/", { replace: true });
      location.reload();
    }
  };
  useEffect(() => {
    const look = () => void loadSession().then(done, () => undefined); // signed in beside, perhaps
    addEventListener("focus", look);
    return () => removeEventListener("focus", look);
  }, []);
  return (
    <Dialog title={texts.shell.ended.title}>
      <p>{texts.shell.ended.about}</p>
      <SignInForm onDone={done} />
    </Dialog>
  );
}
