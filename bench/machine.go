package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// machine is what the figures were measured on.
type machine struct {
	processor string
	cores     int
	load      string // of the last minute when the run began, "" where it is not known
	at        time.Time
}

func describeMachine() machine {
	return machine{processor: processor(), cores: runtime.GOMAXPROCS(0), load: loadAverage(), at: time.Now()}
}

func (m machine) String() string {
	text := fmt.Sprintf("%s, %d cores, %s/%s, %s, %s", m.processor, m.cores,
		runtime.GOOS, runtime.GOARCH, runtime.Version(), m.at.Format(time.DateOnly))
	if m.load != "" {
		text += ", load average at the start " + m.load
	}
	return text
}

// processor is the model's name as Linux knows it.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // where there is none, the name is not known
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processor unknown"
}

func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// filesystem is the kind of filesystem that a directory is on: durable writes
// to one in memory would say nothing.
func filesystem(dir string) string {
	text, _ := os.ReadFile("/proc/mounts")
	kind, longest := "unknown filesystem", -1
	dir, err := filepath.Abs(dir)
	if err != nil {
		return kind
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		point := fields[1]
		within := point == "/" || dir == point || strings.HasPrefix(dir, point+"/")
		if within && len(point) >= longest { // of several mounts on one point the last is on top
			kind, longest = fields[2], len(point)
		}
	}
	return kind
}

// startProfile writes a profile of all that follows until stop.
func startProfile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}
