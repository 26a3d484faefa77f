package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// alike is what the time of an answer must not tell: whether there is an account
// with the address that was typed, and where a token begins to be wrong. Samples
// are taken one request at a time, interleaved, and compared by the test of
// Kolmogorov and Smirnov; of samples that do not differ, one pair in a hundred
// is below the bar.
//
// The throttle would refuse what these rows ask for, so the guesses are spread
// over accounts and addresses, in the same way for addresses that have an
// account and for those that do not.
func (b *bench) alike() experiment {
	each := func(n int) string { return count(n) + " each" }
	guesses, tokens := each(b.size.guesses), each(b.size.tokens)
	return experiment{
		name:  "alike",
		needs: findLoopback,
		open:  func(context.Context, *bench) (trial, error) { return alike{b}, nil },
		rows: []row{
			{what: "refused sign-in, account known and unknown: alike in time (" + guesses + ")", measured: "sign-in p", unit: probability, bar: floor(0.01, probability)},
			{what: "the same, median: wrong password", measured: "wrong", peer: "unknown", peerName: "unknown account", unit: milliseconds, bar: informs(milliseconds)},
			{what: "/check, token wrong in its first or last character: alike in time (" + tokens + ")", measured: "token p", unit: probability, bar: floor(0.01, probability)},
			{what: "the same, median: wrong in the first", measured: "first", peer: "last", peerName: "wrong in the last", unit: microseconds, bar: informs(microseconds)},
		},
	}
}

type alike struct{ bench *bench }

func (t alike) close() {}

// round has a server of its own, whose throttle has not counted anything yet.
func (t alike) round(ctx context.Context, s samples) error {
	p, err := t.bench.freshProduct(ctx)
	if err != nil {
		return err
	}
	defer p.end()
	if err := t.signIns(ctx, p, s); err != nil {
		return err
	}
	return t.checks(ctx, p, s)
}

// What the throttle admits at once: less than 10 guesses for an account, and
// less than 60 from an address.
const (
	guessesEach = 8
	fromEach    = 50
)

// signIns takes the samples of refused sign-ins.
func (t alike) signIns(ctx context.Context, p *product, s samples) error {
	n := t.bench.size.guesses
	accounts := (n + guessesEach - 1) / guessesEach
	known := func(i int) string { return fmt.Sprintf("person-%05d@example.com", i%accounts) }
	unknown := func(i int) string { return fmt.Sprintf("nobody-%05d@example.com", i%accounts) }
	clients := make([]*http.Client, 2*n/fromEach+1)
	for i := range clients {
		clients[i] = from(address(i), 1)
		defer clients[i].CloseIdleConnections()
	}
	for i := range accounts {
		if _, err := enrol(ctx, clients[0], p.base, known(i)); err != nil {
			return err
		}
	}
	asked := 0
	guess := func(email func(int) string) func(int) (float64, error) {
		return func(i int) (float64, error) {
			c := clients[asked/fromEach]
			asked++
			a, err := signIn(ctx, c, p.base, email(i), wrongPassword, "")
			if err == nil && a.status != http.StatusUnauthorized {
				err = fmt.Errorf("a wrong guess is answered %d: %.300s", a.status, a.body)
			}
			return inMilliseconds(a.took), err
		}
	}
	wrong, none, err := interleaved(n, guess(known), guess(unknown))
	if err != nil {
		return err
	}
	_, likely := smirnov(wrong, none)
	s.add("sign-in p", likely)
	s.add("wrong", median(wrong))
	s.add("unknown", median(none))
	return nil
}

// checks takes the samples of checks. The first character is the first of the
// secret: what stands before is the same in every token.
func (t alike) checks(ctx context.Context, p *product, s samples) error {
	c := from(address(0), 1)
	defer c.CloseIdleConnections()
	who, err := enrol(ctx, c, p.base, "holder@example.com")
	if err != nil {
		return err
	}
	check := func(token string) func(int) (float64, error) {
		return func(int) (float64, error) {
			a, err := get(ctx, c, p.base+"/check", sessionCookie+"="+token)
			if err == nil && a.status != http.StatusUnauthorized {
				err = fmt.Errorf("a wrong token is answered %d", a.status)
			}
			return inMilliseconds(a.took) * 1000, err
		}
	}
	inFirst := check(wrongAt(who.session, len("cks_")))
	inLast := check(wrongAt(who.session, len(who.session)-1))
	if _, _, err := interleaved(t.bench.size.tokens/10, inFirst, inLast); err != nil { // to warm up
		return err
	}
	first, last, err := interleaved(t.bench.size.tokens, inFirst, inLast)
	if err != nil {
		return err
	}
	_, likely := smirnov(first, last)
	s.add("token p", likely)
	s.add("first", median(first))
	s.add("last", median(last))
	return nil
}

// wrongAt is the token with another letter in one place.
func wrongAt(token string, place int) string {
	letter := "A"
	if strings.HasPrefix(token[place:], letter) {
		letter = "B"
	}
	return token[:place] + letter + token[place+1:]
}
