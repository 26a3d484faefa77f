// Package behindaproxy is an application in Python that knows nothing of
// sessions, behind Cloakroom and nginx, Caddy or HAProxy: ./run starts all three. Here is its test
// only, behind the build tag "proxies".
package behindaproxy
