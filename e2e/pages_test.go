//go:build browser

package e2e

import (
	"os"
	"strings"
	"testing"
)

// show is one page in one state: how to get there.
type show struct {
	name string
	open func(visitor, member *device)
	who  int // 0 the visitor, 1 the member
}

// shows are all pages, in an order in which each can be reached.
func shows(s server) []show {
	base, link := s.base, ""
	address := func(path string) func(visitor, member *device) {
		return func(visitor, member *device) {
			if strings.HasPrefix(path, "visitor ") {
				visitor.open(base + strings.TrimPrefix(path, "visitor "))
				return
			}
			member.open(base + path)
		}
	}
	return []show{
		{"sign-in", address("visitor /auth/sign-in"), 0},
		{"sign-in-back", address("visitor /auth/sign-in?return_to=/app"), 0},
		{"sign-in-wrong", func(v, _ *device) {
			v.open(base + "/auth/sign-in")
			v.fill("email", email, "password", "not the right one")
			v.press("main button:not([type])")
		}, 0},
		{"sign-up", address("visitor /auth/sign-up"), 0},
		{"sign-up-wrong", func(v, _ *device) {
			v.open(base + "/auth/sign-up")
			v.fill("name", name, "email", email, "password", secret)
			read[any](v, `(password.value = "short", password.removeAttribute("minlength"), null)`)
			v.press("main button:not([type])")
		}, 0},
		{"signed-out", address("visitor /auth/sign-out"), 0},
		{"docs", address("visitor /auth/docs"), 0},
		{"not-found", address("visitor /auth/nowhere"), 0},
		{"account", address("/auth/account"), 1},
		{"devices", address("/auth/account/sessions"), 1},
		{"activity", address("/auth/account/activity"), 1},
		{"password", address("/auth/account/password"), 1},
		{"password-wrong", func(_, m *device) {
			m.open(base + "/auth/account/password")
			m.fill("current_password", "not the right one", "new_password", "another handful of words")
			m.press("main button:not([type])")
		}, 1},
		{"already", address("/auth/sign-in"), 1},
		{"sign-out", address("/auth/sign-out"), 1},
		{"reauthenticate", address("/auth/reauthenticate?then=revoke-others"), 1},
		{"devices-done", func(_, m *device) {
			m.open(base + "/auth/account/sessions")
			m.press(".away")
		}, 1},
		{"signed-out-everywhere", func(_, m *device) {
			m.open(base + "/auth/account/sessions")
			m.press(`form[action$="/revoke-all"] button`)
		}, 1},
		{"setup", address("visitor /auth/setup"), 0},
		{"setup-wrong", func(v, _ *device) {
			v.open(base + "/auth/setup")
			v.fill("code", "ABCD-EFGH-JKMN-PQRS-TVWX", "email", adminEmail, "password", secret)
			v.press("main button:not([type])")
		}, 0},
		{"reset", func(v, _ *device) {
			v.setUp(s)
			link = linkTo(v.t, base, email, "reset")
			v.open(link)
		}, 0},
		{"reset-wrong", func(v, _ *device) {
			v.fill("new_password", "Password-password-1")
			v.press("main button:not([type])")
		}, 0},
		{"reset-gone", address("visitor /auth/link/reset?token=gone"), 0},
		{"invite", func(v, _ *device) { v.open(linkTo(v.t, base, email, "invite")) }, 0},
		{"setup-done", address("visitor /auth/setup"), 0},
		{"reset-done", func(v, _ *device) {
			v.press(`a[href="/auth/sign-in"]`)
			v.press(`form button`)
			v.open(link)
			v.fill("new_password", renewed)
			v.press("main button:not([type])")
		}, 0},
	}
}

// everyPage calls f on each page, loaded into a window of this width.
func everyPage(t *testing.T, width int64, f func(t *testing.T, d *device, base string)) {
	t.Helper()
	s := startSetup(t)
	base := s.base
	visitor, member := newWindow(t), newWindow(t)
	visitor.width(width)
	member.width(width)
	member.pretend("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36")
	member.signUp(base)
	for _, agent := range []string{
		iphone, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "curl/8.5.0",
	} {
		signInAs(t, base, agent)
	}
	for _, page := range shows(s) {
		page.open(visitor, member)
		d := []*device{visitor, member}[page.who]
		t.Run(page.name, func(t *testing.T) {
			f(t, d.in(t), base)
		})
	}
}

