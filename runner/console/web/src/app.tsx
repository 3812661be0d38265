import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { loadSession, sessionState } from "./api/session";
import { Failed } from "./components/parts";
import { HOME } from "./pages";
import SignIn from "./pages/sign_in";
import { navigate, path, query } from "./router/router";
import { onKeyDown } from "./shell/keys";
import { Shell } from "./shell/shell";
import { Toasts } from "./shell/toasts";

/** The whole console. */
export function App() {
  const failure = useSignal<unknown>(null);
  const load = () => {
    failure.value = null;
    loadSession().catch((error: unknown) => (failure.value = error));
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
      navigate(HOME, { replace: true });
    }
  }, [value.state, path.value]);

  return (
    <>
      {failure.value !== null && <Failed error={failure.value} retry={load} />}
      {signingIn && value.state !== "unknown" && <SignIn />}
      {!signingIn && (value.state === "active" || value.state === "ended") && <Shell session={value.session} />}
      <Toasts />
    </>
  );
}
