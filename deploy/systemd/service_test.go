package systemd

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// notifySocket returns a socket like the one that systemd listens on, and its
// path.
func notifySocket(t *testing.T) (*net.UnixConn, string) {
	t.Helper()
	binary(t)
	path := filepath.Join(workshop, "n"+strconv.FormatInt(time.Now().UnixNano(), 36))
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, path
}

// hears returns what is told next, but for what is told all the time.
func hears(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	text := make([]byte, 4096)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, err := conn.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(text[:n]); got != "WATCHDOG=1" {
			return got
		}
	}
}

func monotonic(t *testing.T) int64 {
	t.Helper()
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &at); err != nil {
		t.Fatal(err)
	}
	return at.Nano() / 1000
}

// TestSystemdIsTold what Type=notify, ExecReload= and WatchdogSec= rest on.
func TestSystemdIsTold(t *testing.T) {
	conn, path := notifySocket(t)
	p := prepare(t, t.TempDir())
	p.Env = append(p.Env, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=400000")
	p.start()
	if got := hears(t, conn); got != "READY=1" {
		t.Fatalf("first it is told %q", got)
	}
	public, ops := p.address("listen"), p.address("ops.listen")
	if a, b := status(t, public, "/auth/check"), status(t, ops, "/readyz"); a != http.StatusUnauthorized || b != http.StatusOK {
		t.Errorf("once it says that it is ready it answers %d and %d", a, b)
	}
	alive := 0
	for until := time.Now().Add(time.Second); time.Now().Before(until); {
		_ = conn.SetReadDeadline(until)
		text := make([]byte, 100)
		if n, err := conn.Read(text); err == nil && string(text[:n]) == "WATCHDOG=1" {
			alive++
		}
	}
	if alive < 3 || alive > 6 {
		t.Errorf("in a second it is told %d times of a server that is alive; 5 are two in each 400 ms", alive)
	}
	before := monotonic(t)
	p.signal(syscall.SIGHUP)
	reloading := regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=(\d+)$`).FindStringSubmatch(hears(t, conn))
	if reloading == nil {
		t.Fatal("it is not told of a reload")
	}
	if at, err := strconv.ParseInt(reloading[1], 10, 64); err != nil || at < before || at > monotonic(t) {
		t.Errorf("the reload was at %s, after %d", reloading[1], before)
	}
	if got := hears(t, conn); got != "READY=1" {
		t.Errorf("after the reload it is told %q", got)
	}
	if !strings.Contains(p.text(), "config: reloaded") {
		t.Error("it says so before the reload is over")
	}
	p.signal(syscall.SIGTERM)
	if got := hears(t, conn); got != "STOPPING=1" {
		t.Errorf("at the end it is told %q", got)
	}
	p.ends()
}

// opened is a socket as systemd opens it: it outlives every server.
func opened(t *testing.T, network, address string) (*os.File, string) {
	t.Helper()
	plain := net.ListenConfig{}
	plain.SetMultipathTCP(false)
	l, err := plain.Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	var file *os.File
	switch l := l.(type) {
	case *net.TCPListener:
		file, err = l.File()
	case *net.UnixListener:
		l.SetUnlinkOnClose(false)
		file, err = l.File()
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	t.Cleanup(func() { _ = file.Close() })
	return file, l.Addr().String()
}

func TestItListensOnTheSocketsThatItIsHanded(t *testing.T) {
	public, at := opened(t, "tcp", "127.0.0.1:0")
	ops, opsAt := opened(t, "tcp", "127.0.0.1:0")
	p := prepare(t, t.TempDir()).asSystemd("public:ops", public, ops).start()
	if got, gotOps := p.address("listen"), p.address("ops.listen"); got != at || gotOps != opsAt {
		t.Errorf("it listens on %s and %s, and was handed %s and %s", got, gotOps, at, opsAt)
	}
	if a, b := status(t, at, "/auth/check"), status(t, opsAt, "/healthz"); a != http.StatusUnauthorized || b != http.StatusOK {
		t.Errorf("it answers %d and %d", a, b)
	}
	p.signal(syscall.SIGTERM)
	p.ends()
}

func TestASocketWithoutAMeaningIsNotGuessedAt(t *testing.T) {
	for names, want := range map[string]string{
		"cloakroom.socket": "FileDescriptorName=public", "public:public": "two sockets named public",
	} {
		var sockets []*os.File
		for range strings.Split(names, ":") {
			file, _ := opened(t, "tcp", "127.0.0.1:0")
			sockets = append(sockets, file)
		}
		p := prepare(t, t.TempDir()).asSystemd(names, sockets...).start()
		<-p.done
		if p.err == nil || !strings.Contains(p.text(), want) {
			t.Errorf("%s: %v, without %q: %s", names, p.err, want, p.text())
		}
	}
	datagram, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer datagram.Close()
	file, err := datagram.(*net.UDPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p := prepare(t, t.TempDir()).asSystemd("public", file).start()
	<-p.done
	if p.err == nil || !strings.Contains(p.text(), "ListenStream=") {
		t.Errorf("a datagram socket: %v: %s", p.err, p.text())
	}
}

// TestWithSocketsNobodyIsRefusedOverARestart: clients go on asking while one
// server ends and the next is started. Each request is answered, and nobody is
// signed out.
func TestWithSocketsNobodyIsRefusedOverARestart(t *testing.T) {
	socket, at := opened(t, "tcp", "127.0.0.1:0")
	dir := t.TempDir()
	first := prepare(t, dir).asSystemd("public", socket).start()
	first.address("listen")
	cookie := signUp(t, at, "ada@example.com")
	var over atomic.Bool
	var answers atomic.Int64
	var busy sync.WaitGroup
	for i := range 12 {
		busy.Go(func() {
			for !over.Load() {
				if err := stays(at, cookie, i%2 == 0, &over, &answers); err != nil {
					t.Errorf("a client: %v", err)
					return
				}
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	first.signal(syscall.SIGTERM)
	first.ends()
	before := answers.Load()
	second := prepare(t, dir).asSystemd("public", socket).start()
	second.address("listen")
	time.Sleep(500 * time.Millisecond)
	over.Store(true)
	busy.Wait()
	if before < 100 || answers.Load() < before+100 {
		t.Errorf("%d answers of the first server, %d of the second", before, answers.Load()-before)
	}
}

// stays asks on one connection until its last answer, or only once.
func stays(at, cookie string, keeps bool, over *atomic.Bool, answers *atomic.Int64) error {
	c, err := net.DialTimeout("tcp", at, 10*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	for from := bufio.NewReader(c); ; {
		status, last, err := asks(c, from, cookie)
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("a check is answered with %d", status)
		}
		answers.Add(1)
		if last || !keeps || over.Load() {
			return nil
		}
	}
}

// TestWithoutRoomForTheLogItGoesOnServing, and without anybody who reads it.
func TestWithoutRoomForTheLogItGoesOnServing(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	read, gone, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	_ = read.Close()
	for name, log := range map[string]*os.File{"no room": full, "nobody reads it": gone} {
		t.Run(name, func(t *testing.T) {
			socket, at := opened(t, "tcp", "127.0.0.1:0")
			p := prepare(t, t.TempDir(), "--log.level=debug").asSystemd("public", socket)
			p.Stderr = log
			p.start()
			cookie := signUp(t, at, "ada@example.com")
			p.signal(syscall.SIGHUP) // which is logged
			time.Sleep(100 * time.Millisecond)
			c, err := net.Dial("tcp", at)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if status, _, err := asks(c, bufio.NewReader(c), cookie); status != http.StatusOK {
				t.Errorf("a check: %d, %v", status, err)
			}
			p.signal(syscall.SIGTERM)
			p.ends()
		})
	}
}
