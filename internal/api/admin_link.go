package api

import (
	"time"

	"cloakroom/internal/authority"
)

// linkShape is a one-time link. Its address is the one secret that has to travel
// in an address: it opens a page that shows a form and nothing else, once,
// within an hour.
type linkShape struct {
	URL       string    `json:"url"`
	Kind      string    `json:"kind"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (a *API) linkOf(issued authority.IssuedLink) linkShape {
	kind := issued.Kind.String()
	return linkShape{a.linkURL + kind + "?token=" + issued.Token.Reveal(), kind, issued.Expires}
}
