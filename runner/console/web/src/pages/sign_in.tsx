import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { loadSession } from "../api/session";
import { useLink } from "../api/sign_in";
import { navigate, query } from "../router/router";
import { SignInForm } from "../shell/sign_in_form";
import { Logo } from "../shell/logo";
import { texts } from "../texts";

/** Where to go after signing in: only a path of the console, never another site. */
export function target(): string {
  const wanted = query.value.get("to") ?? "/";
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(wanted) && !wanted.startsWith("/sign-in") ? wanted : "/";
}

/** The page of somebody without a session. A one-time link has its code behind `#`, which no server log sees. */
export default function SignIn() {
  const using = useSignal(/^#code=./.test(location.hash));
  const failed = useSignal(false);
  const done = async () => {
    const to = target();
    await loadSession();
    navigate(to, { replace: true });
  };
  useEffect(() => {
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    if (code) {
      history.replaceState(null, "", location.pathname + location.search);
      useLink(code)
        .then(done)
        .catch(() => {
          using.value = false;
          failed.value = true;
        });
    }
  }, []);
  return (
    <main class="sign-in" id="content">
      <div class="card">
        <Logo />
        <h1>{texts.signIn.title}</h1>
        <p class="muted">{texts.signIn.about}</p>
        {failed.value && (
          <div class="note bad" role="alert">
            {texts.signIn.failed}
          </div>
        )}
        {using.value ? <p role="status">{texts.signIn.using}</p> : <SignInForm onDone={() => void done()} />}
      </div>
    </main>
  );
}
