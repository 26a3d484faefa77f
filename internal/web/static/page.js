// Comfort only: every page does its work without this file.
"use strict";

// Show and hide a password. The buttons are hidden until they can work.
for (const button of document.querySelectorAll("[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  const show = (visible) => {
    field.type = visible ? "text" : "password";
    button.textContent = visible ? "Hide" : "Show";
    button.setAttribute("aria-label", button.getAttribute("aria-label").replace(/^\S+/, button.textContent));
  };
  button.addEventListener("click", () => show(field.type === "password"));
  // A password is never submitted, or remembered by the browser, as plain text.
  field.form.addEventListener("submit", () => show(false));
  button.hidden = false;
}

// One press, one request. After a while it may be pressed again: the answer may
// have been lost, or the person may have stopped it.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    const button = form.querySelector("button:not([type=button])");
    if (button.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      return;
    }
    button.setAttribute("aria-busy", "true");
    setTimeout(() => button.removeAttribute("aria-busy"), 5000);
  });
}

// What happened is said once: a reload does not say it again. The token of a
// one-time link stands in the form from now on, and in no history, on no shared
// screen.
const here = new URL(location.href);
const isLink = here.searchParams.has("token");
if (isLink || here.searchParams.has("done")) {
  here.searchParams.delete("done");
  here.searchParams.delete("token");
  history.replaceState(null, "", here);
}

// A page that comes back from the browser's memory is asked for anew: it may
// show what a person who has signed out meanwhile left behind. The page of a
// one-time link shows nothing of that kind, and has no token to ask with.
addEventListener("pageshow", (event) => {
  if (event.persisted && !isLink) location.reload();
});

// Who comes back has nothing to decide: the session is renewed, and they are on their
// way.
document.querySelector("form[data-at-once]")?.requestSubmit();
