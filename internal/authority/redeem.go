package authority

import (
	"context"
	"errors"
	"fmt"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/link"
	"cloakroom/internal/setup"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// SetPasswordByLink gives the link's account a new password, and ends all of its
// sessions and every sign-in under way. The link is used up; a password that
// breaks a rule, a *signin.InputError, leaves it good. It is link.ErrGone for a
// link that is not, ErrDisabled for one to a disabled account, and
// throttle.ErrThrottled after too many attempts from the client's network.
//
// The browser is a known device of the account from then on, the returned one:
// otherwise a stranger who keeps guessing at the account would keep its owner from
// signing in with the new password.
func (s *Service) SetPasswordByLink(
	ctx context.Context, c signin.Client, token link.Token, kind link.Kind, pass string,
) (throttle.Device, error) {
	charge, err := s.Throttle.Take(ctx, throttle.Attempt{Address: c.Address})
	if err != nil {
		return throttle.Device{}, s.refuse(c, audit.LinkRefused, "", err)
	}
	found, err := s.Links.Find(ctx, token.Hash(), s.now())
	if err == nil && found.Kind != kind {
		err = link.ErrGone
	}
	if !errors.Is(err, link.ErrGone) {
		s.giveBack(ctx, charge) // also if nothing was found out
	}
	if err != nil {
		return throttle.Device{}, s.refuse(c, audit.LinkRefused, "", err)
	}
	by := client(c)
	by.Account = found.Account
	device := throttle.NewDevice()
	if err := s.redeem(ctx, by, found, token, pass, device); err != nil {
		return throttle.Device{}, s.refuse(c, audit.LinkRefused, found.Account, err)
	}
	return device, nil
}

// redeem sets the password of a link that was there a moment ago.
func (s *Service) redeem(ctx context.Context, by By, l link.Link, token link.Token, pass string, device throttle.Device) error {
	owner, info, err := s.Find(ctx, l.Account)
	switch {
	case errors.Is(err, account.ErrNotFound): // since the link was found
		return link.ErrGone
	case err != nil:
		return err
	case owner.Status != account.Active:
		return ErrDisabled
	}
	if err := s.Passwords.Check(pass, owner.Email, info.Profile.Name); err != nil {
		return &signin.InputError{Field: "password", Err: err}
	}
	hash, err := s.Passwords.Hash(ctx, password.Place{Rank: password.First, Of: l.Account}, pass)
	if err != nil {
		return fmt.Errorf("hash the password: %w", err)
	}
	_, err = s.apply(ctx, session.RevokeAll(l.Account),
		s.Links.Use(token.Hash(), l.Kind, s.now()),
		s.Accounts.SetPassword(l.Account, hash), // which forgets all devices
		s.Devices.Remember(l.Account, device.Hash(), s.now()),
		s.Audit.Record(
			by.entry(audit.LinkUsed, l.Account, map[string]string{"kind": l.Kind.String(), "made_by": l.CreatedBy}),
			by.entry(audit.AccountPasswordChanged, l.Account, nil)),
	)
	return err
}

// refuse counts an attempt that was refused for what it presented, and returns
// the error as it is.
func (s *Service) refuse(c signin.Client, event audit.Event, id string, err error) error {
	e := client(c).entry(event, id, nil)
	switch {
	case errors.Is(err, throttle.ErrThrottled):
		e.Reason = audit.Throttled
	case errors.Is(err, link.ErrGone), errors.Is(err, setup.ErrWrongCode), errors.Is(err, setup.ErrDone):
		e.Reason = audit.Credentials
	case errors.Is(err, ErrDisabled):
		e.Reason = audit.Disabled
	default:
		return err
	}
	s.Refusals.Add(e)
	return err
}

// giveBack returns an attempt that was right.
func (s *Service) giveBack(ctx context.Context, charge *throttle.Charge) {
	if err := charge.Return(ctx); err != nil {
		s.logger().Warn("authority: a right attempt still counts as a wrong one", "error", err)
	}
}
