"""open_trace.py FILE - hands one trace to ui.perfetto.dev in your browser.

Serves the file on 127.0.0.1:9001 (the only local address that the page may fetch from), prints the
link, and ends after the page has fetched it. The trace does not leave this machine: the page runs
in the browser.
"""
import http.server
import os
import sys
import urllib.parse

ORIGIN = "https://ui.perfetto.dev"


def make_handler(path):
    name = "/" + urllib.parse.quote(os.path.basename(path))

    class Handler(http.server.BaseHTTPRequestHandler):
        def headers_for(self, status, length):
            self.send_response(status)
            self.send_header("Access-Control-Allow-Origin", ORIGIN)
            self.send_header("Access-Control-Allow-Private-Network", "true")
            self.send_header("Cache-Control", "no-cache")
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def do_OPTIONS(self):
            self.headers_for(204, 0)

        def do_GET(self):
            if self.path != name:
                self.headers_for(404, 0)
                return
            with open(path, "rb") as f:
                data = f.read()
            self.headers_for(200, len(data))
            self.wfile.write(data)
            self.server.served = True

        def log_message(self, *args):
            pass

    return Handler, name


def main(argv):
    if len(argv) != 2 or not os.path.isfile(argv[1]):
        print("usage: open_trace.py FILE.pftrace", file=sys.stderr)
        return 2
    handler, name = make_handler(argv[1])
    try:
        server = http.server.HTTPServer(("127.0.0.1", 9001), handler)
    except OSError as e:
        print(f"open_trace: 127.0.0.1:9001: {e.strerror} (is another one still serving?)",
              file=sys.stderr)
        return 1
    server.served = False
    print(f"Open this link; it ends when the page has the trace (Ctrl-C gives up):\n"
          f"  {ORIGIN}/#!/?url=http://127.0.0.1:9001{name}", flush=True)
    try:
        while not server.served:
            server.handle_request()
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
