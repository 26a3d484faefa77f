package main

import (
	"errors"
	"strings"
	"testing"
)

func TestAPasswordVerifiesInBothOfItsSpellings(t *testing.T) {
	p := newPasswords()
	hash, err := p.hash(t.Context(), "passé composé encore")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Error(hash)
	}
	for password, want := range map[string]bool{
		"passé composé encore":             true,
		"passe\u0301 compose\u0301 encore": true,
		"Passé composé encore":             false,
		"":                                 false,
	} {
		if ok, err := p.verify(t.Context(), hash, password); ok != want || err != nil {
			t.Errorf("%q: %v, %v", password, ok, err)
		}
	}
	if ok, err := p.verify(t.Context(), hash[:len(hash)-2], "x"); ok || !errors.Is(err, errDamaged) {
		t.Errorf("a damaged hash: %v, %v", ok, err)
	}
}
