package config

import (
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Settings are a Config that was checked.
type Settings struct {
	Listen     Address
	OpsListen  Address
	PublicURLs []PublicURL // none: the address that is listened on decides
	BasePath   string      // begins with a slash and ends with none
	SQLitePath string
	SignUp     string // of signin.Policy

	Idle, Absolute time.Duration
	TokenLifetime  time.Duration
	PerAccount     int
	CacheBytes     int64

	ReauthenticateAfter time.Duration
	CookieName          string
	CookieSameSite      string // "lax" or "strict"

	PasswordMinLength int
	PasswordSlots     int // 0: by the number of processors

	TrustedProxies []netip.Prefix
	Policies       map[string]Policy

	LogLevel       slog.Level
	LogFormat      string // "text" or "json"
	AuditRetention time.Duration
}

const day = 24 * time.Hour

const (
	minIdle      = time.Minute
	minToken     = 5 * time.Second // those of session.Config
	maxToken     = 48 * time.Hour
	maxAbsolute  = 400 * day // as long as browsers keep a cookie
	minRecent    = time.Minute
	maxRecent    = day
	minRetention = day
	maxRetention = 100 * 365 * day
)

// oneOf reads a word of a list.
func oneOf(words ...string) func(key, text string) (string, error) {
	return func(key, text string) (string, error) {
		if slices.Contains(words, text) {
			return text, nil
		}
		last := len(words) - 1
		return "", keyError(key, "%q is none of those that there are; write %s or %s", text, strings.Join(words[:last], ", "), words[last])
	}
}

// numberWithin reads a whole number.
func numberWithin(least, most int) func(key, text string) (int, error) {
	return func(key, text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most || strconv.Itoa(n) != text {
			return 0, keyError(key, "%q must be a number from %d to %d", text, least, most)
		}
		return n, nil
	}
}

// parseSlots reads a number, or auto, which is 0.
func parseSlots(key, text string) (int, error) {
	if text == "auto" {
		return 0, nil
	}
	return numberWithin(1, 1024)(key, text)
}

// timeWithin reads a time: of time.ParseDuration, or days, such as 30d.
func timeWithin(least, most time.Duration) func(key, text string) (time.Duration, error) {
	return func(key, text string) (time.Duration, error) {
		d, ok := parseTime(text)
		if !ok {
			return 0, keyError(key, "%q is not a time; write it like 90s, 15m, 24h or 7d", text)
		}
		if d < least || d > most || d%time.Second != 0 {
			return 0, keyError(key, "%q must be whole seconds, from %s to %s", text, spell(least), spell(most))
		}
		return d, nil
	}
}

func parseTime(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * day, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// spell writes a time as it would be configured.
func spell(d time.Duration) string {
	switch {
	case d >= 2*day && d%day == 0:
		return strconv.Itoa(int(d/day)) + "d"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}

var size = regexp.MustCompile(`^([1-9][0-9]{0,5})(MiB|GiB)$`)

// parseSize reads an amount of memory in bytes.
func parseSize(key, text string) (int64, error) {
	m := size.FindStringSubmatch(text)
	if m == nil {
		return 0, keyError(key, "%q is not an amount of memory; write it like 256MiB or 2GiB", text)
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // six digits
	if m[2] == "GiB" {
		return n << 30, nil
	}
	return n << 20, nil
}

var basePath = regexp.MustCompile(`^(/[a-z0-9_-]+)+$`)

// parseBasePath reads a path that needs no escaping and that ServeMux takes as
// it is.
func parseBasePath(key, text string) (string, error) {
	if !basePath.MatchString(text) || len(text) > 64 {
		return "", keyError(key, `%q is not a path of letters from a to z, digits, "-" and "_"; write it like /auth`, text)
	}
	return text, nil
}

var cookieName = regexp.MustCompile(`^__Host-[A-Za-z0-9_-]{1,64}$`)

func parseCookieName(key, text string) (string, error) {
	if !cookieName.MatchString(text) || text == "__Host-device" || text == "__Host-notice" {
		return "", keyError(key, `%q must be "__Host-", without which a neighbouring host can plant the cookie, `+
			"and a name of its own, such as __Host-session", text)
	}
	return text, nil
}

// parseNetworks reads addresses and networks.
func parseNetworks(key string, texts []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if ip, errIP := netip.ParseAddr(text); errIP == nil && ip.Zone() == "" {
			network, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		switch {
		case err != nil:
			return nil, keyError(key, "%q is no address or network; write it like 10.0.0.2 or 10.0.0.0/8", text)
		case network != network.Masked():
			return nil, keyError(key, "%s is no network; it would be %s", network, network.Masked())
		case network.Bits() == 0:
			return nil, keyError(key, "%s is everybody, and anybody could then say who they are; name the proxies", network)
		}
		networks = append(networks, network)
	}
	return networks, nil
}

func parseLevel(key, text string) (slog.Level, error) {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[text]
	if !ok {
		return 0, keyError(key, "%q is no level; write debug, info, warn or error", text)
	}
	return level, nil
}
