package audit

import (
	"strings"
	"testing"
)

func TestEveryEventHasASentenceOfItsOwn(t *testing.T) {
	for _, who := range []string{"", "ann", "eve", Operator} {
		for _, count := range []int{1, 3} {
			for _, reason := range append(Reasons(), "") {
				said := map[string]Event{}
				for _, event := range Events() {
					s := Entry{Event: event, Subject: "ann", Actor: who, Count: count, Reason: reason}.Sentence()
					if s == "" || s == string(event) || strings.Contains(s, "%") {
						t.Errorf("%s by %q: %q", event, who, s)
					}
					if other, ok := said[s]; ok {
						t.Errorf("%s and %s are both %q", event, other, s)
					}
					said[s] = event
				}
			}
		}
	}
}

func TestASentenceSaysWhoAndHowOften(t *testing.T) {
	for want, e := range map[string]Entry{
		"Signed in": {Event: SessionIssued, Actor: "ann"},
		"Password changed; all other devices were signed out": {Event: AccountPasswordChanged, Actor: "ann"},
		"An administrator changed your roles":                 {Event: AccountRolesChanged, Actor: "eve"},
		"The operator of this server disabled your account":   {Event: AccountDisabled, Actor: Operator},
		"One sign-in was refused: too many attempts":          {Event: SignInRefused, Reason: Throttled, Count: 1},
		"3 sign-ins were refused: wrong password":             {Event: SignInRefused, Reason: Credentials, Count: 3},
		"3 sign-ins were refused: the account is disabled":    {Event: SignInRefused, Reason: Disabled, Count: 3},
		"1200 more uses of one-time links were refused":       {Event: LinkRefused, Reason: Other, Count: 1200},
		"One use of a one-time link was refused: the link was not valid": {
			Event: LinkRefused, Reason: Credentials, Count: 1, Actor: "eve"},
	} {
		e.Subject = "ann"
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
