package server

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"cloakroom/internal/factor/password"
	"cloakroom/session"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what a server counts and measures of itself. No label holds what a
// client sent, an account or a session.
type metrics struct {
	registry  *prometheus.Registry
	decisions *prometheus.CounterVec
	requests  *prometheus.HistogramVec
	store     *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cloakroom_check_decisions_total",
			Help: "Answers to proxies, by the policy that was asked for and what was decided.",
		}, []string{"policy", "decision"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "cloakroom_http_request_duration_seconds",
			Help:    "Time to answer a request, but for those of proxies, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"route", "code"}),
		store: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "cloakroom_store_duration_seconds",
			Help:    "Time that the store took, by what it was asked and whether it answered.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}, []string{"operation", "outcome"}),
	}
	built := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "cloakroom_build_info", Help: "1, with what the binary was built from.",
		ConstLabels: prometheus.Labels{"version": Version(), "go_version": runtime.Version()},
	})
	built.Set(1)
	m.registry.MustRegister(m.decisions, m.requests, m.store, built,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watch has the registry ask the session manager, the hasher and the store when it is asked.
func (m *metrics) watch(sessions *session.Manager, limit int64, passwords *password.Hasher, live *liveSessions) {
	m.registry.MustRegister(&watcher{sessions: sessions, limit: float64(limit), passwords: passwords, live: live})
}

// handler answers Prometheus.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// decided counts the answers under a policy, which costs a check nothing more
// than an addition.
func (m *metrics) decided(policy string) func(status int) {
	count := func(decision string) prometheus.Counter { return m.decisions.WithLabelValues(policy, decision) }
	allowed, signedOut, refused, undecided := count("allowed"), count("signed_out"), count("refused"), count("undecided")
	return func(status int) {
		switch status {
		case http.StatusOK:
			allowed.Inc()
		case http.StatusUnauthorized:
			signedOut.Inc()
		case http.StatusForbidden:
			refused.Inc()
		default:
			undecided.Inc()
		}
	}
}

// measure times what next answers. The route is the pattern that was matched, or
// "none", so that there are as many as there are routes.
func (m *metrics) measure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		seen := &statusSeen{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		route := r.Pattern
		if route == "" || route == "/" {
			route = "none"
		}
		m.requests.WithLabelValues(route, strconv.Itoa(seen.status)).Observe(time.Since(began).Seconds())
	})
}

// statusSeen keeps the status that was written.
type statusSeen struct {
	http.ResponseWriter
	status int
}

func (w *statusSeen) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusSeen) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// watcher is a prometheus.Collector of what has a state rather than a history.
type watcher struct {
	sessions  *session.Manager
	limit     float64
	passwords *password.Hasher
	live      *liveSessions
}

var (
	describeSessions = prometheus.NewDesc("cloakroom_cached_sessions", "Sessions that checks are answered about from memory.", nil, nil)
	describeLive     = prometheus.NewDesc("cloakroom_live_sessions", "Sessions that would be let in, counted every ten minutes at most.", nil, nil)
	describeSubjects = prometheus.NewDesc("cloakroom_cached_subjects", "Accounts whose profiles are in memory.", nil, nil)
	describeBytes    = prometheus.NewDesc("cloakroom_cache_bytes", "Memory that the cache has allocated.", nil, nil)
	describeLimit    = prometheus.NewDesc("cloakroom_cache_limit_bytes", "Memory that the cache may allocate (sessions.cache).", nil, nil)
	describeLoads    = prometheus.NewDesc("cloakroom_loads_total", "Checks that memory could not answer, by whether the store could.", []string{"outcome"}, nil)
	describeUnderWay = prometheus.NewDesc("cloakroom_loads_in_progress", "Checks, or groups of them, that wait for the store.", nil, nil)
	describeSlots    = prometheus.NewDesc("cloakroom_hashing_slots", "Passwords that may be hashed at a time (password.slots).", nil, nil)
	describeHashing  = prometheus.NewDesc("cloakroom_hashing_in_progress", "Passwords that are being hashed.", nil, nil)
	describeWaiting  = prometheus.NewDesc("cloakroom_hashing_waiting", "Passwords that wait to be hashed.", nil, nil)
	describeBusy     = prometheus.NewDesc("cloakroom_hashing_refused_total", "Passwords that were not hashed, because too many waited or for too long.", nil, nil)
	describeLag      = prometheus.NewDesc("cloakroom_revocation_lag_seconds", "How old the news may be that checks are answered by.", nil, nil)
)

