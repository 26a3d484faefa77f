// Package server builds everything from a configuration, serves it, and takes
// it down again in order. It is the one place that knows which store is used.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"cloakroom/forwardauth"
	"cloakroom/internal/api"
	"cloakroom/internal/audit"
	"cloakroom/internal/authority"
	"cloakroom/internal/config"
	accounts "cloakroom/internal/db/sqlite"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/setup"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/internal/web"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// Options are what a Server is made of.
type Options struct {
	Config config.Config
	Logger *slog.Logger // slog.Default unless set

	// Passwords is how passwords are hashed; the zero value is right but for
	// tests, which have no time for it.
	Passwords password.Config
	// ReauthenticateAfter is how long after a sign-in other sessions may be
	// revoked: 15 minutes unless set.
	ReauthenticateAfter time.Duration
	// Now is the wall clock: time.Now unless set.
	Now func() time.Time

	// wrap, in tests of this package only, puts faults between the session
	// manager and the store.
	wrap func(session.Store) session.Store
}

// Server is a server that listens. Run serves; Close is for those who never
// call Run.
type Server struct {
	logger   *slog.Logger
	settings config.Settings
	public   []config.PublicURL
	store    *sqlite.Store
	sessions *session.Manager
	ready    atomic.Bool

	authority *authority.Service
	setupCode setup.Code // until it is taken
	throttle  *throttle.Throttle
	refusals  *audit.Refusals
	retention *audit.Retention

	listener, opsListener net.Listener
	handler               http.Handler
}

// basePath is the path that everything public stands under.
const basePath = "/auth"

// New checks the configuration, opens the database and listens. It serves
// nothing yet: connections wait until Run.
func New(ctx context.Context, o Options) (_ *Server, err error) {
	settings, err := o.Config.Check()
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ReauthenticateAfter == 0 {
		o.ReauthenticateAfter = 15 * time.Minute
	}
	s := &Server{logger: o.Logger, settings: settings}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if s.listener, err = listen("listen", settings.Listen); err != nil {
		return nil, err
	}
	if s.opsListener, err = listen("ops.listen", settings.OpsListen); err != nil {
		return nil, err
	}
	s.public = publicURLs(settings.PublicURLs, s.listener.Addr())
	if s.store, err = openStore(ctx, settings.SQLitePath); err != nil {
		return nil, err
	}
	return s, s.build(ctx, o)
}

// build puts the parts together.
func (s *Server) build(ctx context.Context, o Options) error {
	people, err := accounts.NewAccounts(ctx, s.store)
	if err != nil {
		return explainDatabase(s.settings.SQLitePath, err)
	}
	origins := make([]string, len(s.public))
	for i, u := range s.public {
		origins[i] = u.String()
	}
	var store session.Store = s.store
	if o.wrap != nil {
		store = o.wrap(store)
	}
	s.sessions, err = session.New(session.Config{Store: store, Origins: origins, Now: o.Now, Logger: s.logger})
	if err != nil {
		return err
	}
	o.Passwords.Words = append(o.Passwords.Words, "cloakroom")
	for _, u := range s.public {
		o.Passwords.Words = append(o.Passwords.Words, u.Host())
	}
	devices := accounts.NewDevices(people)
	s.throttle = throttle.New(throttle.Config{Store: accounts.NewThrottle(people), Devices: devices, Now: o.Now})
	record := accounts.NewAudit(people, o.Now)
	s.refusals = audit.NewRefusals(audit.RefusalsConfig{Store: record, Now: o.Now, Logger: s.logger})
	s.retention, err = audit.NewRetention(audit.RetentionConfig{Store: record, Now: o.Now, Logger: s.logger})
	if err != nil {
		return err
	}
	passwords := password.New(o.Passwords)
	signIn := &signin.Service{
		Sessions: s.sessions, Accounts: people, Passwords: passwords,
		Throttle: s.throttle, Devices: devices, Audit: record, Refusals: s.refusals, Now: o.Now, Logger: s.logger,
	}
	s.authority = &authority.Service{
		Sessions: s.sessions, Accounts: people, Directory: people, Links: accounts.NewLinks(people),
		Setup: accounts.NewSetup(people), SignIn: signIn, Passwords: passwords, Throttle: s.throttle,
		Audit: record, Refusals: s.refusals, Now: o.Now, Logger: s.logger,
	}
	if err := s.makeSetupCode(ctx); err != nil {
		return explainDatabase(s.settings.SQLitePath, err)
	}
	jsonAPI, err := api.New(api.Config{
		Sessions: s.sessions, SignIn: signIn, Authority: s.authority, PublicURL: s.URL(), BasePath: basePath,
		Recent: o.ReauthenticateAfter, Logger: s.logger,
	})
	if err != nil {
		return err
	}
	contract, err := api.Contract(basePath)
	if err != nil {
		return err
	}
	pages, err := web.New(web.Config{
		Contract: contract,
		Sessions: s.sessions, SignIn: signIn, Authority: s.authority, BasePath: basePath, PublicURL: s.URL(),
		Recent: o.ReauthenticateAfter, Now: o.Now, Logger: s.logger,
	})
	if err != nil {
		return err
	}
	s.handler = &public{
		check: forwardauth.Handler{Sessions: s.sessions, SignInURL: s.URL() + basePath + "/sign-in"},
		api:   jsonAPI, pages: pages, urls: s.public,
	}
	return nil
}

