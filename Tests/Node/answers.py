"""What a Bitcoin Core node says of its chain through JSON-RPC and REST."""
import dataclasses
import re
import struct
import time
import urllib.parse

from chain import Chain
from formats import Amount, RESTError, RPCError, compact, encode, script_type, sha256d, target, transactions

WARNINGS = ["This is a pre-release test build - use at your own risk - do not use for mining or merchant applications"]


@dataclasses.dataclass
class Settings:
    """What a node's configuration and state would decide."""

    rest: bool = True  # -rest
    ibd: bool | None = None  # initialblockdownload; None: by the age of the tip
    pruneheight: int | None = None  # the lowest block there is; None: not pruned
    coinstats: str | None = None  # expected.tsv: height, block, coins, amount, muhash; None: -coinstatsindex=0
    lie: int | None = None  # gives a wrong muhash at this height
    chaininfo: dict | None = None  # what getblockchaininfo says otherwise
    blockhash: str | None = None  # what getblockhash says of heights above the tip
    # Gives a spent coin otherwise than it is: {block, transaction (the coinbase is not counted), input} and any of
    # {height, generated, value, script}.
    bend: dict | None = None


def script_json(script):
    return {"hex": script.hex(), "type": script_type(script)}


class Answers(Chain):
    """The answers about a chain, in the shapes of Bitcoin Core 31."""

    def __init__(self, datadir, network, imported, settings):
        super().__init__(datadir, network, imported)
        self.settings = settings

    PARAMETERS = {
        "getblock": ("blockhash", "verbosity"),
        "getblockhash": ("height",),
        "getblockheader": ("blockhash", "verbose"),
        "gettxoutsetinfo": ("hash_type", "hash_or_height", "use_index"),
        "waitfornewblock": ("timeout", "current_tip"),
        "waitforblockheight": ("height", "timeout"),
        "getbestblockhash": (),
        "getblockchaininfo": (),
        "getblockcount": (),
        "getchaintips": (),
        "getnetworkinfo": (),
    }

    def call(self, method, params):
        """The result of a JSON-RPC method."""
        if method not in self.PARAMETERS:
            raise RPCError(-32601, "Method not found")
        names = self.PARAMETERS[method]
        if isinstance(params, dict):
            params = [params.get(name) for name in names]
        if len(params) > len(names):
            raise RPCError(-1, f"{method}: too many parameters")
        with self.changed:
            return getattr(self, method)(*params)

    def find(self, hash, name="blockhash"):
        """ParseHashV and LookupBlockIndex."""
        if not isinstance(hash, str):
            raise RPCError(-3, f"JSON value of type {type(hash).__name__} is not of expected type string")
        if len(hash) != 64:
            raise RPCError(-8, f"{name} must be of length 64 (not {len(hash)}, for '{hash}')")
        if not re.fullmatch("[0-9a-fA-F]{64}", hash):
            raise RPCError(-8, f"{name} must be hexadecimal string (not '{hash}')")
        if hash.lower() not in self.index:
            raise RPCError(-5, "Block not found")
        return self.index[hash.lower()]

    def is_pruned(self, entry):
        return entry.height < (self.settings.pruneheight or 0)

    def getblockcount(self):
        return self.tip.height

    def getbestblockhash(self):
        return self.tip.hash

    def getblockhash(self, height):
        if not isinstance(height, int) or not 0 <= height < len(self.best):
            if self.settings.blockhash:
                return self.settings.blockhash
            raise RPCError(-8, "Block height out of range")
        return self.best[height]

    def getblockheader(self, hash, verbose=True):
        entry = self.find(hash)
        return self.header(entry) if verbose is not False else entry.header.hex()

    def header(self, entry):
        best = self.is_best(entry)
        result = {
            "hash": entry.hash,
            "confirmations": self.tip.height - entry.height + 1 if best else -1,
            "height": entry.height,
            "version": entry.version,
            "versionHex": f"{entry.version & 0xFFFFFFFF:08x}",
            "merkleroot": entry.root[::-1].hex(),
            "time": entry.time,
            "mediantime": self.mediantime(entry),
            "nonce": entry.nonce,
            **self.difficulty(entry),
            "chainwork": f"{entry.work:064x}",
            "nTx": entry.count,
        }
        if entry.height:
            result["previousblockhash"] = entry.parent
        if best and entry is not self.tip:
            result["nextblockhash"] = self.best[entry.height + 1]
        return result

    @staticmethod
    def difficulty(entry):
        ratio = 0xFFFF / (entry.bits & 0xFFFFFF) * 256.0 ** (29 - (entry.bits >> 24))
        return {"bits": f"{entry.bits:08x}", "target": f"{target(entry.bits):064x}", "difficulty": ratio}

    def getblock(self, hash, verbosity=1):
        entry = self.find(hash)
        if self.is_pruned(entry):
            raise RPCError(-1, "Block not available (pruned data)")
        block, verbosity = self.block(entry), 1 if verbosity is None else int(verbosity)
        if verbosity <= 0:
            return block.hex()
        txs = transactions(block)
        (_, _, sig, sequence), witness = txs[0].vin[0], txs[0].witness[0]
        head = 80 + len(compact(len(txs)))
        coinbase = {"version": txs[0].version, "locktime": txs[0].locktime, "sequence": sequence, "coinbase": sig.hex()}
        if witness:
            coinbase["witness"] = witness[0].hex()
        undo = self.claimed(entry) if verbosity > 1 else None
        coins = [None] + undo if undo is not None else [None] * len(txs)
        return self.header(entry) | {
            "strippedsize": head + sum(len(tx.stripped) for tx in txs),
            "size": len(block),
            "weight": 4 * head + sum(tx.weight for tx in txs),
            "coinbase_tx": coinbase,
            "tx": [
                tx.id[::-1].hex() if verbosity == 1 else self.details(tx, i == 0, coins[i], verbosity > 2)
                for i, tx in enumerate(txs)
            ],
        }

    def claimed(self, entry):
        """The coins that it says a block spent."""
        undo, bend = self.undo(entry), self.settings.bend
        if undo and bend and bend["block"] == entry.hash:
            coins, i = undo[bend["transaction"]], bend["input"]
            height, generated, value, script = coins[i]
            coins[i] = (
                bend.get("height", height),
                bend.get("generated", generated),
                bend.get("value", value),
                bytes.fromhex(bend["script"]) if "script" in bend else script,
            )
        return undo

    @staticmethod
    def details(tx, is_coinbase, coins, with_prevout):
        """TxToUniv."""
        vin = []
        for i, (txid, n, sig, sequence) in enumerate(tx.vin):
            at = {"txid": txid[::-1].hex(), "vout": n, "scriptSig": {"hex": sig.hex()}}
            if is_coinbase:
                at = {"coinbase": sig.hex()}
            if tx.witness[i]:
                at["txinwitness"] = [item.hex() for item in tx.witness[i]]
            if coins and with_prevout:
                height, generated, value, script = coins[i]
                at["prevout"] = {
                    "generated": generated,
                    "height": height,
                    "value": Amount(value),
                    "scriptPubKey": script_json(script),
                }
            vin.append(at | {"sequence": sequence})
        result = {
            "txid": tx.id[::-1].hex(),
            "hash": sha256d(tx.raw)[::-1].hex(),
            "version": tx.version,
            "size": len(tx.raw),
            "vsize": (tx.weight + 3) // 4,
            "weight": tx.weight,
            "locktime": tx.locktime,
            "vin": vin,
            "vout": [
                {"value": Amount(value), "n": n, "scriptPubKey": script_json(script)}
                for n, (value, script) in enumerate(tx.vout)
            ],
        }
        if coins:
            result["fee"] = Amount(sum(coin[2] for coin in coins) - sum(value for value, _ in tx.vout))
        return result | {"hex": tx.raw.hex()}

    def getblockchaininfo(self):
        tip, ibd, prune = self.tip, self.settings.ibd, self.settings.pruneheight
        ibd = tip.time < time.time() - 86400 if ibd is None else ibd
        pruning = {"pruneheight": prune, "automatic_pruning": True, "prune_target_size": 576716800}
        return {
            "chain": self.network,
            "blocks": tip.height,
            "headers": tip.height,
            "bestblockhash": tip.hash,
            **self.difficulty(tip),
            "time": tip.time,
            "mediantime": self.mediantime(tip),
            "verificationprogress": 0.5 if ibd else 1.0,
            "initialblockdownload": ibd,
            "chainwork": f"{tip.work:064x}",
            "size_on_disk": sum(path.stat().st_size for path in self.folder.glob("[br]*.dat")),
            "pruned": prune is not None,
            **(pruning if prune is not None else {}),
            "warnings": WARNINGS,
            **(self.settings.chaininfo or {}),
        }

    def getnetworkinfo(self):
        reachable = {"ipv4": True, "ipv6": True, "onion": False, "i2p": False, "cjdns": False}
        return {
            "version": 319900,
            "subversion": "/Satoshi:31.99.0/",
            "protocolversion": 70017,
            "localservices": "0000000000000c09",
            "localservicesnames": ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"],
            "localrelay": True,
            "timeoffset": 0,
            "networkactive": True,
            "connections": 0,
            "connections_in": 0,
            "connections_out": 0,
            "networks": [
                {"name": name, "limited": not yes, "reachable": yes, "proxy": "", "proxy_randomize_credentials": False}
                for name, yes in reachable.items()
            ],
            "relayfee": Amount(100),
            "incrementalfee": Amount(100),
            "localaddresses": [],
            "warnings": WARNINGS,
        }

    def getchaintips(self):
        parents = {entry.parent for entry in self.index.values()}
        tips = [entry for entry in self.index.values() if entry.hash not in parents or entry is self.tip]
        result = []
        for tip in sorted(tips, key=lambda tip: (-tip.height, not self.is_best(tip))):
            fork = tip
            while not self.is_best(fork):
                fork = self.index[fork.parent]
            status = "active" if fork is tip else "valid-headers" if self.undo(tip) is None else "valid-fork"
            branch = {"branchlen": tip.height - fork.height, "status": status}
            result.append({"height": tip.height, "hash": tip.hash} | branch)
        return result

    def gettxoutsetinfo(self, kind="hash_serialized_3", at=None, use_index=True):
        if kind != "muhash":
            raise RPCError(-8, f"'{kind}' is not what this node is made for")
        if self.settings.coinstats is None:
            raise RPCError(-8, "Querying specific block heights requires coinstatsindex")
        if isinstance(at, str):
            entry = self.find(at, "hash_or_height")
        elif at is not None and at < 0:
            raise RPCError(-8, f"Target block height {at} is negative")
        elif at is not None and at > self.tip.height:
            raise RPCError(-8, f"Target block height {at} after current tip {self.tip.height}")
        else:
            entry = self.index[self.best[self.tip.height if at is None else at]]
        with open(self.settings.coinstats, encoding="ascii") as file:
            rows = {row[1]: row for row in map(str.split, file) if row}
        if entry.hash not in rows:
            known = max((self.index[hash].height for hash in rows if hash in self.index), default=0)
            message = f"Unable to get data because coinstatsindex is still syncing. Current height: {known}"
            raise RPCError(-32603, message)
        _, _, coins, amount, muhash = rows[entry.hash][:5]
        if entry.height == self.settings.lie:
            muhash = muhash[1:] + muhash[:1]
        nothing = Amount(0)
        return {
            "height": entry.height,
            "bestblock": entry.hash,
            "txouts": int(coins),
            "bogosize": 0,
            "muhash": muhash,
            "total_amount": Amount(amount),
            "total_unspendable_amount": nothing,
            "block_info": {
                **dict.fromkeys(("prevout_spent", "coinbase", "new_outputs_ex_coinbase", "unspendable"), nothing),
                "unspendables": dict.fromkeys(("genesis_block", "bip30", "scripts", "unclaimed_rewards"), nothing),
            },
        }

    def waitfornewblock(self, timeout=0, current_tip=None):
        known = self.find(current_tip, "current_tip").hash if current_tip else self.tip.hash
        return self.wait(lambda: self.tip.hash != known, timeout)

    def waitforblockheight(self, height, timeout=0):
        return self.wait(lambda: self.tip.height >= height, timeout)

    def wait(self, is_there, timeout):
        """Until it is, or for `timeout` milliseconds; others are served meanwhile."""
        if (timeout or 0) < 0:
            raise RPCError(-1, "Negative timeout")
        self.changed.wait_for(is_there, timeout / 1000 if timeout else None)
        return {"hash": self.tip.hash, "height": self.tip.height}

    def rest(self, uri):
        """The type and bytes of what lies at `uri`, behind /rest/."""
        path, _, query = uri.partition("?")
        path, _, suffix = path.rpartition(".") if "." in path else (path, "", "")
        kind, *rest = path.split("/")
        with self.changed:
            if kind == "block" and len(rest) == 1:
                value = self.rest_block(rest[0], suffix)
            elif kind == "spenttxouts" and len(rest) == 1:
                value = self.rest_spent(self.rest_find(rest[0]))
            elif kind == "headers" and len(rest) in (1, 2):
                count = rest[0] if len(rest) == 2 else urllib.parse.parse_qs(query).get("count", ["5"])[0]
                value = self.rest_headers(rest[-1], count, suffix)
            elif kind == "blockhashbyheight" and len(rest) == 1:
                value = self.rest_hash(rest[0], suffix)
            elif kind == "chaininfo" and not rest:
                if suffix != "json":
                    raise RESTError(404, "output format not found (available: json)")
                value = self.getblockchaininfo()
            else:
                raise RESTError(404, "")
        if suffix == "bin" and isinstance(value, bytes):
            return "application/octet-stream", value
        if suffix == "hex" and isinstance(value, bytes):
            return "text/plain", value.hex().encode() + b"\n"
        if suffix == "json" and not isinstance(value, bytes):
            return "application/json", encode(value).encode() + b"\n"
        raise RESTError(404, "output format not found (available: .bin, .hex, .json)")

    def rest_find(self, hash):
        if not re.fullmatch("[0-9a-fA-F]{64}", hash):
            raise RESTError(400, f"Invalid hash: {hash}")
        if hash.lower() not in self.index:
            raise RESTError(404, f"{hash} not found")
        return self.index[hash.lower()]

    def rest_block(self, hash, suffix):
        entry = self.rest_find(hash)
        if self.is_pruned(entry):
            raise RESTError(404, f"{hash} not available (pruned data)")
        return self.getblock(entry.hash, 3) if suffix == "json" else self.block(entry)

    def rest_spent(self, entry):
        undo = self.undo(entry) if not self.is_pruned(entry) else None
        if undo is None and entry.height:
            raise RESTError(404, f"{entry.hash} undo not available")
        result = compact(len(undo or []) + 1) + compact(0)
        for coins in undo or []:
            result += compact(len(coins))
            for _, _, value, script in coins:
                result += struct.pack("<q", value) + compact(len(script)) + script
        return result

    def rest_headers(self, hash, count, suffix):
        if not re.fullmatch("[0-9]{1,9}", count) or not 1 <= int(count) <= 2000:
            raise RESTError(400, f"Header count is invalid or out of acceptable range (1-2000): {count}")
        if not re.fullmatch("[0-9a-fA-F]{64}", hash):
            raise RESTError(400, f"Invalid hash: {hash}")
        first = self.index.get(hash.lower())
        hashes = self.best[first.height : first.height + int(count)] if first and self.is_best(first) else []
        entries = [self.index[hash] for hash in hashes]
        return [self.header(e) for e in entries] if suffix == "json" else b"".join(e.header for e in entries)

    def rest_hash(self, height, suffix):
        if not re.fullmatch("[0-9]{1,9}", height):
            raise RESTError(400, f"Invalid height: {height}")
        if int(height) >= len(self.best):
            raise RESTError(404, "Block height out of range")
        hash = self.best[int(height)]
        return {"blockhash": hash} if suffix == "json" else bytes.fromhex(hash)[::-1]
