package server

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cloakroom/internal/config"
)

// sqlHold keeps the writer until release is closed.
func sqlHold(release <-chan struct{}) func(context.Context, *sql.Tx) error {
	return func(context.Context, *sql.Tx) error { <-release; return nil }
}

// caller is a client that sees what becomes of its connections: unlike the one
// of net/http it never sends a request twice.
type caller struct {
	address, request string
	keeps            bool // its connection, as long as it may
}

// visits sends requests until nobody is let in any more. It returns how often
// each status was answered, and fails with the first request that was sent on a
// connection and not answered whole.
func (v caller) visits() (answers map[int]int, err error) {
	answers = map[int]int{}
	for {
		c, err := net.DialTimeout("tcp", v.address, 5*time.Second)
		if err != nil {
			if errors.Is(err, syscall.ECONNREFUSED) {
				return answers, nil
			}
			return answers, fmt.Errorf("connect: %w", err)
		}
		err = v.stays(c, answers)
		_ = c.Close()
		if err != nil {
			return answers, err
		}
	}
}

// stays sends requests on one connection until its last answer.
func (v caller) stays(c net.Conn, answers map[int]int) error {
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	from := bufio.NewReader(c)
	for {
		if _, err := io.WriteString(c, v.request); err != nil {
			return fmt.Errorf("a request on an open connection: %w", err)
		}
		a, err := http.ReadResponse(from, nil)
		if err != nil {
			return fmt.Errorf("a request without an answer: %w", err)
		}
		if _, err := io.Copy(io.Discard, a.Body); err != nil {
			return fmt.Errorf("an answer that was cut off: %w", err)
		}
		answers[a.StatusCode]++
		if a.Close || !v.keeps {
			return nil
		}
	}
}

// crowd visits from all sides until nobody is let in any more.
func crowd(s *site, cookie string, each int) (answers map[int]int, errs []error) {
	address := s.Addr().String()
	get := func(path string) string {
		return "GET " + basePath + path + " HTTP/1.1\r\nHost: " + address + "\r\nCookie: " + cookieName + "=" + cookie + "\r\n\r\n"
	}
	post := func(path, body string) string {
		return fmt.Sprintf("POST %s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", basePath, path, address, len(body), body)
	}
	var mu sync.Mutex
	var busy sync.WaitGroup
	answers = map[int]int{}
	for _, request := range []string{get("/check"), get("/v1/sessions"), post("/v1/sign-in", credentials("ada@example.com", wrongAnswer))} {
		for i := range each {
			busy.Go(func() {
				got, err := caller{address, request, i%2 == 0}.visits()
				mu.Lock()
				defer mu.Unlock()
				for status, n := range got {
					answers[status] += n
				}
				if err != nil {
					errs = append(errs, err)
				}
			})
		}
	}
	busy.Wait()
	return answers, errs
}

// TestNoRequestIsLostWhenTheServerStopsUnderLoad: clients with connections that
// they keep and clients with a new one for each request go on as if nothing were.
func TestNoRequestIsLostWhenTheServerStopsUnderLoad(t *testing.T) {
	for name, watched := range map[string]bool{"somebody asks whether it is ready": true, "nobody asks": false} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			ada := s.browser().signUp("ada@example.com")
			if watched {
				s.ops("/readyz")
			}
			var began atomic.Int64
			go func() {
				time.Sleep(500 * time.Millisecond)
				began.Store(time.Now().UnixNano())
				if err := s.stop(); err != nil {
					t.Error(err)
				}
			}()
			answers, errs := crowd(s, ada.cookie, 8)
			after := time.Since(time.Unix(0, began.Load()))
			for _, err := range errs {
				t.Error(err)
			}
			total := 0
			for status, n := range answers {
				total += n
				if status >= 500 && status != http.StatusServiceUnavailable {
					t.Errorf("%d answers with %d", n, status)
				}
			}
			if answers[http.StatusOK] == 0 {
				t.Errorf("no load: %v", answers)
			}
			if watched && after < leaveTime {
				t.Errorf("nobody was let in any more %v after the signal, when who asks may not have noticed", after)
			}
			t.Logf("%d answers, %v; the last %v after the signal", total, answers, after)
		})
	}
}

