package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far long work is: as a bar in a terminal, as a line now and
// then elsewhere.
type progress struct {
	w    io.Writer
	what string
	bar  *progressbar.ProgressBar // nil elsewhere
	said time.Time
}

// quiet is how long nothing is said outside of a terminal.
const quiet = 5 * time.Second

// newProgress begins with a total of bytes, or -1.
func newProgress(w io.Writer, what string, total int64) *progress {
	p := &progress{w: w, what: what, said: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

// at says that so many bytes, and so many things, are done.
func (p *progress) at(bytes int64, things int) {
	if p.bar != nil {
		_ = p.bar.Set64(bytes) // what cannot be drawn is no reason to stop
		return
	}
	if time.Since(p.said) < quiet {
		return
	}
	p.said = time.Now()
	if things > 0 {
		_, _ = fmt.Fprintf(p.w, "%d %s\n", things, p.what)
		return
	}
	_, _ = fmt.Fprintf(p.w, "%s: %d MB\n", p.what, bytes>>20)
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
