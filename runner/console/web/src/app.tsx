import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { ApiError } from "./api/errors";
import { loadSession, openLink, sessionState } from "./api/session";
import { Failed } from "./components/parts";
import { home } from "./pages";
import SignIn from "./pages/sign_in";
import { navigate, path, query } from "./router/router";
import { onKeyDown } from "./shell/keys";
import { Shell } from "./shell/shell";
import { Toasts } from "./shell/toasts";

/** The whole console. */
export function App() {
  const failure = useSignal<unknown>(null);
  const badLink = useSignal(false);
  const load = () => {
    failure.value = null;
    begin(() => (badLink.value = true)).catch((error: unknown) => (failure.value = error));
  };
  useEffect(load, []);
  useEffect(() => {
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);

  const { value } = sessionState;
  const signingIn = path.value === "/sign-in";
  useEffect(() => {
    if (value.state === "none" && !signingIn) {
      const here = path.value + (query.value.size ? `?${query.value}` : "");
      navigate(here === "/" ? "/sign-in" : `/sign-in?to=${encodeURIComponent(here)}`, { replace: true });
    } else if (path.value === "/" && value.state === "active") {
      navigate(home(value.session), { replace: true });
    }
  }, [value.state, path.value]);

  return (
    <>
      {failure.value !== null && <Failed error={failure.value} retry={load} />}
      {signingIn && value.state !== "unknown" && <SignIn failed={badLink.value} />}
      {!signingIn && (value.state === "active" || value.state === "ended") && <Shell session={value.session} />}
      <Toasts />
    </>
  );
}

/** Uses the one-time link of the address, whose token stands behind `#`, or asks who is signed in. */
async function begin(onBadLink: () => void): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get("link");
  if (token !== null) {
    history.replaceState(null, "", location.pathname + location.search);
    try {
      await openLink(token);
      return;
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      onBadLink();
    }
  }
  await loadSession();
}
