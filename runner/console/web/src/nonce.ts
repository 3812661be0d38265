/** The nonce that the page's policy allows styles with (CodeMirror's `EditorView.cspNonce`); empty outside the service. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
