package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

// running makes a Manager that runs, and what stops it.
func running(cfg session.Config) (sessions *session.Manager, stop func()) {
	if cfg.Store == nil {
		cfg.Store = memory.New()
	}
	sessions, err := session.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sessions.Run(ctx) }()
	for {
		if _, err := sessions.Begin(ctx, "anybody"); !errors.Is(err, session.ErrUnavailable) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return sessions, func() {
		cancel()
		<-ended
	}
}

// issue signs somebody in whose password, or whatever it was, has been verified.
func issue(sessions *session.Manager, subject string, g session.Grant) (session.Token, session.Session) {
	attempt, err := sessions.Begin(context.Background(), subject)
	if err != nil {
		log.Fatal(err)
	}
	token, s, err := sessions.Issue(context.Background(), attempt, g)
	if err != nil {
		log.Fatal(err)
	}
	return token, s
}

// browse sends a request with the token to the handler and shows the answer.
func browse(h http.Handler, path string, token session.Token) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.AddCookie(&http.Cookie{Name: "__Host-session", Value: token.Reveal()})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, http.StatusText(w.Code))
}

// A Manager decides while Run is running, and says so when it is not.
func ExampleManager_Run() {
	sessions, err := session.New(session.Config{Store: memory.New()})
	if err != nil {
		log.Fatal(err)
	}
	_, err = sessions.Begin(context.Background(), "ada")
	fmt.Println(err)

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- sessions.Run(ctx) }()
	// ... serve requests, and when the last of them is answered:
	stop()
	fmt.Println(<-ended)
	// Output:
	// sessions are unavailable: Manager.Run is not running
	// <nil>
}