func (c *watcher) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		describeSessions, describeLive, describeSubjects, describeBytes, describeLimit, describeLoads, describeUnderWay, describeLag,
		describeSlots, describeHashing, describeWaiting, describeBusy,
	} {
		to <- d
	}
}

func (c *watcher) Collect(to chan<- prometheus.Metric) {
	st := c.sessions.Stats()
	gauge := func(d *prometheus.Desc, v float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	gauge(describeSessions, float64(st.CachedSessions))
	if live, ok := c.live.count(); ok {
		gauge(describeLive, float64(live))
	}
	gauge(describeSubjects, float64(st.CachedSubjects))
	gauge(describeBytes, float64(st.CacheBytes))
	gauge(describeLimit, c.limit)
	gauge(describeUnderWay, float64(st.LoadsUnderWay))
	gauge(describeLag, st.Behind.Seconds())
	hashing := c.passwords.Stats()
	gauge(describeSlots, float64(hashing.Slots))
	gauge(describeHashing, float64(hashing.Hashing))
	gauge(describeWaiting, float64(hashing.Waiting))
	to <- prometheus.MustNewConstMetric(describeBusy, prometheus.CounterValue, float64(hashing.Busy))
	to <- prometheus.MustNewConstMetric(describeLoads, prometheus.CounterValue, float64(st.Loads-st.LoadsUndecided), "decided")
	to <- prometheus.MustNewConstMetric(describeLoads, prometheus.CounterValue, float64(st.LoadsUndecided), "undecided")
}

// metered is a store whose answers are timed.
type metered struct {
	session.Store
	m *metrics
}

func (s metered) time(operation string) func(error) {
	began := time.Now()
	return func(err error) {
		outcome := "answered"
		if broken(err) {
			outcome = "failed"
		}
		s.m.store.WithLabelValues(operation, outcome).Observe(time.Since(began).Seconds())
	}
}

// broken reports whether the store failed, and not what it was asked for.
func broken(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*session.JoinError](err); ok {
		return false
	}
	for _, known := range []error{
		session.ErrNoSession, session.ErrMoved, session.ErrDeleted, session.ErrSessionLimit, session.ErrWrongStore, session.ErrInvalid,
	} {
		if errors.Is(err, known) {
			return false
		}
	}
	return true
}

func (s metered) Load(ctx context.Context, now time.Time, token session.Hash) (l session.Loaded, err error) {
	done := s.time("load")
	l, err = s.Store.Load(ctx, now, token)
	done(err)
	return l, err
}

func (s metered) Create(ctx context.Context, now time.Time, c session.Creation, joins []session.Join) (made session.Created, err error) {
	done := s.time("create")
	made, err = s.Store.Create(ctx, now, c, joins)
	done(err)
	return made, err
}

func (s metered) Apply(ctx context.Context, now time.Time, c session.Change, joins []session.Join) (pos session.Position, err error) {
	done := s.time("apply")
	pos, err = s.Store.Apply(ctx, now, c, joins)
	done(err)
	return pos, err
}

func (s metered) Renew(ctx context.Context, now time.Time, r session.Renewal) (renewed session.Renewed, err error) {
	done := s.time("renew")
	renewed, err = s.Store.Renew(ctx, now, r)
	done(err)
	return renewed, err
}

func (s metered) Confirm(ctx context.Context, now time.Time, token session.Hash, grace time.Duration) (pos session.Position, err error) {
	done := s.time("confirm")
	pos, err = s.Store.Confirm(ctx, now, token, grace)
	done(err)
	return pos, err
}

func (s metered) Touch(ctx context.Context, now time.Time, touches []session.Touch) error {
	done := s.time("touch")
	err := s.Store.Touch(ctx, now, touches)
	done(err)
	return err
}
