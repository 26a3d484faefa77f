import { createClient } from "@cloakroom/client";

const auth = createClient();
const app = document.querySelector("#app");

// The page is drawn from who is signed in, and again whenever that changes: here, in
// another tab, or because somebody signed this device out.
auth.onChange((identity) => (identity ? notes(identity.account) : entrance()));
const { error } = await auth.session();
if (error) app.textContent = error.detail;

function entrance() {
  app.innerHTML = `
    <h1>Notes</h1>
    <form>
      <label>Email <input name="email" type="email" autocomplete="username" required></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" minlength="15" required></label>
      <p class="problem" role="alert" hidden></p>
      <button name="in">Sign in</button>
      <button name="up" class="plain">Sign up</button>
    </form>`;
  const form = app.querySelector("form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { email, password } = Object.fromEntries(new FormData(form));
    const enter = event.submitter?.name === "up" ? auth.signUp : auth.signIn;
    say((await enter({ email, password })).error);
  });
}

async function notes(account) {
  app.innerHTML = `
    <header><h1>Notes</h1><p id="who"></p><button class="plain" id="out">Sign out</button></header>
    <form><label>New note <input name="text" required></label><button>Keep it</button></form>
    <p class="problem" role="alert" hidden></p>
    <ul id="list"></ul>
    <h2>Where you are signed in</h2>
    <ul id="devices"></ul>`;
  app.querySelector("#who").textContent = account.email;
  app.querySelector("#out").addEventListener("click", async () => say((await auth.signOut()).error));
  const form = app.querySelector("form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const kept = await auth.fetch("/api/notes", { method: "POST", body: JSON.stringify(Object.fromEntries(new FormData(form))) });
    if (!kept.ok) return say(await kept.json());
    form.reset();
    await list();
  });
  await Promise.all([list(), devices()]);
}

async function list() {
  const answer = await auth.fetch("/api/notes");
  if (!answer.ok) return say(await answer.json());
  const items = (await answer.json()).map(({ text }) => item(text));
  app.querySelector("#list")?.replaceChildren(...items);
}

async function devices() {
  const { data, error } = await auth.sessions();
  if (error) return say(error);
  const items = data.map(({ id, current, client }) => {
    const li = item(current ? "This device" : client.browser);
    if (!current) {
      const end = document.createElement("button");
      end.className = "plain";
      end.textContent = "Sign out";
      end.addEventListener("click", async () => say((await auth.revoke(id)).error) || devices());
      li.append(end);
    }
    return li;
  });
  app.querySelector("#devices")?.replaceChildren(...items);
}

function item(text) {
  const li = document.createElement("li");
  li.textContent = text;
  return li;
}

// say shows what went wrong, and reports whether anything did.
function say(error) {
  const place = app.querySelector(".problem");
  if (place) [place.hidden, place.textContent] = [!error, error?.detail ?? ""];
  return Boolean(error);
}
