import { useSignal } from "@preact/signals";
import { navigate, query } from "../router/router";
import { Logo } from "../shell/logo";
import { SignInForm } from "../shell/sign_in_form";
import { texts } from "../texts";

/** Where to go after signing in: only a path of the console, never another site. */
export function target(): string {
  const wanted = query.value.get("to") ?? "/";
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(wanted) && !wanted.startsWith("/sign-in") ? wanted : "/";
}

/** The page of somebody without a session; `failed`: a link was tried, and did not sign in. */
export default function SignIn({ failed }: { failed: boolean }) {
  const again = useSignal(failed);
  return (
    <main class="sign-in" id="content">
      <div class="card">
        <Logo />
        <h1>{texts.signIn.title}</h1>
        <p class="muted">{texts.signIn.about}</p>
        {again.value && (
          <div class="note bad" role="alert">
            {texts.signIn.linkFailed}
          </div>
        )}
        <SignInForm onDone={() => navigate(target(), { replace: true })} />
      </div>
    </main>
  );
}
