// Command library shows how an application with its own users gets sessions
// from cloakroom/session: a noticeboard whose members sign up and in, keep a
// draft, and change their password. It is meant to be copied from.
//
//	serve.go     the HTTP server and its end
//	app.go       what the handlers share, and the routes
//	signin.go    sign up, sign in, sign out
//	account.go   change the password and end the other sessions, in one transaction
//	board.go     the notes, and the draft that is kept with the session
//	members.go   what only an editor may see, by a role that holds at once
//	users.go     the table of users: the application's own, in the same file
//	audit.go     the application's own record of what happened
//	password.go  argon2id, a bounded number at a time
//	pages.go     where a page is written, and where an error becomes one
//	wayback.go   which page to go on to after signing in
//
// What it leaves out, and an application on the internet needs: throttling of
// attempts, a check against common passwords, and proof that an email address
// is its owner's. It listens on plain HTTP: put TLS before it, for without it
// browsers keep a session's cookie on localhost only (and Safari not even there).
package main
