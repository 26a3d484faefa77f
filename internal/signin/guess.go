package signin

import (
	"context"
	"errors"
	"fmt"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// guess is one attempt at the password of an account that there may be.
type guess struct {
	client   Client
	email    string // as it was typed, canonical; "" if it is no address
	account  string // "" if none has this address
	password string
	refused  audit.Event // what it is called when it fails
}

// proof is what a right guess shows.
type proof struct {
	attempt session.Attempt
	account account.Credentials
	stale   bool // the hash is cheaper than those made today
}

// judge waits for its turn to hash, counts the guess, and only then compares it.
// Counted in its turn, a right guess is on the count only while it is hashed: a
// person who signs in on many devices at once is not refused for that. It is
// given back, and so is one about which nothing was found out: an outage must
// not use up anybody's attempts.
func (s *Service) judge(ctx context.Context, g guess) (proof, error) {
	claim, err := s.Throttle.Look(ctx, throttle.Attempt{
		Email: g.email, Account: g.account, Address: g.client.Address, Device: g.client.Device,
	})
	if err != nil {
		return proof{}, s.throttled(g, err)
	}
	turn, err := s.Passwords.Turn(ctx, place(claim))
	if err != nil {
		return proof{}, fmt.Errorf("wait to verify the password: %w", err)
	}
	charge, p, err := s.compare(ctx, turn, claim, g)
	if charge == nil {
		return proof{}, s.throttled(g, err)
	}
	if errors.Is(err, ErrBadCredentials) {
		s.refuse(g, audit.Credentials)
		return proof{}, err
	}
	if errors.Is(err, ErrDisabled) {
		s.refuse(g, audit.Disabled)
	}
	s.giveBack(ctx, charge)
	return p, err
}

// compare counts the guess and compares it within a turn, and ends that: nobody
// waits for a slot while what was right is given back. Without a charge nothing
// was compared.
func (s *Service) compare(ctx context.Context, turn password.Turn, claim throttle.Claim, g guess) (*throttle.Charge, proof, error) {
	charge, err := claim.Count(ctx)
	if err != nil {
		turn.End()
		return nil, proof{}, err
	}
	p, err := s.verify(ctx, turn, g.account, g.password)
	if errors.Is(err, ErrBadCredentials) {
		turn.EndWrong()
	} else {
		turn.End()
	}
	return charge, p, err
}

// place lets known devices go first, and then strangers from networks that have
// not guessed of late: both are what a flood is short of.
func place(c throttle.Claim) password.Place {
	at := password.Place{Rank: password.Last, Of: c.Of()}
	switch c.Standing() {
	case throttle.Known:
		at.Rank = password.First
	case throttle.Stranger:
		at.Rank = password.Middle
	}
	return at
}

// throttled records a guess that was not looked at because there were too many.
func (s *Service) throttled(g guess, err error) error {
	if errors.Is(err, throttle.ErrThrottled) {
		s.refuse(g, audit.Throttled)
	}
	return err
}

func (s *Service) giveBack(ctx context.Context, charge *throttle.Charge) {
	if err := charge.Return(ctx); err != nil {
		s.logger().Warn("signin: an attempt that is to be given back still counts", "error", err)
	}
}

func (s *Service) refuse(g guess, why audit.Reason) {
	e := g.client.entry(g.refused, g.account)
	e.Actor, e.Reason = "", why // nobody knows who it was
	s.Refusals.Add(e)
}

// verify begins before it reads hash and status, so that a sign-in that
// verified an old password dies when the password's change ended all sessions.
func (s *Service) verify(ctx context.Context, turn password.Turn, id, pass string) (proof, error) {
	if id == "" {
		return proof{}, waste(turn, pass)
	}
	attempt, err := s.Sessions.Begin(ctx, id)
	if errors.Is(err, session.ErrDeleted) {
		return proof{}, waste(turn, pass)
	}
	if err != nil {
		return proof{}, err
	}
	found, err := s.Accounts.Credentials(ctx, id)
	if errors.Is(err, account.ErrNotFound) || err == nil && found.Hash == "" {
		return proof{}, waste(turn, pass)
	}
	if err != nil {
		return proof{}, fmt.Errorf("read the credentials: %w", err)
	}
	ok, stale, err := turn.Verify(found.Hash, pass)
	switch {
	case err != nil:
		return proof{}, fmt.Errorf("verify the password: %w", err)
	case !ok:
		return proof{}, ErrBadCredentials
	case found.Status != account.Active:
		return proof{}, ErrDisabled
	}
	return proof{attempt, found, stale}, nil
}

// waste answers for an account that is not there, at the price of one that is.
func waste(turn password.Turn, pass string) error {
	turn.Waste(pass)
	return ErrBadCredentials
}
