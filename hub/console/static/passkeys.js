// Passkeys: the one thing of the console that a page cannot do without script. A form with data-passkey holds the
// options for the authenticator; its answer goes into the form's field, and the form is sent as any other.
"use strict";

const CEREMONIES = {
  enrol: (options) => ({
    run: (publicKey) => navigator.credentials.create({ publicKey }),
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
  }),
  "sign-in": (options) => ({
    run: (publicKey) => navigator.credentials.get({ publicKey }),
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
  }),
};

const known = typeof PublicKeyCredential === "function"
  && typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function";

function prepare(form) {
  const failed = form.querySelector("[data-passkey-failed]");
  form.querySelectorAll("[data-passkey-needs-script]").forEach((part) => { part.hidden = false; });
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    try {
      const { run, publicKey } = CEREMONIES[form.dataset.passkey](JSON.parse(form.dataset.options));
      const credential = await run(publicKey);
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      failed.hidden = false;
    }
  });
}

if (known) {
  document.querySelectorAll("form[data-passkey]").forEach(prepare);
  document.querySelectorAll("[data-passkey-without]").forEach((part) => { part.hidden = true; });
}
