"""The proxies that are compared. Each function gives a new one, not started; their configurations lie beside this file."""
import secrets

from harness.peers import Peer

NJS_MODULE = "/usr/lib/nginx/modules/ngx_http_js_module.so"
ENVOY_CACHE = "jwt_cache_config: {jwt_cache_size: 4000}"  # more than any scenario's tokens, as with Signet's


def relay():
    return Peer("relay", "blind relay in C, no parsing", "relay", ["@PORT@", "@UPSTREAM@"])


def haproxy(name="haproxy"):
    return Peer(name, "HAProxy, plain", "haproxy", ["-db", "-f", "@FILE@"], "haproxy-plain.cfg")


def haproxy_jwt(algorithm="RS256"):
    name, more = ("haproxy-jwt", "") if algorithm == "RS256" else (f"haproxy-jwt-{algorithm.lower()}", f" {algorithm}")
    return Peer(name, f"HAProxy, jwt_verify{more}: signature only", "haproxy", ["-db", "-f", "@FILE@"], "haproxy-jwt.cfg",
                Peer.SIGNATURE)


def haproxy_tls(certificate, certificate_and_key, suite):
    return Peer("haproxy-tls", "HAProxy with TLS, plain", "haproxy", ["-db", "-f", "@FILE@"], "haproxy-tls.cfg", tls=True,
                words={"CERTIFICATE": certificate, "CERTIFICATE_AND_KEY": certificate_and_key, "SUITE": suite})


def nginx(name="nginx", buffering=""):
    return Peer(name, "nginx, plain", "nginx", ["-c", "@FILE@"], "nginx-plain.conf", words={"BUFFERING": buffering})


def nginx_njs():
    return Peer("nginx-njs", "nginx with njs: signature and claims", "nginx", ["-c", "@FILE@"], "nginx-njs.conf",
                Peer.CLAIMS, files=["nginx-njs.js"], words={"NJS_MODULE": NJS_MODULE}, needs=NJS_MODULE)


def envoy(cache):
    return Peer("envoy-cache" if cache else "envoy", f"Envoy, jwt_authn, token cache {'on' if cache else 'off'}", "envoy",
                ["-c", "@FILE@", "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"], "envoy.yaml", Peer.CLAIMS,
                words={"JWT_CACHE": ENVOY_CACHE if cache else ""})


def oauth2_proxy():
    return Peer("oauth2-proxy", "oauth2-proxy, bearer tokens", "oauth2-proxy", ["--config=@FILE@"], "oauth2-proxy.cfg", Peer.CLAIMS,
                words={"COOKIE_SECRET": secrets.token_hex(16)})


def signet(name="signet", does="Signet, all checks", tls=None, **changes):
    """changes: words of signet.yaml; tls: a certificate's file and its key's."""
    words = {"WORKERS": "1", "CACHE_BYTES": "16MiB", "ACCESS_LOG": "false", "STATE_DIR": '""', "KEYS": "jwks: @JWKS@",
             "LISTEN": "127.0.0.1:@PORT@", "ADMIN": "off", **changes}
    if tls:
        words["LISTEN"] = f"{{address: 127.0.0.1:@PORT@, tls: {{certificate_file: {tls[0]}, private_key_file: {tls[1]}}}}}"
        words["CERTIFICATE"] = tls[0]
    return Peer(name, does, "signet", ["run", "-c", "@FILE@"], "signet.yaml", Peer.CLAIMS, words=words, ports=["HEALTH"], tls=bool(tls))
