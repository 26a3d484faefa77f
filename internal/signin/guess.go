package signin

import (
	"context"
	"errors"
	"fmt"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
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

// judge counts the guess, and only then compares it. A right one is given back,
// and so is one about which nothing was found out: an outage must not use up
// anybody's attempts.
func (s *Service) judge(ctx context.Context, g guess) (proof, error) {
	charge, err := s.Throttle.Take(ctx, throttle.Attempt{
		Email: g.email, Account: g.account, Address: g.client.Address, Device: g.client.Device,
	})
	if err != nil {
		if errors.Is(err, throttle.ErrThrottled) {
			s.refuse(g, audit.Throttled)
		}
		return proof{}, err
	}
	p, err := s.verify(ctx, g.account, g.password)
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
func (s *Service) verify(ctx context.Context, id, pass string) (proof, error) {
	if id == "" {
		return proof{}, s.waste(ctx, pass)
	}
	attempt, err := s.Sessions.Begin(ctx, id)
	if errors.Is(err, session.ErrDeleted) {
		return proof{}, s.waste(ctx, pass)
	}
	if err != nil {
		return proof{}, err
	}
	found, err := s.Accounts.Credentials(ctx, id)
	if errors.Is(err, account.ErrNotFound) || err == nil && found.Hash == "" {
		return proof{}, s.waste(ctx, pass)
	}
	if err != nil {
		return proof{}, fmt.Errorf("read the credentials: %w", err)
	}
	ok, stale, err := s.Passwords.Verify(ctx, found.Hash, pass)
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
func (s *Service) waste(ctx context.Context, pass string) error {
	if err := s.Passwords.Waste(ctx, pass); err != nil {
		return fmt.Errorf("verify the password: %w", err)
	}
	return ErrBadCredentials
}
