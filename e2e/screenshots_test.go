//go:build browser

package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "take pictures of the pages into this folder; with -all, of all of them")

var all = flag.Bool("all", false, "with -screenshots: of every page, not only of those that the documents show")

// pictured are the pages that the documents show.
var pictured = []string{"sign-in", "sign-up", "account", "devices"}

// TestScreenshots renews the pictures in docs/screenshots:
//
//	go test -tags browser ./e2e -run Screenshots -screenshots ../docs/screenshots
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		return // nothing is shown by it, and nothing claimed
	}
	everyPage(t, func(t *testing.T, d *device, _ string) {
		_, name := filepath.Split(t.Name())
		if !*all && !slices.Contains(pictured, name) {
			return
		}
		for _, width := range []int64{390, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				d.width(width)
				d.prefer(scheme)
				file := fmt.Sprintf("%s-%d-%s.png", name, width, scheme)
				if err := os.WriteFile(filepath.Join(*screenshots, file), d.picture(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// picture is the whole page as a PNG.
func (d *device) picture() []byte {
	d.t.Helper()
	ctx, stop := context.WithTimeout(d.ctx, patience)
	defer stop()
	png, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)})
		return shot.Data, err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return png
}
