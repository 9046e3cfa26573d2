"""The public keys over HTTP, for a peer that cannot read them from a file."""
import http.server
import os
import threading


class KeyServer:
    """Serves FOLDER/NAME/jwks.json as /NAME/jwks.json on loopback, from a thread of this process."""

    def __init__(self, folder):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = os.path.join(folder, os.path.basename(os.path.dirname(self.path)), "jwks.json")
                found = os.path.basename(self.path) == "jwks.json" and os.path.isfile(path)
                body = open(path, "rb").read() if found else b"{}"
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