// TestPagesAreForEverybody looks at each page in both schemes and in the width
// of a phone and a desk: what axe finds, what can be read, what does not fit.
// Before that, at what it loads, whether it jumps, and what the browser says.
func TestPagesAreForEverybody(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	everyPage(t, 1280, func(t *testing.T, d *device, base string) {
		isLightAndStill(t, d, base)
		read[any](d, string(axe)+"; null")
		for _, scheme := range []string{"light", "dark"} {
			d.prefer(scheme)
			for _, width := range []int64{320, 390, 1280} {
				d.width(width)
				for _, found := range read[[]string](d, wide) {
					t.Errorf("does not fit into %d pixels: %s", width, found)
				}
				if width == 320 {
					continue
				}
				for _, found := range read[[]string](d, violations) {
					t.Errorf("%s, %d pixels: %s", scheme, width, found)
				}
			}
			for _, found := range read[[]string](d, contrasts) {
				t.Errorf("%s: %s", scheme, found)
			}
		}
	})
}

func TestPagesAreLightAndStillOnAPhone(t *testing.T) {
	everyPage(t, 390, isLightAndStill)
}

func isLightAndStill(t *testing.T, d *device, base string) {
	t.Helper()
	for _, url := range read[[]string](d, `performance.getEntriesByType("resource").map(e => e.name)`) {
		if !strings.HasPrefix(url, base+"/auth/assets/") {
			t.Errorf("the page asks for %s", url)
		}
	}
	if size := read[int](d, `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
		.reduce((sum, e) => sum + Math.max(e.transferSize, e.encodedBodySize), 0)`); size > 60<<10 || size < 4<<10 {
		t.Errorf("%d bytes are loaded", size)
	}
	for _, shift := range read[[]string](d, shifts) {
		t.Errorf("the page shifts: %s", shift)
	}
	for _, said := range d.said() {
		switch {
		case strings.Contains(said, "the server responded with a status of 4"): // which is the page that was asked for
		case strings.HasPrefix(said, "info: Clear-Site-Data header"): // which it obeyed
		default:
			t.Errorf("the browser says: %s", said)
		}
	}
}

// wide is whatever reaches beyond the edge of the page, cut off there or not.
const wide = `[...document.body.querySelectorAll("*")].filter(e =>
	e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5 || e.getBoundingClientRect().left < -0.5)
	.map(e => e.outerHTML.slice(0, 120))`

// shifts are the parts of the page that moved after they had been painted.
const shifts = `new Promise(done => { const found = [];
	new PerformanceObserver(list => list.getEntries().forEach(e => e.sources.forEach(s => found.push(
		(s.node?.outerHTML ?? s.node?.data ?? "something").slice(0, 100) + " from " + JSON.stringify(s.previousRect) + " to " + JSON.stringify(s.currentRect)))))
		.observe({type: "layout-shift", buffered: true});
	setTimeout(() => done(found), 50); })`

const violations = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.flatMap(v =>
	v.nodes.map(n => "axe: " + v.id + ": " + n.html + " " + n.failureSummary)))`

// contrasts computes from the styles what WCAG 2.2 asks for: 4.5 for text
// (1.4.3), 3 for the edge of a field (1.4.11).
const contrasts = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const over = (a, b) => a.slice(0, 3).map((v, i) => v * a[3] / 255 + b[i] * (1 - a[3] / 255)).concat(255);
	const ground = e => { if (!e) return [255, 255, 255, 255];
		const c = rgba(getComputedStyle(e).backgroundColor); return c[3] === 255 ? c : over(c, ground(e.parentElement)); };
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const found = []; let texts = 0;
	for (const e of document.body.querySelectorAll("*")) {
		const s = getComputedStyle(e);
		if (e.closest("[hidden], svg")) continue;
		if ([...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.matches("input:not([type=hidden])")) {
			texts++;
			const r = ratio(over(rgba(s.color), ground(e)), ground(e));
			if (r < 4.5) found.push("text at " + r.toFixed(2) + ": " + e.outerHTML.slice(0, 120));
		}
		if (e.matches("input[type=email], input[type=password], input[type=text]") && !e.readOnly) {
			const r = ratio(rgba(s.borderTopColor), ground(e.parentElement));
			if (r < 3) found.push("edge at " + r.toFixed(2) + ": " + e.outerHTML.slice(0, 120));
		}
	}
	if (texts < 3) found.push("only " + texts + " texts were measured");
	return found;
})()`
