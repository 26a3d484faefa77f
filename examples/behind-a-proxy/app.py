"""An application that knows nothing of sessions.

It greets whoever the proxy in front of it says is there. That is all it takes;
and it must be reached through that proxy only, so it listens on this machine.
"""

import html
import http.server
import sys


class Greeter(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        user = self.said("Remote-User")
        if not user:  # nobody came through the proxy like this
            self.answer(403, "This application is reached through its proxy.\n", "text/plain")
            return
        name = html.escape(self.said("Remote-Name") or user)
        roles = html.escape(self.said("Remote-Groups") or "none")
        self.answer(200, f"""<!doctype html>
<meta charset="utf-8">
<title>Greetings</title>
<h1>Hello, {name}!</h1>
<p>You asked for {html.escape(self.path)}. Your roles: {roles}.</p>
<p><a href="/auth/account">Your account</a>, <a href="/auth/account/sessions">your devices</a></p>
""", "text/html")

    def said(self, header):
        """What the proxy says, in UTF-8, which Python reads as Latin-1."""
        return self.headers.get(header, "").encode("latin-1").decode("utf-8", "replace")

    def answer(self, status, text, kind):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind + "; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Greeter).serve_forever()
