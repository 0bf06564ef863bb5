#!/usr/bin/env python3
"""A Bitcoin Core node for tests: its engine and chain, its JSON-RPC and REST answers, and faults on demand.

The chain is real: blocks are validated and stored by Bitcoin Core's own engine (py-bitcoinkernel), so that
DATADIR/blocks holds blk*.dat, rev*.dat and xor.dat as bitcoind writes them. Answers have the shapes of Bitcoin Core 31
(src/rpc/blockchain.cpp, src/rest.cpp, src/httprpc.cpp); left out are `asm`, `desc` and `address` of scripts.
What is not known to the engine is made up: `size_on_disk`, `verificationprogress`, `bogosize`, `block_info`.

It prints one line of JSON when it is ready, {"port", "cookie"}, and ends on SIGTERM. What tests steer it with needs no
credentials:

  POST /test/mine   {"count", "parent"}         mines on the tip or on any block: {"hashes", "tip", "height"}
  POST /test/fault  {"kind", "method", "count", …}  see Faults
  POST /test/clear                              ends all faults
  POST /test/set    {NAME: VALUE}               see Settings
  GET  /test/requests                           how often each method was asked for: {"getblock": 3, "rest/block": 1}
"""
import argparse
import base64
import collections
import dataclasses
import email.utils
import http.server
import json
import os
import pathlib
import re
import secrets
import signal
import sys
import threading
import time

from answers import Answers, Settings
from chain import NETWORKS
from formats import Raw, RESTError, RPCError, encode

WARMUP = "Loading block index…"


class Recording:
    """Answers that a live node gave, from files: METHOD-PARAMETER-….json and rest-KIND-HASH.bin."""

    def __init__(self, folder):
        self.folder = folder

    def close(self):
        pass

    def file(self, name):
        path = self.folder / name
        return path.read_bytes() if path.is_file() and path.parent == self.folder else None

    def call(self, method, params):
        words = [method] + [str(value) for value in params if value is not True]
        body = self.file("-".join(words) + ".json")
        found = re.fullmatch(r'\{"result":(.*),"error":null,"id":1\}\n', (body or b"").decode(), re.DOTALL)
        if not found:
            raise RPCError(-5, "Block not found") if params else RPCError(-32601, "Method not found")
        return Raw(found[1])

    def rest(self, uri):
        body = self.file("rest-" + uri.replace("/", "-").replace("?", "_"))
        if body is None:
            raise RESTError(404, f"{uri.split('/')[-1].partition('.')[0]} not found")
        return "application/octet-stream", body

    def other(self, hash):
        """A recorded block that is not this one."""
        names = sorted(path.name[11:75] for path in self.folder.glob("rest-block-*.bin"))
        return next(name for name in names if name != hash)

    def mine(self, count, parent=None):
        raise RPCError(-1, "a recording cannot be mined")


