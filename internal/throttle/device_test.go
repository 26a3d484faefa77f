package throttle_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"cloakroom/internal/throttle"
)

func TestADeviceCannotBePrinted(t *testing.T) {
	device := throttle.NewDevice()
	secret := strings.TrimPrefix(device.Reveal(), "ckd_")
	values := []any{device, &device, []throttle.Device{device}, throttle.Attempt{Device: device}, fmt.Errorf("%v", device)}
	for _, v := range values {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb, v)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		if err := json.NewEncoder(&out).Encode(map[string]any{"v": v}); err != nil {
			t.Errorf("%T: %v", v, err)
		}
		for _, text := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
			if strings.Contains(out.String(), text) {
				t.Errorf("%T gives the secret away: %s", v, out.String())
			}
		}
	}
}

func TestADeviceHasOneSpelling(t *testing.T) {
	device := throttle.NewDevice()
	text := device.Reveal()
	if got, ok := throttle.ParseDevice(text); !ok || got != device || got.Hash() != device.Hash() {
		t.Fatal("a device's own text is not taken")
	}
	if other := throttle.NewDevice(); other == device || other.Hash() == device.Hash() {
		t.Error("two devices are one")
	}
	last := text[:len(text)-1]
	for name, s := range map[string]string{
		"empty": "", "the kind alone": "ckd_", "too short": last, "too long": text + "A",
		"another kind": "cks_" + text[4:], "bits that are not there": last + "B",
		"another alphabet": last[:10] + "+" + last[11:] + "A", "a line break": last[:len(last)-1] + "A\n",
		"a line break within": last[:10] + "\r" + last[10:len(last)-1] + "A", "padded": last + "=", "a quote": last[:10] + `"` + last[10:],
	} {
		if _, ok := throttle.ParseDevice(s); ok {
			t.Errorf("%s is taken", name)
		}
	}
}
