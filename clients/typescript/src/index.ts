// The browser's half of Cloakroom. The tokens are in cookies that no script reads;
// what this knows is who is signed in, and until when.
import type { Account, Identity, Problem, Session } from "./api";

export type { Account, Identity, Problem, Session };

/** What was answered, or why it was not. Nothing here throws. */
export type Result<T> = { data: T; error: null } | { data: null; error: Problem };

export interface Options {
  /** Where Cloakroom is: its base path on this host, such as "/auth". */
  baseURL?: string;
}

export interface Client {
  signUp(input: { email: string; password: string; name?: string }): Promise<Result<Identity>>;
  signIn(input: { email: string; password: string; remember?: boolean }): Promise<Result<Identity>>;
  signOut(): Promise<Result<null>>;
  /** Who is signed in; null if nobody is. An error means that it cannot be said. */
  session(): Promise<Result<Identity | null>>;
  /** Everywhere one is signed in, the newest first. */
  sessions(): Promise<Result<Session[]>>;
  revoke(id: string): Promise<Result<null>>;
  revokeOthers(): Promise<Result<null>>;
  /** fetch, for the application's own API: a 401 is asked once more with a new token. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>;
  /**
   * Calls fn now, if it is known who is signed in, and whenever that changes, here or in
   * another tab. An outage changes nothing. Returns what ends it.
   */
  onChange(fn: (identity: Identity | null) => void): () => void;
}

const unreachable: Problem = {
  type: "urn:cloakroom:problem:unreachable",
  title: "No answer",
  status: 503,
  detail: "The server cannot be reached. You have not been signed out.",
};

const ended = "urn:cloakroom:problem:token-ended";

/** How long before its end a token is renewed: a fifth of what is left, at most this. */
const margin = 60_000;

export function createClient({ baseURL = "/auth" }: Options = {}): Client {
  const listeners = new Set<(identity: Identity | null) => void>();
  const tabs = new BroadcastChannel("cloakroom:" + baseURL);
  let known: Identity | null | undefined; // undefined: nothing is known yet
  let due = Infinity; // when to renew, by this machine's clock
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function ask<T>(method: string, path: string, body?: object): Promise<Result<T> & { at: number }> {
    let at = Date.now();
    try {
      const response = await fetch(baseURL + path, {
        method,
        cache: "no-store",
        credentials: "same-origin",
        ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
      });
      // Lifetimes count by the server's clock.
      at = Date.parse(response.headers.get("Date") ?? "") || at;
      const text = await response.text();
      const value = text ? JSON.parse(text) : null;
      return response.ok ? { data: value, error: null, at } : { data: null, error: (value as Problem) ?? unreachable, at };
    } catch {
      return { data: null, error: unreachable, at };
    }
  }

  /** learn takes over who is signed in, and tells whom it concerns. */
  function learn(identity: Identity | null, at: number, tell = true): void {
    clearTimeout(timer);
    due = Infinity;
    if (identity?.session.token_expires_at) {
      const left = Date.parse(identity.session.token_expires_at) - at;
      const wait = Math.max(left - Math.min(margin, left / 5), 0);
      due = Date.now() + wait;
      timer = setTimeout(wake, Math.min(wait, 2 ** 31 - 1));
    }
    const changed = known === undefined || JSON.stringify(who(identity)) !== JSON.stringify(who(known));
    known = identity;
    if (!changed) return;
    for (const fn of listeners) fn(identity);
    if (tell) tabs.postMessage(identity ? "changed" : "out");
  }

  /** who leaves out what a renewal changes: to an application that is no change. */
  function who(identity: Identity | null) {
    return identity && [identity.account, identity.session.id, identity.session.level, identity.session.methods];
  }

  /**
   * current asks who is signed in, and renews a token that has ended, or with early one
   * that is about to: one tab at a time, and the others find it done.
   */
  async function current(early = false, tell = true): Promise<Result<Identity | null>> {
    const before = known?.session.token_expires_at;
    const stale = ({ data, error }: Result<Identity>) =>
      error ? error.type === ended : early && data.session.token_expires_at === before;
    const asked = await ask<Identity>("GET", "/v1/session");
    if (stale(asked)) {
      return navigator.locks.request("cloakroom:" + baseURL, async () => {
        const again = await ask<Identity>("GET", "/v1/session");
        if (!stale(again)) return taken(again, tell); // another tab has done it
        const renewed = await ask<Identity>("POST", "/v1/session/renew");
        // The first use shows that the new token has arrived.
        return taken(renewed.data ? await ask<Identity>("GET", "/v1/session") : renewed, tell);
      });
    }
    return taken(asked, tell);
  }

  /** taken makes of an answer what it says of who is signed in. */
  function taken(answer: Result<Identity> & { at: number }, tell: boolean): Result<Identity | null> {
    if (answer.error && answer.error.status !== 401) return { data: null, error: answer.error };
    learn(answer.data, answer.at, tell);
    return { data: answer.data, error: null };
  }

  /** wake renews in time, also after a sleep in which no timer ran. */
  function wake(): void {
    if (Date.now() < due) return;
    due = Date.now() + 5_000; // before which nothing tries again
    void current(true).then(({ error }) => {
      if (error && known) timer = setTimeout(wake, 5_000);
    });
  }

  /** renewed asks, and once more after a renewal if the token has ended. */
  async function renewed<T>(method: string, path: string): Promise<Result<T>> {
    const first = await ask<T>(method, path);
    if (first.error?.type === ended && (await current()).data) return ask<T>(method, path);
    if (first.error?.status === 401) learn(null, first.at);
    return first;
  }

  async function enter(path: string, input: object): Promise<Result<Identity>> {
    const answer = await ask<Identity>("POST", path, input);
    if (answer.data) learn(answer.data, answer.at);
    return answer;
  }

  async function list(): Promise<Result<Session[]>> {
    const all: Session[] = [];
    for (let after = ""; ; ) {
      const { data, error } = await renewed<{ sessions: Session[]; next: string | null }>(
        "GET", "/v1/sessions" + (after && "?after=" + encodeURIComponent(after)));
      if (error) return { data: null, error };
      all.push(...data.sessions);
      if (!data.next) return { data: all, error: null };
      after = data.next;
    }
  }

  tabs.onmessage = ({ data }) => {
    if (data === "out") learn(null, Date.now(), false);
    else void current(false, false);
  };
  for (const event of ["visibilitychange", "focus", "online", "pageshow"]) addEventListener(event, wake, true);

  return {
    signUp: (input) => enter("/v1/sign-up", input),
    signIn: (input) => enter("/v1/sign-in", input),
    async signOut() {
      const answer = await ask<null>("POST", "/v1/sign-out");
      if (!answer.error) learn(null, answer.at);
      return answer;
    },
    session: () => current(),
    sessions: list,
    async revoke(id) {
      const answer = await renewed<null>("DELETE", "/v1/sessions/" + encodeURIComponent(id));
      if (!answer.error && id === known?.session.id) learn(null, Date.now());
      return answer;
    },
    revokeOthers: () => renewed<null>("DELETE", "/v1/sessions"),
    async fetch(input, init) {
      const first = await fetch(input, init);
      if (first.status !== 401 || init?.body instanceof ReadableStream || !(await current()).data) return first;
      return fetch(input, init);
    },
    onChange(fn) {
      listeners.add(fn);
      if (known !== undefined) fn(known);
      return () => void listeners.delete(fn);
    },
  };
}
