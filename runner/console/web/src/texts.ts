/** All words of the console. Words that come from the service or from users are not here. */

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en-GB")} ${number === 1 ? one : many}`;
}

export const texts = {
  name: "actionbox",
  close: "Close",
  cancel: "Cancel",
  save: "Save",
  saved: "Saved.",
  retry: "Try again",
  remove: "Remove",
  loading: "Loading…",
  pending: "pending",
  none: "none",
  more: (rest: number) => `Show more (${count(rest, "character")})`,
  broken: "The console has a fault:",
  lost: "The service cannot be reached.",
  forbidden: (scope: string) => `This needs the scope ${scope}, which your session does not have.`,
  notFound: { title: "There is no such page", about: "The address may be of an older release, or of another tenant.", back: "Go to the triggers" },
  missing: (features: string) =>
    `The console needs a newer browser: this one lacks ${features}. Chrome 123, Firefox 120 and Safari 17.5 have them.`,

  shell: {
    skip: "Skip to the content",
    navigation: "Main",
    menu: "Menu",
    tenant: "Tenant",
    theme: { label: "Theme", auto: "System", light: "Light", dark: "Dark" },
    help: "Keyboard",
    signOut: "Sign out",
    lost: "The connection to the service is lost. What you write is kept here; it is sent when you save again.",
    back: "Connected again.",
    ended: { title: "Your session has ended", about: "Sign in again to go on. The page stays as it is, with what you wrote." },
    otherTenant: "You signed in to another tenant, so the page was loaded anew.",
    leave: "This page has changes that are not saved. Leave it?",
  },
  navigation: {
    triggers: "Triggers",
    executions: "Executions",
    settings: "Settings",
  },
  keys: {
    title: "Keyboard",
    everywhere: "Everywhere",
    help: "Show the keys",
    search: "Search",
    next: "Next",
    previous: "Previous",
    open: "Open",
    go: (place: string) => `Go to ${place}`,
    hint: "Tab leaves the editor.",
  },

  signIn: {
    title: "Sign in",
    about: "The console of this actionbox service.",
    link: { title: "One-time link", about: "Whoever runs the service gets a link with the command", command: "actionbox console link" },
    client: { title: "Client", id: "Client id", secret: "Client secret", submit: "Sign in" },
    oidc: "Sign in with your account",
    or: "or",
    failed: "The client id or the secret is wrong.",
    linkFailed: "This link was used already, or has expired. Ask for another one.",
  },
};
