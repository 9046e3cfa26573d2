"""A real nginx as an upstream: own directory, own configuration, in the foreground, ended by pid.

The port is the system's choice: the listening socket is made here and handed over, as nginx hands
it to its own successor (the variable NGINX).
"""

import os
import shutil
import socket
import subprocess
import tempfile

from asking import deadline, wait_until

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin:" + os.environ.get("PATH", ""))

_CONFIGURATION = """
%(user)s daemon off; worker_processes 1; pid nginx.pid; error_log error.log info;
events { worker_connections 256; }
http {
    access_log access.log;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp;
    scgi_temp_path temp;
    types { text/plain txt; text/css css; }
    default_type application/octet-stream;
    keepalive_timeout 2s;
    server {
        listen 127.0.0.1:%(port)d;
        root files;
%(server)s
    }
}
"""


class Nginx:
    """server: directives of the one server block. Files are put under .path('files/...')."""

    def __init__(self, server="", files=None):
        if PROGRAM is None:
            raise AssertionError("nginx is not installed (tests/support/install-test-deps.sh)")
        self.directory = tempfile.mkdtemp(prefix="signet-test-nginx-")
        self.process = None
        try:
            for folder in ("files", "temp", "logs"):
                os.mkdir(self.path(folder))
            os.chmod(self.directory, 0o755)
            for name, data in (files or {}).items():
                with open(self.path("files/" + name), "wb") as file:
                    file.write(data)
            listener = socket.create_server(("127.0.0.1", 0), backlog=64)
            self.port = listener.getsockname()[1]
            with open(self.path("nginx.conf"), "w", encoding="utf-8") as file:
                file.write(_CONFIGURATION % {
                    "port": self.port, "server": server,
                    "user": "user root;" if os.geteuid() == 0 else ""})
            with listener, open(self.path("output"), "wb") as output:
                self.process = subprocess.Popen(
                    [PROGRAM, "-p", self.directory, "-c", "nginx.conf", "-e", "error.log"],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    env={**os.environ, "NGINX": "%d;" % listener.fileno()}, pass_fds=[listener.fileno()])
            wait_until(self._serves, "nginx to serve")
        except BaseException:
            self.close()
            raise

    def _serves(self):
        if self.process.poll() is not None:
            raise AssertionError("nginx ended with %s: %s%s" % (
                self.process.returncode, self.read("output"), self.read("error.log")))
        return os.path.exists(self.path("nginx.pid"))

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def close(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(deadline(10))
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        shutil.rmtree(self.directory, ignore_errors=True)
