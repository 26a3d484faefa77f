package api

import (
	"cloakroom/session"

	"github.com/mileusna/useragent"
)

// clientShape is what a session was issued to, for a person to recognise. It
// is what the client said of itself; nothing is decided by it.
type clientShape struct {
	Browser string `json:"browser"`
	OS      string `json:"os"`
	Address string `json:"address"`
	Label   string `json:"label"`
}

func clientOf(c session.Client) *clientShape {
	agent := useragent.Parse(c.UserAgent)
	return &clientShape{Browser: agent.Name, OS: agent.OS, Address: c.Address, Label: c.Label}
}
