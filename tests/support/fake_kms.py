"""fake_kms: the LI side of a KMS for a test, out of Python's http.server: what it says is what the test wants. It knows no MIKEY."""

import http.server
import json
import ssl
import threading

from certs import Authority


class FakeKms:
    """Answers each request with what `answer(path, body)` gives: (status, octets or an object). `asked` keeps what came.
    who: the CA that vouches for the server, where it is not the one that the client believes."""

    def __init__(self, folder, answer, who="ours"):
        self.folder, self.asked = folder, []
        believed = Authority(folder, "ours")
        self.li = believed.vouch("li")
        self.ca = believed.ca
        cert, key = Authority(folder, who).vouch("kms")
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append((self.path, body))
                status, said = answer(self.path, body)
                said = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that does not believe us goes away

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(cert, key)
        context.load_verify_locations(self.ca)
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = "https://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
