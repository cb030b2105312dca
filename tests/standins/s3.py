"""A bucket of one's own: the requests of Amazon's S3 API that a Django storage makes.

docs.aws.amazon.com/AmazonS3/latest/API: PutObject (also in signed chunks), GetObject with ranges,
HeadObject, DeleteObject, ListObjects with a delimiter. Signatures are asked for, not verified.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY = "AKIDSTANDIN"


class Bucket(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.name = name
        self.objects: dict[str, bytes] = {}
        self.refused = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def bucket(name: str) -> Iterator[Bucket]:
    server = Bucket(name)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Bucket

    def log_message(self, format: str, *args: object) -> None: ...

    def do_PUT(self) -> None:
        body = self._body()
        if self._allowed():
            self.server.objects[self._name()] = body
            self._answer(200)

    def do_GET(self) -> None:
        if not self._allowed():
            return
        if not self._name():
            self._answer(200, self._listing().encode(), "application/xml")
            return
        self._object(with_body=True)

    def do_HEAD(self) -> None:
        if self._allowed():
            self._object(with_body=False)

    def do_DELETE(self) -> None:
        if self._allowed():
            self.server.objects.pop(self._name(), None)
            self._answer(204)

    def _allowed(self) -> bool:
        signed = f"AWS4-HMAC-SHA256 Credential={KEY}/"
        by_address = "X-Amz-Signature=" in self.path and KEY in self.path
        ours = urlsplit(self.path).path.split("/")[1] == self.server.name
        if ours and (self.headers.get("Authorization", "").startswith(signed) or by_address):
            return True
        self.server.refused += 1
        self._answer(403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml")
        return False

    def _name(self) -> str:
        return unquote(urlsplit(self.path).path).partition(f"/{self.server.name}/")[2]

    def _body(self) -> bytes:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return data
        whole, rest = b"", data
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size.partition(b";")[0], 16)
            if not length:
                break
            whole, rest = whole + rest[:length], rest[length + 2 :]
        return whole

    def _object(self, *, with_body: bool) -> None:
        data = self.server.objects.get(self._name())
        if data is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>" if with_body else b"")
            return
        wanted = self.headers.get("Range", "").removeprefix("bytes=")
        if wanted:
            first, _, last = wanted.partition("-")
            data = data[int(first) : int(last) + 1 if last else None]
        self._answer(206 if wanted else 200, data, "audio/wav", with_body=with_body)

    def _listing(self) -> str:
        asked = parse_qs(urlsplit(self.path).query)
        prefix = asked.get("prefix", [""])[0]
        rest = [
            name.removeprefix(prefix) for name in self.server.objects if name.startswith(prefix)
        ]
        folders = sorted({name.partition("/")[0] for name in rest if "/" in name})
        files = sorted(name for name in rest if "/" not in name)
        found = "".join(
            f"<Contents><Key>{escape(prefix + name)}</Key>"
            f"<Size>{len(self.server.objects[prefix + name])}</Size></Contents>"
            for name in files
        )
        common = "".join(
            f"<CommonPrefixes><Prefix>{escape(prefix + name)}/</Prefix></CommonPrefixes>"
            for name in folders
        )
        return (
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>false</IsTruncated>{found}{common}</ListBucketResult>"
        )

    def _answer(
        self, status: int, body: bytes = b"", kind: str = "text/plain", *, with_body: bool = True
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", kind)
        self.send_header("ETag", '"standin"')
        self.send_header("Last-Modified", "Sun, 22 Nov 2026 10:00:00 GMT")
        self.end_headers()
        if with_body:
            self.wfile.write(body)
