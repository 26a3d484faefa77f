//go:build browser

package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
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
var pictured = []string{
	"sign-in", "sign-up", "sign-out", "reauthenticate", "account", "password", "devices", "activity",
	"setup", "reset", "invite", "reset-gone", "not-found", "signed-out-everywhere",
}

// TestScreenshots renews the pictures in docs/screenshots:
//
//	go test -tags browser ./e2e -run Screenshots -screenshots ../docs/screenshots
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		return // nothing is shown by it, and nothing claimed
	}
	everyPage(t, 1280, func(t *testing.T, d *device, _ string) {
		_, name := filepath.Split(t.Name())
		if !*all && !slices.Contains(pictured, name) {
			return
		}
		for _, width := range []int64{390, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				d.width(width)
				d.prefer(scheme)
				file := fmt.Sprintf("%s-%d-%s.png", name, width, scheme)
				if err := os.WriteFile(filepath.Join(*screenshots, file), small(t, d.picture()), 0o644); err != nil {
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
	shot, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)})
		return shot.Data, err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return shot
}

// small makes a PNG smaller: it keeps the 256 colours that are seen most, and
// takes the nearest of them for the others.
func small(t *testing.T, in []byte) []byte {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[color.RGBA]int{}
	bounds := full.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)]++
		}
	}
	seen := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int { return counts[b] - counts[a] })
	palette := color.Palette{}
	for _, c := range seen[:min(256, len(seen))] {
		palette = append(palette, c)
	}
	out := image.NewPaletted(bounds, palette)
	draw.Draw(out, bounds, full, bounds.Min, draw.Src)
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
