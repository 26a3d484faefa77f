package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"
)

// findLoopback says where the rows cannot be measured in which many addresses
// ask: each caller binds to an address of its own in 127.0.0.0/8.
func findLoopback() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the rows in which many addresses ask need Linux, where all of 127.0.0.0/8 is this machine; this is %s", runtime.GOOS)
	}
	return nil
}

// address is the nth of the addresses that callers have, from 127.0.0.2 on.
func address(n int) string { return fmt.Sprintf("127.0.%d.%d", n/250, 2+n%250) }

// from returns a client that asks from an address, over up to so many
// connections that it keeps. It follows no redirect, and waits for an answer as
// long as a server of ours may take.
func from(address string, connections int) *http.Client {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{
		Transport:     &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: connections},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
}

// answer is what is looked at of a response.
type answer struct {
	status     int
	retryAfter string
	cookies    []*http.Cookie
	body       []byte
	took       time.Duration
}

// cookie is the value of a cookie that was set, or "".
func (a answer) cookie(name string) string {
	for _, c := range a.cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// get asks with a Cookie header, or with none if it is "".
func get(ctx context.Context, c *http.Client, url, cookie string) (answer, error) {
	return ask(ctx, c, http.MethodGet, url, "", cookie)
}

// ask sends a request with a JSON body, unless that is "". The time is until the
// whole response has been read.
func ask(ctx context.Context, c *http.Client, method, url, body, cookie string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	began := time.Now()
	response, err := c.Do(r)
	if err != nil {
		return answer{}, err
	}
	text, err := io.ReadAll(response.Body)
	took := time.Since(began)
	_ = response.Body.Close()
	return answer{
		response.StatusCode, response.Header.Get("Retry-After"), response.Cookies(), text, took,
	}, err
}

// wanted makes an error of any other answer than 200.
func (a answer) wanted(what string) error {
	if a.status != http.StatusOK {
		return fmt.Errorf("%s is answered %d: %.300s", what, a.status, a.body)
	}
	return nil
}

const (
	deviceCookie  = "__Host-device"
	rightPassword = "a long passphrase of nobody"
	wrongPassword = "a long passphrase of somebody"
)

// person has an account, and the cookies that their browser keeps.
type person struct{ email, session, device string }

// check is the header by which a request is the person's.
func (p person) check() string { return sessionCookie + "=" + p.session }

// enrol signs somebody up, who has rightPassword.
func enrol(ctx context.Context, c *http.Client, base, email string) (person, error) {
	a, err := ask(ctx, c, http.MethodPost, base+"/v1/sign-up",
		`{"email":"`+email+`","password":"`+rightPassword+`","name":"`+userName+`"}`, "")
	if err != nil {
		return person{}, fmt.Errorf("sign up: %w", err)
	}
	p := person{email, a.cookie(sessionCookie), a.cookie(deviceCookie)}
	if a.status != http.StatusCreated || p.session == "" || p.device == "" {
		return person{}, fmt.Errorf("sign up: %d: %.300s", a.status, a.body)
	}
	return p, nil
}

// signIn tries once, as a browser with this device or, with "", with none.
func signIn(ctx context.Context, c *http.Client, base, email, password, device string) (answer, error) {
	cookie := ""
	if device != "" {
		cookie = deviceCookie + "=" + device
	}
	return ask(ctx, c, http.MethodPost, base+"/v1/sign-in", `{"email":"`+email+`","password":"`+password+`"}`, cookie)
}