class Faults:
    """What goes wrong, for the next `count` requests or until cleared, for one method (getblock, rest/block) or all:

    status (`status`, `body`), warmup, error (`code`, `message`), close, delay (`seconds`), endless (`seconds` between
    two bytes; 0: 64 KiB a millisecond), html, truncated (a whole answer of half a body), cut (half of an answer),
    wrong-id, other-block.
    """

    KINDS = "status warmup error close delay endless html truncated cut wrong-id other-block".split()

    def __init__(self):
        self.lock, self.faults, self.requests = threading.Lock(), [], collections.Counter()

    def add(self, fault):
        if fault.get("kind") not in self.KINDS:
            raise RPCError(-8, f"{fault.get('kind')} is none of {', '.join(self.KINDS)}")
        with self.lock:
            self.faults.append(fault)

    def clear(self):
        with self.lock:
            self.faults = []

    def take(self, methods):
        """Counts a request, and gives the fault that meets it."""
        with self.lock:
            self.requests.update(methods)
            for fault in self.faults:
                if fault.get("method") is None or fault["method"] in methods:
                    if fault.get("count") is not None:
                        fault["count"] -= 1
                        if fault["count"] <= 0:
                            self.faults.remove(fault)
                    return fault
        return {"kind": None}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.handle_request(b"")

    def do_POST(self):
        self.handle_request(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def handle_request(self, body):
        if self.path.startswith("/test/"):
            return self.control(body)
        if self.server.is_interrupted:  # http_reject_request_cb
            return self.reply(503)
        try:
            request = json.loads(body) if self.path == "/" else None
        except ValueError:
            request = None
        if self.path.startswith("/rest/"):
            methods = ["/".join(self.path.partition("?")[0].split("/")[1:3]).partition(".")[0]]
        else:
            members = request if isinstance(request, list) else [request]
            methods = [str(member.get("method")) for member in members if isinstance(member, dict)]
        self.fault = self.server.faults.take(methods)
        kind = self.fault["kind"]
        if kind == "close":
            self.close_connection = True
        elif kind == "status":
            status = self.fault.get("status", 500)
            self.reply(status, self.fault.get("body", "Work queue depth exceeded" if status == 503 else "").encode())
        elif kind == "html":
            self.reply(200, b"<html><body>It works!</body></html>\n")
        elif kind == "endless":
            self.endless()
        else:
            if kind == "delay":
                time.sleep(self.fault.get("seconds", 1))
            if kind == "other-block":
                change = lambda text: re.sub("[0-9a-f]{64}", lambda found: self.server.node.other(found[0]), text)
                self.path, request = change(self.path), json.loads(change(json.dumps(request)))
            if self.path.startswith("/rest/"):
                self.answer_rest()
            else:
                self.answer_rpc(request)

    def reply(self, status, body=b"", kind="text/html; charset=ISO-8859-1", headers={}):
        if self.fault["kind"] == "truncated":
            body = body[: len(body) // 2]
        self.send_response_only(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="jsonrpc"')
        self.send_header("Date", email.utils.formatdate(usegmt=True))
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", kind)
        if self.fault["kind"] == "cut":
            body, self.close_connection = body[: len(body) // 2], True
        self._headers_buffer.append(b"\r\n" + body)  # one write, head and body
        self.flush_headers()

    def endless(self):
        self.close_connection = True
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        pause = self.fault.get("seconds", 0.1)
        while True:
            self.wfile.write(b" " if pause else b" " * 65536)
            time.sleep(pause or 0.001)

    def answer_rest(self):
        if not self.server.settings.rest:
            return self.reply(404)
        try:
            if self.fault["kind"] == "warmup":
                raise RESTError(503, "Service temporarily unavailable: " + WARMUP)
            kind, body = self.server.node.rest(self.path.removeprefix("/rest/"))
            self.reply(200, body, kind)
        except RESTError as error:
            self.reply(error.status, f"{error}\r\n".encode() if str(error) else b"", "text/plain")

    def answer_rpc(self, request):
        if self.path != "/":
            return self.reply(404)
        if self.command != "POST":
            return self.reply(405, b"JSONRPC server handles only POST requests")
        if not self.is_authorized():
            return self.reply(401)
        if isinstance(request, list):
            replies = [reply for reply in (self.execute(one, is_batch=True)[1] for one in request) if reply]
            status, reply = (200, replies) if replies or not request else (204, None)
        else:
            status, reply = self.execute(request, is_batch=False)
        if reply is None:
            return self.reply(status)
        self.reply(status, encode(reply).encode() + b"\n", "application/json")

    def is_authorized(self):
        kind, _, word = self.headers.get("Authorization", "").partition(" ")
        if not word:
            return False
        try:
            given = base64.b64decode(word.strip(), validate=True)
        except ValueError:
            given = b""
        if kind == "Basic" and secrets.compare_digest(given, self.server.credentials.encode()):
            return True
        time.sleep(0.25)
        return False

    def execute(self, request, is_batch):
        """The status and reply to one request; no reply to a notification."""
        version, id = None, {"id": None}
        try:
            if not isinstance(request, dict):
                raise RPCError(-32600, "Invalid Request object") if is_batch else RPCError(-32700, "Parse error")
            id = {"id": request["id"]} if "id" in request else {}
            if id and self.fault["kind"] == "wrong-id":
                id = {"id": "of another request"}
            version, method, params = request.get("jsonrpc"), request.get("method"), request.get("params")
            if version not in (None, "1.0", "2.0"):
                raise RPCError(-32600, "JSON-RPC version not supported")
            if not isinstance(method, str):
                raise RPCError(-32600, "Missing method" if method is None else "Method must be a string")
            if not isinstance(params, (list, dict, type(None))):
                raise RPCError(-32600, "Params must be an array or object")
            if self.fault["kind"] == "warmup":
                raise RPCError(-28, WARMUP)
            if self.fault["kind"] == "error":
                raise RPCError(self.fault.get("code", -1), self.fault.get("message", ""))
            result, error = self.server.node.call(method, params or []), None
        except RPCError as caught:
            result, error = None, caught.error
        except (TypeError, ValueError) as caught:  # parameters of wrong types
            result, error = None, {"code": -1, "message": str(caught)}
        if version == "2.0":
            reply = {"jsonrpc": "2.0"} | ({"error": error} if error else {"result": result}) | id
            return (200, reply) if id else (204, None)
        status = {None: 200, -32600: 400, -32601: 404}.get(error and error["code"], 500)
        return status, {"result": result, "error": error} | id

    def control(self, body):
        self.fault = {"kind": None}
        server, given, result = self.server, json.loads(body or b"{}"), {}
        try:
            match self.path.removeprefix("/test/"):
                case "mine":
                    result = server.node.mine(given["count"], given.get("parent"))
                case "invalidate":
                    result = server.node.invalidate(given["height"])
                case "fault":
                    server.faults.add(given)
                case "clear":
                    server.faults.clear()
                case "set":
                    names = [field.name for field in dataclasses.fields(Settings)]
                    for name, value in given.items():
                        if name not in names:
                            raise RPCError(-8, f"{name} is none of {', '.join(names)}")
                        setattr(server.settings, name, value)
                case "requests":
                    result = dict(server.faults.requests)
                case _:
                    raise RPCError(-32601, "no such control")
            self.reply(200, encode(result).encode() + b"\n", "application/json")
        except (RPCError, KeyError) as error:
            self.reply(500, f"{type(error).__name__}: {error}\n".encode(), "text/plain")


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    block_on_close = False
    is_interrupted = False

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a client that went away is none
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datadir", type=pathlib.Path)
    parser.add_argument("--chain", default="regtest", choices=NETWORKS)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--import", dest="imported", type=pathlib.Path, help="a bootstrap file or a folder of blk*.dat")
    parser.add_argument("--recorded", type=pathlib.Path, help="answer from this folder, without a chain")
    parser.add_argument("--mine", type=int, default=0, help="blocks to mine at the start")
    parser.add_argument("--coinstats", help="the table that gettxoutsetinfo answers from")
    parser.add_argument("--no-rest", action="store_true")
    parser.add_argument("--user", help="with --password, instead of a cookie")
    parser.add_argument("--password")
    args = parser.parse_args()
    args.datadir.mkdir(parents=True, exist_ok=True)

    settings = Settings(rest=not args.no_rest, coinstats=args.coinstats)
    node = Recording(args.recorded) if args.recorded else Answers(args.datadir, args.chain, args.imported, settings)
    if args.mine:
        node.mine(args.mine)
    server = Server(("127.0.0.1", args.port), Handler)
    server.node, server.settings, server.faults = node, settings, Faults()
    cookie = args.datadir / ".cookie"
    if args.user:
        server.credentials = f"{args.user}:{args.password}"
    else:
        server.credentials = "__cookie__:" + secrets.token_hex(32)
        temporary = args.datadir / ".cookie.tmp"
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(server.credentials)
        temporary.replace(cookie)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    ready = {"port": server.server_port, "cookie": None if args.user else str(cookie.absolute())}
    print(json.dumps(ready), flush=True)
    server.serve_forever(poll_interval=0.05)
    server.is_interrupted = True
    server.server_close()
    if not args.user:
        cookie.unlink(missing_ok=True)
    node.close()
    os._exit(0)  # requests that still wait for a block do not hold it up


if __name__ == "__main__":
    main()
