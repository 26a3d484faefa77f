// Package server builds everything from a configuration, serves it, and takes
// it down again in order. It is the one place that knows which store is used.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/internal/authority"
	"cloakroom/internal/config"
	accounts "cloakroom/internal/db/sqlite"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/notify"
	"cloakroom/internal/setup"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/internal/visitor"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// Options are what a Server is made of.
type Options struct {
	Config config.Config
	Logger *slog.Logger // slog.Default unless set

	// Passwords, in tests, makes hashes cheap. What is configured counts before
	// it.
	Passwords password.Config
	// ReauthenticateAfter, in tests, is what no configuration can be: less than
	// a minute.
	ReauthenticateAfter time.Duration
	// Now is the wall clock: time.Now unless set.
	Now func() time.Time
	// Manager is who started the program and wants to know how it is.
	Manager notify.Manager
	// Sockets are listeners that were opened before, by name: public is used in
	// the place of what is configured as listen, ops of ops.listen.
	Sockets map[string]net.Listener

	// wrap, in tests of this package only, puts faults between the session
	// manager and the store.
	wrap func(session.Store) session.Store
	// patience, in tests of this package only, is another requestTime.
	patience time.Duration
}

// requestTime is how long a request may take in all, waiting for the store
// included. Connections are cut off later, so that it is answered.
const requestTime = 20 * time.Second

// Server is a server that listens. Run serves; Close is for those who never
// call Run.
type Server struct {
	logger   *slog.Logger
	settings config.Settings
	public   []config.PublicURL
	store    *sqlite.Store
	sessions *session.Manager
	metrics  *metrics
	probe    probe
	manager  notify.Manager

	ready   atomic.Bool
	serving chan struct{} // closed once it is ready
	leaving atomic.Bool   // connections are closed after the answer
	asked   atomic.Int64  // when /readyz was asked last, in Unix nanoseconds
	open    atomic.Int64  // connections to the public listener

	signin    *signin.Service
	authority *authority.Service
	setupCode setup.Code // until it is taken
	throttle  *throttle.Throttle
	refusals  *audit.Refusals
	retention *audit.Retention
	recent    time.Duration // Options.ReauthenticateAfter
	patience  time.Duration // of a request
	now       func() time.Time

	listener, opsListener, control net.Listener
	handler                        atomic.Pointer[http.Handler]
}

// New checks the configuration, opens the database and listens. It serves
// nothing yet: connections wait until Run.
func New(ctx context.Context, o Options) (_ *Server, err error) {
	if err := takeSockets(&o.Config, o.Sockets); err != nil {
		return nil, err
	}
	s, err := newServer(&o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if s.listener, err = listen("listen", s.settings.Listen, o.Sockets[publicSocket]); err != nil {
		return nil, err
	}
	if s.opsListener, err = listen("ops.listen", s.settings.OpsListen, o.Sockets[opsSocket]); err != nil {
		return nil, err
	}
	s.public = publicURLs(s.settings.PublicURLs, s.listener.Addr())
	if s.store, err = openStore(ctx, s.settings.SQLitePath); err != nil {
		return nil, err
	}
	if s.control, err = listenControl(s.settings.SQLitePath); err != nil {
		return nil, err
	}
	return s, s.build(ctx, o)
}

// newServer is a server that has opened nothing.
func newServer(o *Options) (*Server, error) {
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
	return &Server{
		logger: o.Logger, settings: settings, recent: o.ReauthenticateAfter, now: o.Now, metrics: newMetrics(),
		manager: o.Manager, serving: make(chan struct{}), patience: cmp.Or(o.patience, requestTime),
	}, nil
}

// build puts the parts together that last as long as the server.
func (s *Server) build(ctx context.Context, o Options) error {
	set := s.settings
	people, err := accounts.NewAccounts(ctx, s.store)
	if err != nil {
		return explainDatabase(set.SQLitePath, err)
	}
	origins := make([]string, len(s.public))
	for i, u := range s.public {
		origins[i] = u.String()
	}
	var store session.Store = s.store
	if o.wrap != nil {
		store = o.wrap(store)
	}
	s.sessions, err = session.New(session.Config{
		Store: metered{store, s.metrics}, Origins: origins, Now: o.Now, Logger: s.logger,
		Idle: set.Idle, Absolute: set.Absolute, PerSubject: set.PerAccount, CacheBytes: set.CacheBytes,
		TokenLifetime: set.TokenLifetime, Bearer: true,
		Cookie: session.Cookie{
			Name: set.CookieName, SameSite: sameSite(set.CookieSameSite), RenewPath: set.BasePath + visitor.RenewPath,
		},
		Reused: func(e *session.ReusedError) []session.Join { return s.signin.Reused(e) },
	})
	if err != nil {
		return err
	}
	s.probe.sessions, s.probe.cookie = s.sessions, set.CookieName
	o.Passwords.MinLength, o.Passwords.Slots = set.PasswordMinLength, cmp.Or(set.PasswordSlots, o.Passwords.Slots)
	o.Passwords.Words = append(o.Passwords.Words, "cloakroom")
	for _, u := range s.public {
		o.Passwords.Words = append(o.Passwords.Words, u.Host())
	}
	devices := accounts.NewDevices(people)
	steady := newClock(o.Now).now // the record keeps to the wall clock, as people do
	s.throttle = throttle.New(throttle.Config{Store: accounts.NewThrottle(people), Devices: devices, Now: steady})
	record := accounts.NewAudit(people, o.Now)
	s.refusals = audit.NewRefusals(audit.RefusalsConfig{Store: record, Now: o.Now, Logger: s.logger})
	s.retention, err = audit.NewRetention(audit.RetentionConfig{Store: record, Keep: set.AuditRetention, Now: o.Now, Logger: s.logger})
	if err != nil {
		return err
	}
	passwords := password.New(o.Passwords)
	s.metrics.watch(s.sessions, set.CacheBytes, passwords, &liveSessions{store: s.store, now: o.Now})
	s.signin = &signin.Service{
		Sessions: s.sessions, Accounts: people, Passwords: passwords,
		Throttle: s.throttle, Devices: devices, Audit: record, Refusals: s.refusals, Now: steady, Logger: s.logger,
	}
	s.authority = &authority.Service{
		Sessions: s.sessions, Accounts: people, Directory: people, Links: accounts.NewLinks(people),
		SignIn: s.signin, Setup: accounts.NewSetup(people), Passwords: passwords, Throttle: s.throttle, Devices: devices,
		Audit: record, Refusals: s.refusals, Now: steady, Logger: s.logger,
	}
	if err := s.makeSetupCode(ctx); err != nil {
		return explainDatabase(set.SQLitePath, err)
	}
	return s.Reload(set)
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
func (s *Server) SetupURL() string { return s.URL() + s.settings.BasePath + "/setup" }

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
	for _, l := range []net.Listener{s.listener, s.opsListener, s.control} {
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