// TestTheServerIsNotReadyBeforeItTurnsAnybodyAway, and says so to the end.
func TestTheServerIsNotReadyBeforeItTurnsAnybodyAway(t *testing.T) {
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	if status, _ := s.ops("/readyz"); status != http.StatusOK {
		t.Fatalf("/readyz: %d", status)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.stop() }()
	deadline := time.Now().Add(5 * time.Second)
	for status := 0; status != http.StatusServiceUnavailable; {
		var text string
		if status, text = s.ops("/readyz"); status == http.StatusServiceUnavailable && text != "stopping\n" {
			t.Errorf("/readyz: %s", text)
		}
		if time.Now().After(deadline) {
			t.Fatal("/readyz does not fail")
		}
	}
	b.do("GET", "/check", "").is(http.StatusOK) // while it is not ready
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := (caller{request: "GET /auth/check HTTP/1.1\r\nHost: x\r\n\r\n", keeps: true}).stays(c, map[int]int{}); err != nil {
		t.Errorf("a connection that could be kept: %v", err) // it ends after the first answer
	}
	if status, _ := s.ops("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d", status)
	}
	watched := make(chan struct{})
	go func() { // as Prometheus does, on a connection that it keeps
		defer close(watched)
		client := http.Client{Timeout: time.Second}
		for {
			a, err := client.Get("http://" + s.OpsAddr().String() + "/readyz")
			if err != nil {
				if c, err := net.Dial("tcp", s.Addr().String()); err == nil {
					_ = c.Close()
					t.Error("the operations listener ended before the public one")
				}
				return
			}
			_ = a.Body.Close()
			time.Sleep(time.Millisecond)
		}
	}()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	<-watched
}

// TestNothingThatWasCountedIsLostWhenTheServerStopsUnderLoad: refused attempts
// and last uses are in memory until the end.
func TestNothingThatWasCountedIsLostWhenTheServerStopsUnderLoad(t *testing.T) {
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	s.exec(`UPDATE cloakroom_sessions SET last_seen = last_seen - 1000, idle_ends = idle_ends - 1000`)
	go func() {
		time.Sleep(300 * time.Millisecond)
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}()
	began := time.Now()
	answers, errs := crowd(s, ada.cookie, 4)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	again := newSite(t, func(o *Options) { o.Config.Database = "sqlite:" + s.Database() })
	var refused int
	var seen int64
	if err := again.store.Read().QueryRow(`SELECT coalesce(sum(count), 0) FROM cloakroom_audit WHERE event = 'signin.refused'`).Scan(&refused); err != nil {
		t.Fatal(err)
	}
	if err := again.store.Read().QueryRow(`SELECT last_seen FROM cloakroom_sessions`).Scan(&seen); err != nil {
		t.Fatal(err)
	}
	if want := answers[http.StatusUnauthorized] + answers[http.StatusTooManyRequests]; refused != want || want == 0 {
		t.Errorf("%d attempts were refused, and %d are in the record: %v", want, refused, answers)
	}
	if seen < began.Unix() {
		t.Errorf("the last use that is known is %v before the first check", time.Since(time.Unix(seen, 0)))
	}
}

// TestWhoIsConnectedWhenASocketClosesIsAnswered: they were let in by the kernel,
// have sent a request, and wait for the server to notice.
func TestWhoIsConnectedWhenASocketClosesIsAnswered(t *testing.T) {
	folder, err := os.MkdirTemp("", "last")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	for name, at := range map[string]config.Address{"an address": {Network: "tcp", Text: "127.0.0.1:0"}, "a path": {Network: "unix", Text: folder + "/s"}} {
		t.Run(name, func(t *testing.T) {
			opened, err := listen("listen", at, nil)
			if err != nil {
				t.Fatal(err)
			}
			l := opened.(*lastCall)
			address := l.Addr()
			for range 50 {
				c, err := net.Dial(address.Network(), address.String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
			}
			l.finish()
			if c, err := net.DialTimeout(address.Network(), address.String(), 300*time.Millisecond); err == nil {
				_ = c.Close()
				t.Error("somebody is let in when nobody should be any more")
			}
			accepted := 0
			for {
				c, err := l.Accept()
				if err != nil {
					if !errors.Is(err, net.ErrClosed) {
						t.Error(err)
					}
					break
				}
				defer c.Close()
				accepted++
			}
			if accepted != 50 {
				t.Errorf("of 50 who were connected %d are accepted", accepted)
			}
			if c, err := net.DialTimeout(address.Network(), address.String(), time.Second); err == nil {
				_ = c.Close()
				t.Error("somebody is let in after the end")
			}
		})
	}
}

func TestASocketThatWasHandedOverIsLeftToWhoOpenedIt(t *testing.T) {
	plain := net.ListenConfig{}
	plain.SetMultipathTCP(false) // as systemd does
	opened, err := plain.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := opened.(*net.TCPListener).File() // systemd keeps one, too
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := newSite(t, func(o *Options) { o.Sockets = map[string]net.Listener{"public": opened} })
	ada := s.browser().signUp("ada@example.com")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	waiting, err := net.DialTimeout("tcp", s.Addr().String(), 5*time.Second) // while no server runs
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	if _, err := io.WriteString(waiting, "GET /auth/check HTTP/1.1\r\nHost: x\r\nCookie: "+cookieName+"="+ada.cookie+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	next, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	newSite(t, func(o *Options) {
		o.Config.Database = "sqlite:" + s.Database()
		o.Sockets = map[string]net.Listener{"public": next}
	})
	_ = waiting.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, err := bufio.NewReader(waiting).ReadString('\n')
	if !strings.Contains(line, "200 OK") {
		t.Errorf("who came between two servers is answered %q, %v", line, err)
	}
}
