package authority

import (
	"context"
	"errors"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/setup"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// SetUp decides about the first administrator, who has the setup code. Carrying
// out the outcome adds the account and signs it in, and is setup.ErrDone if
// another was faster. Otherwise the errors are setup.ErrDone,
// setup.ErrWrongCode, and those of signin.Service.NewAccount.
func (s *Service) SetUp(ctx context.Context, c signin.Client, code, email, pass, name string) (signin.Outcome, error) {
	charge, err := s.Throttle.Take(ctx, throttle.Attempt{Address: c.Address})
	if err != nil {
		return signin.Outcome{}, s.refuse(c, audit.SetupRefused, "", err)
	}
	done, err := s.Setup.Done(ctx)
	switch {
	case err != nil:
	case done:
		err = setup.ErrDone
	case !s.Code.Opens(code):
		err = setup.ErrWrongCode
	}
	if !errors.Is(err, setup.ErrDone) && !errors.Is(err, setup.ErrWrongCode) {
		s.giveBack(ctx, charge) // also if nothing was found out
	}
	if err != nil {
		return signin.Outcome{}, s.refuse(c, audit.SetupRefused, "", err)
	}
	outcome, err := s.SignIn.NewAccount(ctx, c, email, pass, name, false)
	if err != nil {
		return signin.Outcome{}, err
	}
	by := client(c)
	by.Account = outcome.Account.ID
	// The code is the operator's, who vouches for what is typed with it.
	outcome.Grant.Profile.Roles, outcome.Grant.Profile.EmailVerified = []string{account.AdminRole}, true
	outcome.Grant.Joins = append([]session.Join{s.Setup.Claim(by.Account)}, outcome.Grant.Joins...)
	outcome.Grant.Joins = append(outcome.Grant.Joins,
		s.Directory.SetAdmin(by.Account, true), s.Audit.Record(by.entry(audit.SetupUsed, by.Account, nil)))
	return outcome, nil
}
