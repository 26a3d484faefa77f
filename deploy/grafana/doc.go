// Package grafana holds a dashboard and alerts, and the test that holds them to
// the figures that a server exports.
package grafana
