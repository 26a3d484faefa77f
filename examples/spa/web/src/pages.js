// The two pages there are: for a visitor, and for who is signed in.

export function entrance(app, auth) {
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
    say(app, (await enter({ email, password })).error);
  });
}

export async function notes(app, auth, account) {
  app.innerHTML = `
    <header><h1>Notes</h1><p id="who"></p><button class="plain" id="out">Sign out</button></header>
    <form><label>New note <input name="text" required></label><button>Keep it</button></form>
    <p class="problem" role="alert" hidden></p>
    <ul id="list"></ul>
    <h2>Where you are signed in</h2>
    <ul id="devices"></ul>`;
  app.querySelector("#who").textContent = account.email;
  app.querySelector("#out").addEventListener("click", async () => say(app, (await auth.signOut()).error));
  const form = app.querySelector("form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const kept = await auth.fetch("/api/notes", { method: "POST", body: JSON.stringify(Object.fromEntries(new FormData(form))) });
    if (!kept.ok) return say(app, await kept.json());
    form.reset();
    await list(app, auth);
  });
  await Promise.all([list(app, auth), devices(app, auth)]);
}

async function list(app, auth) {
  const answer = await auth.fetch("/api/notes");
  if (!answer.ok) return say(app, await answer.json());
  const items = (await answer.json()).map(({ text }) => item(text));
  app.querySelector("#list")?.replaceChildren(...items);
}

async function devices(app, auth) {
  const { data, error } = await auth.sessions();
  if (error) return say(app, error);
  const items = data.map(({ id, current, client }) => {
    const li = item(current ? "This device" : client.browser);
    if (!current) {
      const end = document.createElement("button");
      end.className = "plain";
      end.textContent = "Sign out";
      end.addEventListener("click", async () => say(app, (await auth.revoke(id)).error) || devices(app, auth));
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
function say(app, error) {
  const place = app.querySelector(".problem");
  if (place) [place.hidden, place.textContent] = [!error, error?.detail ?? ""];
  return Boolean(error);
}
