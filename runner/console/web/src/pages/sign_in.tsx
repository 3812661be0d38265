import { Hostile } from "../components/hostile";
import { navigate, query } from "../router/router";
import { Logo } from "../shell/logo";
import { SignInForm } from "../shell/sign_in_form";
import { texts } from "../texts";

/** Where to go after signing in: only a path of the console, never another site. */
export function target(): string {
  const wanted = query.value.get("to") ?? "/";
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(wanted) && !wanted.startsWith("/sign-in") ? wanted : "/";
}

/** The page of somebody without a session. `refused`: why another way to sign in failed; hostile. */
export default function SignIn({ refused }: { refused: string | null }) {
  return (
    <main class="sign-in" id="content">
      <div class="card">
        <Logo />
        <h1>{texts.signIn.title}</h1>
        <p class="muted">{texts.signIn.about}</p>
        {refused !== null && (
          <div class="note bad" role="alert">
            <p>
              {texts.signIn.refused} <Hostile text={refused} limit={200} brief />
            </p>
          </div>
        )}
        <SignInForm to={target()} onDone={() => navigate(target(), { replace: true })} />
      </div>
    </main>
  );
}
