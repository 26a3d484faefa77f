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

// A page that comes back from the browser's memory is asked for anew: it may
// show what a person who has signed out meanwhile left behind.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// What happened is said once: a reload does not say it again.
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  history.replaceState(null, "", here);
}