// A sign-in without HTTP: Begin, verify, Issue. The token goes to the client,
// and comes back with each request.
func ExampleManager_Issue() {
	sessions, stop := running(session.Config{})
	defer stop()
	ctx := context.Background()

	attempt, err := sessions.Begin(ctx, "ada")
	if err != nil {
		log.Fatal(err)
	}
	// ... read the hash and verify the password ...
	token, _, err := sessions.Issue(ctx, attempt, session.Grant{
		Methods: session.Password,
		Profile: &session.Profile{Name: "Ada", Roles: []string{"editor"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("a token cannot be printed by accident:", token)

	s, err := sessions.Check(ctx, token.Reveal(), session.Cached)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Subject(), s.Name(), s.HasRole("editor"))

	_, err = sessions.Check(ctx, "something else", session.Cached)
	fmt.Println(errors.Is(err, session.ErrNoSession))
	// Output:
	// a token cannot be printed by accident: cks_[redacted]
	// ada Ada true
	// true
}

// Whoever verified a password that was changed in the meantime gets no session.
func ExampleManager_Begin() {
	sessions, stop := running(session.Config{})
	defer stop()
	ctx := context.Background()

	attempt, err := sessions.Begin(ctx, "ada")
	if err != nil {
		log.Fatal(err)
	}
	// ... the old password is verified, and while that goes on:
	if _, err := sessions.Apply(ctx, session.RevokeAll("ada")); err != nil {
		log.Fatal(err)
	}
	_, _, err = sessions.Issue(ctx, attempt, session.Grant{Methods: session.Password})
	fmt.Println(errors.Is(err, session.ErrMoved))
	// Output: true
}

// A revocation holds when Apply returns. Wait makes it hold on all nodes.
func ExampleManager_Apply() {
	sessions, stop := running(session.Config{Delta: 250 * time.Millisecond})
	defer stop()
	ctx := context.Background()
	phone, s := issue(sessions, "ada", session.Grant{Methods: session.Password})
	laptop, _ := issue(sessions, "ada", session.Grant{Methods: session.Password})

	position, err := sessions.Apply(ctx, session.Revoke("ada", s.ID()))
	if err != nil {
		log.Fatal(err)
	}
	_, err = sessions.Check(ctx, phone.Reveal(), session.Cached)
	fmt.Println("phone:", err)
	_, err = sessions.Check(ctx, laptop.Reveal(), session.Cached)
	fmt.Println("laptop:", err)
	fmt.Println("everywhere:", sessions.Wait(ctx, position))
	// Output:
	// phone: no such session: the session was revoked
	// laptop: <nil>
	// everywhere: <nil>
}

// A role is taken away from somebody who is signed in: the next check shows it.
func ExampleSetProfile() {
	sessions, stop := running(session.Config{})
	defer stop()
	ctx := context.Background()
	token, _ := issue(sessions, "ada", session.Grant{
		Methods: session.Password,
		Profile: &session.Profile{Name: "Ada", Roles: []string{"editor"}},
	})

	infos, err := sessions.Subjects(ctx, "ada")
	if err != nil || len(infos) == 0 {
		log.Fatal("no such subject ", err)
	}
	profile := infos[0].Profile
	profile.Roles = nil
	if _, err := sessions.Apply(ctx, session.SetProfile("ada", profile, infos[0].Version)); err != nil {
		log.Fatal(err)
	}
	s, err := sessions.Check(ctx, token.Reveal(), session.Cached)
	fmt.Println(s.Name(), s.HasRole("editor"), err)

	_, err = sessions.Apply(ctx, session.SetProfile("ada", profile, infos[0].Version))
	fmt.Println("with the version from before:", err)
	// Output:
	// Ada false <nil>
	// with the version from before: changed in the meantime
}

// A change of password: this session goes on under a new token, all others end,
// and the application's own writes are part of it, by a Join of the engine.
func ExampleGrant() {
	sessions, stop := running(session.Config{})
	defer stop()
	ctx := context.Background()
	old, current := issue(sessions, "ada", session.Grant{Methods: session.Password})
	other, _ := issue(sessions, "ada", session.Grant{Methods: session.Password})

	renewed, _ := issue(sessions, "ada", session.Grant{
		Methods:      session.Password,
		Replace:      current.ID(),
		RevokeOthers: true,
		Joins: []session.Join{memory.Join(func(context.Context) error {
			fmt.Println("the new hash and an audit entry are written")
			return nil
		})},
	})
	for _, token := range []session.Token{renewed, old, other} {
		_, err := sessions.Check(ctx, token.Reveal(), session.Cached)
		fmt.Println(err)
	}
	// Output:
	// the new hash and an audit entry are written
	// <nil>
	// no such session: the session was revoked
	// no such session: the session was revoked
}

// Require guards a handler. What it does not let through is answered 401, 403,
// or 503 during an outage.
func ExampleManager_Require() {
	sessions, stop := running(session.Config{})
	defer stop()
	editor, _ := issue(sessions, "ada", session.Grant{Profile: &session.Profile{Roles: []string{"editor"}}})
	reader, _ := issue(sessions, "bob", session.Grant{})

	mux := http.NewServeMux()
	editors := sessions.Require(session.Role("editor"), session.Recent(10*time.Minute))
	mux.Handle("GET /members", editors(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context()) // there is one: Require saw to it
		fmt.Fprintf(w, "hello %s", s.Subject())
	})))
	site := sessions.Load(mux)

	browse(site, "/members", editor)
	browse(site, "/members", reader)
	browse(site, "/members", session.Token{})
	// Output:
	// 200 OK
	// 403 Forbidden
	// 401 Unauthorized
}

// Data keeps what belongs to one session and ends with it.
func ExampleManager_Data() {
	sessions, stop := running(session.Config{})
	defer stop()
	ctx := context.Background()
	_, s := issue(sessions, "ada", session.Grant{})

	data := sessions.Data(s)
	if err := data.Put(ctx, "draft", []byte("half a thought")); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		draft, ok, err := data.Take(ctx, "draft")
		fmt.Printf("%q %v %v\n", draft, ok, err)
	}
	if _, err := sessions.Apply(ctx, session.RevokeAll("ada")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(data.Put(ctx, "draft", []byte("too late")))
	// Output:
	// "half a thought" true <nil>
	// "" false <nil>
	// no such session
}

// An application with pages sends a page load without a session to its sign-in
// page, which finds in return_to where to go on to. It must take nothing for that
// but a path on its own host.
func ExampleRedirectTo() {
	sessions, stop := running(session.Config{Answer: session.RedirectTo("/sign-in")})
	defer stop()
	account := sessions.Require()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "your account")
	}))

	r := httptest.NewRequest(http.MethodGet, "/account?tab=devices", nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	w := httptest.NewRecorder()
	account.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Location"))

	r.Header.Set("Sec-Fetch-Mode", "cors") // a script's request
	w = httptest.NewRecorder()
	account.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output:
	// 303 /sign-in?return_to=%2Faccount%3Ftab%3Ddevices
	// 401 application/problem+json
}
