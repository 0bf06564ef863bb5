"""Bitcoin's blocks and transactions as bytes, and JSON as Bitcoin Core writes it."""
import dataclasses
import hashlib
import json
import struct

COIN = 10**8


class RPCError(Exception):
    """JSONRPCError(code, message)."""

    def __init__(self, code, message):
        super().__init__(message)
        self.error = {"code": code, "message": message}


class RESTError(Exception):
    """RESTERR(status, message)."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Amount(int):
    """Satoshi, written as ValueFromAmount does."""


class Raw(str):
    """JSON that is written as it is."""


def encode(value):
    """JSON as UniValue writes it: no spaces, 16 digits of a double, all letters as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Amount):
        return f"{value // COIN}.{value % COIN:08}"
    if isinstance(value, float):
        return f"{value:.16g}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode(k)}:{encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def compact(n):
    """CompactSize."""
    if n < 253:
        return bytes([n])
    return b"\xfd" + struct.pack("<H", n) if n < 1 << 16 else b"\xfe" + struct.pack("<I", n)


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def size(self):
        first = self.number(1)
        return first if first < 253 else self.number({253: 2, 254: 4, 255: 8}[first])

    def string(self):
        return self.take(self.size())


class Tx:
    """A transaction: `vin` of (txid, n, scriptSig, sequence), `vout` of (value, script), `witness` by input."""

    def __init__(self, reader):
        start = reader.at
        self.version = reader.number(4)
        segwit = reader.data[reader.at : reader.at + 2] == b"\x00\x01"
        reader.take(2 if segwit else 0)
        body = reader.at
        self.vin = [
            (reader.take(32), reader.number(4), reader.string(), reader.number(4)) for _ in range(reader.size())
        ]
        self.vout = [(reader.number(8), reader.string()) for _ in range(reader.size())]
        body = reader.data[body : reader.at]
        self.witness = [[reader.string() for _ in range(reader.size())] if segwit else [] for _ in self.vin]
        self.locktime = reader.number(4)
        self.raw = reader.data[start : reader.at]
        self.stripped = self.raw[:4] + body + self.raw[-4:]
        self.id = sha256d(self.stripped)
        self.weight = 3 * len(self.stripped) + len(self.raw)


def transactions(block):
    reader = Reader(block, 80)
    return [Tx(reader) for _ in range(reader.size())]


@dataclasses.dataclass
class Entry:
    """What a block index knows of a block; hashes are hex, as Core prints them."""

    hash: str
    parent: str
    height: int
    header: bytes
    work: int  # of the chain that ends here
    count: int  # of transactions

    def __post_init__(self):
        self.version, self.root = struct.unpack("<i32x32s", self.header[:68])
        self.time, self.bits, self.nonce = struct.unpack("<III", self.header[68:])


def target(bits):
    return (bits & 0xFFFFFF) << 8 * ((bits >> 24) - 3)


def script_type(script):
    """The name of Solver's answer; bare multisig and future witness versions are left out."""
    length = len(script)
    if (length, script[:1], script[-1:]) in ((35, b"\x21", b"\xac"), (67, b"\x41", b"\xac")):
        return "pubkey" if script[1] in ((2, 3) if length == 35 else (4, 6, 7)) else "nonstandard"
    if length == 25 and script[:3] == b"\x76\xa9\x14" and script[-2:] == b"\x88\xac":
        return "pubkeyhash"
    if length == 23 and script[:2] == b"\xa9\x14" and script[-1:] == b"\x87":
        return "scripthash"
    versions = {b"\x00\x14": (22, "witness_v0_keyhash"), b"\x00\x20": (34, "witness_v0_scripthash")}
    versions[b"\x51\x20"] = (34, "witness_v1_taproot")
    size, name = versions.get(script[:2], (0, ""))
    return name if length == size and name else "nulldata" if script[:1] == b"\x6a" else "nonstandard"


def stored_blocks(path, magic):
    """The blocks of a block file, its key (xor.dat beside it) taken off."""
    data, key = path.read_bytes(), (path.parent / "xor.dat").read_bytes()
    mask = (key * (len(data) // len(key) + 1))[: len(data)]
    data = (int.from_bytes(data, "little") ^ int.from_bytes(mask, "little")).to_bytes(len(data), "little")
    reader = Reader(data)
    while reader.take(4) == magic:
        yield reader.take(reader.number(4))
