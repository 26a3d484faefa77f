package web

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cloakroom/session"

	"github.com/mileusna/useragent"
)

// inWords says what a session was issued to: browser and system, and the kind
// of thing that it is. A user agent is whatever its sender wrote, so that
// nothing but plain short words is taken from it.
func inWords(c session.Client) (name, kind string) {
	ua := useragent.Parse(c.UserAgent)
	browser, system := plainWord(ua.Name), plainWord(ua.OS)
	switch {
	case browser == "Mobile Safari":
		browser = "Safari"
	case browser == "":
		browser = "Unknown browser"
	}
	switch ua.Device {
	case "iPhone", "iPad":
		system = ua.Device
	}
	name = browser
	if system != "" && system != browser {
		name += " on " + system
	}
	if label := plainWord(c.Label); label != "" {
		name = label
	}
	switch {
	case ua.Tablet:
		kind = "tablet"
	case ua.Mobile:
		kind = "phone"
	case ua.Desktop:
		kind = "computer"
	default:
		kind = "program"
	}
	return name, kind
}

const maxWord = 48

// plainWord returns s if it can stand in a page as a name: short, and without
// marks of direction or other things that are not seen.
func plainWord(s string) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > maxWord || !utf8.ValidString(s) {
		return ""
	}
	for _, r := range s {
		if r != ' ' && !unicode.In(r, unicode.L, unicode.N) && !strings.ContainsRune("._-+'()&", r) {
			return ""
		}
	}
	return s
}

// ago says how long before now t was, as a person would. Sessions are known to
// have been seen to the minute.
func ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "never"
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return count(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return count(int(d/time.Hour), "hour")
	case d < 14*24*time.Hour:
		return count(int(d/(24*time.Hour)), "day")
	}
	return "on " + day(t)
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit + " ago"
	}
	return strconv.Itoa(n) + " " + unit + "s ago"
}

// day and exact write a time out, in UTC: the server does not know another zone.
func day(t time.Time) string   { return t.UTC().Format("2 January 2006") }
func exact(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
