package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// findWrk says what to do if wrk is not there.
func findWrk() error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return errors.New("the rows over HTTP need wrk, which is not installed: " +
			"apt-get install wrk, brew install wrk, or https://github.com/wg/wrk")
	}
	return nil
}

// load is what wrk did to a server.
type load struct {
	requests  int
	perSecond float64
}

// wrk asks with 32 connections from one thread for whole seconds.
func wrk(ctx context.Context, w welcome, d time.Duration) (load, error) {
	seconds := int(d / time.Second)
	ctx, cancel := context.WithTimeout(ctx, d+20*time.Second)
	defer cancel()
	args := []string{"-t1", "-c32", fmt.Sprintf("-d%ds", seconds), "-H", w.Header, w.URL}
	out, err := exec.CommandContext(ctx, "wrk", args...).CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	return parseWrk(string(out))
}

var (
	wrkRequests = regexp.MustCompile(`(?m)^\s*(\d+) requests in `)
	wrkRate     = regexp.MustCompile(`(?m)^Requests/sec:\s*([\d.]+)`)
	wrkFailures = regexp.MustCompile(`(?m)^\s*(Non-2xx or 3xx responses: \d+|Socket errors: .*)$`)
)

// parseWrk reads wrk's report. A load in which anything failed measures
// nothing.
func parseWrk(report string) (load, error) {
	if failed := wrkFailures.FindStringSubmatch(report); failed != nil {
		return load{}, fmt.Errorf("wrk: %s", failed[1])
	}
	requests, rate := wrkRequests.FindStringSubmatch(report), wrkRate.FindStringSubmatch(report)
	if requests == nil || rate == nil {
		return load{}, fmt.Errorf("wrk: no report that is understood: %q", report)
	}
	n, err := strconv.Atoi(requests[1])
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w", err)
	}
	perSecond, err := strconv.ParseFloat(rate[1], 64)
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w", err)
	}
	return load{n, perSecond}, nil
}
