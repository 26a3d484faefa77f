// What a front end needs of the API: a way to ask, who is signed in, and what to
// do when the answer is no.

// Problem is an answer that is no: a problem document (RFC 9457).
export class Problem extends Error {
  constructor(answer, said) {
    super(said.detail ?? answer.statusText)
    this.status = answer.status
    this.type = (said.type ?? "").replace("urn:cloakroom:problem:", "")
    this.field = said.field // the key at fault, if one is
    this.retryAfter = Number(answer.headers.get("Retry-After") ?? 0) // seconds
  }
}

// ask sends a request and returns what is answered, or throws a Problem.
export async function ask(method, path, body) {
  const request = { method, credentials: "same-origin" }
  if (body !== undefined) {
    request.headers = { "Content-Type": "application/json" }
    request.body = JSON.stringify(body)
  }
  const answer = await fetch("/auth/v1" + path, request)
  // A proxy may answer in the server's place, and without JSON.
  const said = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Problem(answer, said)
  return said
}

// whoIsThere returns {session, account}, or null for a visitor. It throws when
// that cannot be known: an outage is no visitor. A token that has ended is renewed.
export async function whoIsThere(method = "GET", path = "/session") {
  try {
    return await ask(method, path)
  } catch (problem) {
    if (problem.type === "token-ended") return whoIsThere("POST", "/session/renew")
    if (problem.status === 401) return null
    throw problem
  }
}

export const signIn = (email, password, remember = false) =>
  ask("POST", "/sign-in", { email, password, remember })

export const signOut = () => ask("POST", "/sign-out")

// sure carries out an act that may want the password again: askForPassword is
// then called for it, and the act repeated.
export async function sure(act, askForPassword) {
  try {
    return await act()
  } catch (problem) {
    if (problem.type !== "not-recent") throw problem
  }
  await ask("POST", "/reauthenticate", { password: await askForPassword() })
  return act()
}