// makeSetupCode makes the code of the first administrator, unless there has been
// one.
func (s *Server) makeSetupCode(ctx context.Context) error {
	done, err := s.authority.Setup.Done(ctx)
	if err != nil || done {
		return err
	}
	s.setupCode = setup.NewCode()
	s.authority.Code = s.setupCode.Hash()
	return nil
}

// TakeSetupCode returns what the first administrator has to type, once, and
// false if there is to be none. It is for the eyes of whoever starts the server:
// it belongs on standard output and in no log. After that only its hash is kept.
func (s *Server) TakeSetupCode() (setup.Code, bool) {
	code := s.setupCode
	s.setupCode = setup.Code{}
	return code, code != setup.Code{}
}

// SetupURL is the page that asks for the setup code.
func (s *Server) SetupURL() string { return s.URL() + basePath + "/setup" }

// URL is the canonical public URL, without a slash at its end.
func (s *Server) URL() string { return s.public[0].String() }

// Secure reports whether the canonical public URL is https.
func (s *Server) Secure() bool { return s.public[0].Secure() }

// Database is the path of the database's file, from the root where that is known.
func (s *Server) Database() string {
	if path, err := filepath.Abs(s.settings.SQLitePath); err == nil {
		return path
	}
	return s.settings.SQLitePath
}

// Addr is the address that is listened on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// OpsAddr is the address that operations are listened for on.
func (s *Server) OpsAddr() net.Addr { return s.opsListener.Addr() }

// publicURLs are those that are configured, or what this machine's browsers
// reach the address by.
func publicURLs(configured []config.PublicURL, listening net.Addr) []config.PublicURL {
	if len(configured) > 0 {
		return configured
	}
	tcp, ok := listening.(*net.TCPAddr)
	if !ok {
		return nil
	}
	var urls []config.PublicURL
	for _, host := range []string{"localhost", tcp.IP.String()} {
		if host == "localhost" && !tcp.IP.Equal(net.IPv4(127, 0, 0, 1)) && !tcp.IP.Equal(net.IPv6loopback) {
			continue
		}
		u, err := config.ParsePublicURL("http://" + net.JoinHostPort(host, fmt.Sprint(tcp.Port)))
		if err == nil {
			urls = append(urls, u)
		}
	}
	return urls
}

// Close closes what New opened.
func (s *Server) Close() error {
	var errs []error
	for _, l := range []net.Listener{s.listener, s.opsListener} {
		if l != nil {
			if err := l.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}
