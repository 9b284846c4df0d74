# nginx, HAProxy and the fixed upstream, from the configurations in loadtest/peers.
import os

from benches.yard import CLIENT_CORE, SERVER_CORE, free_port

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "peers")
SECRET = "a-secret-of-the-bench-as-long-as-HMAC-asks-for"
NGINX_PORTS = ["STATIC_PORT", "LIMIT_PORT", "REFUSE_PORT", "DENY_PORT", "PROXY_PORT"]
HAPROXY_PORTS = ["HS256_PORT", "ANSWER_PORT", "CHECKS_PORT", "ES256_PORT", "REFUSE_PORT", "DENY_PORT", "PROXY_PORT"]
# As long as the gateway's answer to a poll.
BODY = (
    '{"room":"bench","phase":"active","policy":{"method":"first_come","version":1,"hash":'
    '"lPjffWJm7jUVeeUwxiwC94XQ6vOJ18JcGACKg_t9CLc"},"place":{"number":NUMBER,"rank":NUMBER,"state":"waiting","ahead":'
    'AHEAD},"eta":{"p50_s":601,"p90_s":785,"reason":null},"serving":{"cursor":CURSOR,"per_minute":50},"claim":'
    '{"deadline":null},"outlook":"open","poll":{"after_s":35.2},"message":null,"as_of":"2026-11-21T12:20:31.771Z"}'
)
FIXED_BODY = BODY.replace("NUMBER", "50001").replace("AHEAD", "49999").replace("CURSOR", "1")
CLAIM_BODY = FIXED_BODY.replace('50001', "%[req.hdr(usher-place),jwt_payload_query('$.place','int')]", 1)
LIVE_BODY = (
    BODY.replace("NUMBER", "%[var(txn.place)]")
    .replace("AHEAD", "%[var(txn.place),sub(proc.cursor)]")
    .replace("CURSOR", "%[var(proc.cursor)]")
)


def filled(file, values):
    with open(os.path.join(FOLDER, file)) as template:
        text = template.read()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


class Peer:
    """A running peer; `ports` tells where each kind of work is served."""

    def __init__(self, yard, name, file, ports, values, command, core):
        self.ports = {port: free_port() for port in ports}
        bodies = {"BODY": FIXED_BODY, "CLAIM_BODY": CLAIM_BODY, "LIVE_BODY": LIVE_BODY}
        values = {"FOLDER": yard.folder, **bodies, **values, **self.ports}
        path = yard.write(file, filled(file, values))
        self.server = yard.start(name, command(path), core=core, port=self.ports[ports[0]])


def start_upstream(yard):
    return Peer(yard, "upstream", "upstream.conf", ["UPSTREAM_PORT"], {}, nginx_command, CLIENT_CORE)


def start_nginx(yard, upstream_port):
    values = {"UPSTREAM_PORT": upstream_port}
    return Peer(yard, "nginx", "nginx.conf", NGINX_PORTS, values, nginx_command, SERVER_CORE)


def start_haproxy(yard, upstream_port, public_key):
    values = {
        "UPSTREAM_PORT": upstream_port,
        "SECRET": SECRET,
        "PUBLIC_KEY": public_key,
        "DENY_FILE": yard.write("denied.txt", "127.0.0.1\n"),
    }
    return Peer(yard, "haproxy", "haproxy.cfg", HAPROXY_PORTS, values, haproxy_command, SERVER_CORE)


def haproxy_command(path):
    return ["haproxy", "-db", "-f", path]


def nginx_command(path):
    return ["nginx", "-e", "stderr", "-c", path]
